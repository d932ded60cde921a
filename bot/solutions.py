"""The search for the message that solved a post, by the marks that people and bots left on it.

The rules, in their order:

1. somebody who may do so marked a message as the solution;
2. the post's asker or a helper put the solution emoji on a message;
3. a bot left a mark: it named the message, or linked to it beside a word such as "solved";
4. the post has a tag such as "solved", and one message has more positive reactions than any
   other. That is a proposal only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from bot.posts import EmojiCount, Post, PostMessage, first_message

LIKED = 2
"""People other than its author whose positive reaction makes a message an answer."""

POSITIVE = frozenset("⬆️ 👍 ✅ ❤️ 💯 🙏 🎉 👏 ⭐ 🔼".split())
"""Emoji that speak for a message, in any skin tone."""

SOLVED_TAGS = ("solved", "answered", "resolved", "done")
"""What tags are called that say a post is solved."""

_SOLUTION_FIELD, _QUESTION_FIELD = "solution message id", "question message id"
"""Fields of the embed that Answer Overflow posts."""

_SAID = re.compile(r"(not |n['’]t |no |never )?\b(?:solved|solution|answered)\b(?!\?)", re.I)
"""A word that says something is solved; the group says that it isn't."""

_LINK = re.compile(
    r"https://(?:\w{1,10}\.)?discord(?:app)?\.com/channels/(?:\d{1,20}|@me)/(\d{1,20})/(\d{1,20})"
)
_NUMBER = re.compile(r"\d{1,20}")


def _nobody(_user_id: int) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A server's choices among the rules.

    ``is_helper`` tells of a user's id whether it is a helper's; a bot is none. ``own_id`` is the
    bot's own user, whose messages count for nothing: they say what the bot knows already.
    """

    solution_emoji: str = "✅"
    positive: frozenset[str] = POSITIVE
    solved_tags: tuple[str, ...] = SOLVED_TAGS
    is_helper: Callable[[int], bool] = _nobody
    own_id: int | None = None


class Rule(IntEnum):
    """The rule that a solution was found by."""

    MARKED = 1
    EMOJI = 2
    BOT = 3
    REACTIONS = 4


class Solution(NamedTuple):
    """The message that solved a post, and why it is taken for that."""

    message: PostMessage
    rule: Rule

    @property
    def is_proposed(self) -> bool:
        """Return whether somebody has to confirm it."""
        return self.rule is Rule.REACTIONS


def find_solution(
    post: Post,
    messages: Sequence[PostMessage],
    rules: Rules,
    *,
    marked: int | None = None,
    rejected: Collection[int] = (),
) -> Solution | None:
    """Return what solved a post by the first rule that holds, or ``None``.

    ``messages`` are in the order of time. ``marked`` is the id of the one that was marked as
    the solution, ``rejected`` are those of which was said that they are not.
    """
    possible = _possible(post, messages, rules)
    for message in possible:
        if message.id == marked:
            return Solution(message, Rule.MARKED)
    possible = [message for message in possible if message.id not in rejected]
    if (found := _by_emoji(post, possible, rules)) is not None:
        return Solution(found, Rule.EMOJI)
    if (found := _by_bot(post, messages, possible, rules)) is not None:
        return Solution(found, Rule.BOT)
    if (found := _by_reactions(post, possible, rules)) is not None:
        return Solution(found, Rule.REACTIONS)
    return None


def to_ask_about(post: Post, messages: Sequence[PostMessage], rules: Rules) -> list[PostMessage]:
    """Return the messages with the solution emoji of which isn't known who put it there."""
    marks = [(_mark(message, rules), message) for message in _possible(post, messages, rules)]
    return [message for mark, message in marks if mark is not None and mark.user_ids is None]


def further_answers(
    post: Post, messages: Sequence[PostMessage], solution: PostMessage, rules: Rules
) -> list[PostMessage]:
    """Return the other messages of members that are answers too, since people like them."""
    return [
        message
        for message in _possible(post, messages, rules)
        if message.id != solution.id
        and not message.is_bot
        and message.people_for(rules.positive) >= LIKED
    ]


def is_solved_tag(tag: str, names: Iterable[str] = SOLVED_TAGS) -> bool:
    """Return whether a tag says that a post is solved: one of the names, or several of them.

    Signs around the names don't matter: "✅ Solved" and "Solved/Answered" are such tags, but
    "Not solved" is none.
    """
    known, said = {_words(name) for name in names}, _words(tag)
    return bool(said) and (said in known or all((word,) in known for word in said))


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", name.casefold()))


def _possible(post: Post, messages: Sequence[PostMessage], rules: Rules) -> list[PostMessage]:
    """Return the messages that may be a solution: what anybody wrote below the question."""
    asking = first_message(post, messages)
    return [
        message
        for message in messages
        if message is not asking
        and not (message.is_system or message.is_empty)
        and message.author_id != rules.own_id
    ]


def _mark(message: PostMessage, rules: Rules) -> EmojiCount | None:
    return message.reaction(rules.solution_emoji)


def _by_emoji(post: Post, possible: Sequence[PostMessage], rules: Rules) -> PostMessage | None:
    """Find the message with the emoji; of several, one that the asker chose.

    Else the one that most people put it on, and at last the latest: it isn't known when an emoji
    was put somewhere, and what was written last is what helped at last.
    """
    found = []
    for message in possible:
        mark = _mark(message, rules)
        users = mark.user_ids if mark is not None and mark.user_ids is not None else frozenset()
        by_asker = post.asker_id in users
        if by_asker or any(map(rules.is_helper, users)):
            found.append(((by_asker, len(users), message.id), message))
    return max(found, key=lambda one: one[0])[1] if found else None


def _by_bot(
    post: Post, messages: Sequence[PostMessage], possible: Sequence[PostMessage], rules: Rules
) -> PostMessage | None:
    """Find the message that a bot named last as the solution."""
    by_id = {message.id: message for message in possible}
    for message in reversed(messages):
        if message.is_bot and message.author_id != rules.own_id:
            named = _named(post, message, by_id) or _linked(post, message, by_id)
            if named is not None and named != message.id:
                return by_id[named]
    return None


def _named(post: Post, message: PostMessage, by_id: Collection[int]) -> int | None:
    """Return the message of the post that a field of an embed names as the solution."""
    fields = {
        name.strip().casefold(): int(numbers[-1])
        for embed in message.embeds
        for name, value in embed.fields
        if (numbers := _NUMBER.findall(value))
    }
    named = fields.get(_SOLUTION_FIELD)
    # With another message of the post for its question, it speaks of something else.
    is_of_post = fields.get(_QUESTION_FIELD, post.id) not in by_id
    return named if named in by_id and is_of_post else None


def _linked(post: Post, message: PostMessage, by_id: Collection[int]) -> int | None:
    """Return the one message of the post that a text links to, if it says "solved" or so."""
    text = " ".join(_texts(message).split())
    if all(said[1] for said in _SAID.finditer(text)):  # not said, or denied
        return None
    linked = {int(link[2]) for link in _LINK.finditer(text) if int(link[1]) == post.id}
    of_post = linked & set(by_id)
    return of_post.pop() if len(of_post) == 1 else None


def _texts(message: PostMessage) -> str:
    """Return all that is written in a message, its embeds and buttons."""
    parts = [message.content]
    for embed in message.embeds:
        parts += [embed.text, embed.url, *(part for field in embed.fields for part in field)]
    parts += [part for button in message.buttons for part in button]
    return "\n".join(parts)


def _by_reactions(post: Post, possible: Sequence[PostMessage], rules: Rules) -> PostMessage | None:
    """Find the message that most people like, where a tag says that the post is solved."""
    if post.asker_id is None or not any(is_solved_tag(t, rules.solved_tags) for t in post.tags):
        return None
    by_others = [m for m in possible if m.author_id != post.asker_id and not m.is_bot]
    likes = [message.people_for(rules.positive) for message in by_others]
    most = max(likes, default=0)
    if most < LIKED or likes.count(most) > 1:
        return None
    return by_others[likes.index(most)]
