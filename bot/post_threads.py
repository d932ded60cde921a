"""Threads of solved posts: the question, what solved it, and what else helped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.curation import AuthorChoice, Origin
from bot.models import Answer, Thread, plain_key
from bot.posts import Post, PostMessage, first_message
from bot.solutions import Rules, further_answers, is_solved_tag

SOMEBODY = "somebody"
"""What a mention becomes of whose user nothing is known."""

_TITLE = 100
"""Characters of a title that is taken from a text, as many as Discord gives one."""

# Code is passed over: a mention is text in it. Each is matched to its end, or to the text's.
_CODE_OR_MENTION = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`|<(@!?|@&|#)(\d{1,20})>", re.DOTALL)
_BRACKETS = re.compile(r"([\[\]\\])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of what messages mention, by id, as they are shown."""

    users: Mapping[int, str] = field(default_factory=dict)
    roles: Mapping[int, str] = field(default_factory=dict)
    channels: Mapping[int, str] = field(default_factory=dict)


def as_wished(
    post: Post,
    messages: Sequence[PostMessage],
    names: Names,
    choices: Mapping[int, AuthorChoice],
) -> tuple[tuple[PostMessage, ...], Names] | None:
    """Return a post's messages and names without those of who wants it so.

    ``None`` if that is who asked: without the question there is no thread.
    """
    out = {who for who, choice in choices.items() if choice is AuthorChoice.LEAVE_OUT}
    if post.asker_id in out:
        return None
    asking = first_message(post, messages)
    if asking is not None and asking.author_id in out:
        return None
    kept = (message for message in messages if message.author_id not in out)
    wished = tuple(replace(m, author=SOMEBODY) if m.author_id in choices else m for m in kept)
    users = {who: name for who, name in names.users.items() if who not in choices}
    return wished, replace(names, users=users)


def post_key(post: Post) -> str:
    """Return the key of a post's thread."""
    return f"discord:{post.channel_id}/{post.id}"


def post_link(post: Post) -> str:
    """Return the address of a post."""
    return f"https://discord.com/channels/{post.guild_id}/{post.id}"


def message_link(post: Post, message: PostMessage) -> str:
    """Return the address of a post's message.

    That of the question is the post's: in a text channel it isn't among the thread's messages.
    """
    return post_link(post) if message.id == post.id else f"{post_link(post)}/{message.id}"


def origin_of(message: PostMessage, channel_id: int) -> Origin:
    """Return a message of a channel, or of a post, as what is made of it has it."""
    return Origin(channel_id=channel_id, message_id=message.id, author_id=message.author_id)


def answer_origins(
    thread: Thread, post: Post, messages: Sequence[PostMessage]
) -> dict[str, Origin]:
    """Return the messages that a post's thread has as answers, by the answers' keys."""
    by_id = {str(message.id): message for message in messages}
    return {a.key: origin_of(by_id[a.key], post.id) for a in thread.answers if a.key in by_id}


def thread_of(
    post: Post,
    messages: Sequence[PostMessage],
    solution: PostMessage,
    rules: Rules,
    names: Names = Names(),
) -> Thread:
    """Return a solved post as a thread: the solution is its accepted answer.

    Further answers have a score of 0, since reactions are no votes.
    """
    asking = first_message(post, messages)
    body = text_of(asking, message_link(post, asking), names) if asking is not None else ""
    others = further_answers(post, messages, solution, rules)
    return Thread(
        key=post_key(post),
        title=_title(post, body),
        body=body,
        tags=tuple(t for t in post.tags if not is_solved_tag(t, rules.solved_tags)),
        url=post_link(post),
        author=asking.author if asking is not None else None,
        asked_at=asking.posted_at if asking is not None else None,
        source=f"#{post.channel}",
        answers=(
            answer_of(post, solution, names, accepted=True),
            *(answer_of(post, message, names) for message in others),
        ),
    )


def answer_of(
    post: Post, message: PostMessage, names: Names = Names(), *, accepted: bool = False
) -> Answer:
    """Return a message as an answer: its key is the message's id."""
    return Answer(
        key=str(message.id),
        body=text_of(message, message_link(post, message), names),
        accepted=accepted,
        author=message.author,
        url=message_link(post, message),
        answered_at=message.posted_at,
    )


def with_names(text: str, names: Names) -> str:
    """Return a text with names for the mentions that aren't in code."""

    def name(found: re.Match[str]) -> str:
        kind, number = found[1], found[2]
        if kind is None:
            return found[0]
        if kind == "#":
            channel = names.channels.get(int(number))
            return found[0] if channel is None else f"#{channel}"
        if kind == "@&":
            return f"@{names.roles.get(int(number), SOMEBODY)}"
        return f"@{names.users.get(int(number), SOMEBODY)}"

    return _CODE_OR_MENTION.sub(name, text)


def _title(post: Post, body: str) -> str:
    """Return a post's title, or the beginning of its text if nothing can be seen of that."""
    title = " ".join(_storable(post.title).split())
    if plain_key(title):
        return title
    line = next((line for line in body.splitlines() if plain_key(line)), f"#{post.channel}")
    return " ".join(line.split())[:_TITLE]


def text_of(message: PostMessage, link: str, names: Names = Names()) -> str:
    """Return a message's text, and below it its files' names, which lead to its ``link``."""
    text = _storable(with_names(message.content, names)).strip()
    shown = (_BRACKETS.sub(r"\\\1", _storable(name)) for name in message.attachments)
    files = ", ".join(f"[{name}]({link})" for name in shown)
    parts = [text if plain_key(text) else "", f"📎 {files}" if files else ""]
    return "\n\n".join(filter(None, parts))


def _storable(text: str) -> str:
    """Return a text without what no database keeps: NUL characters, halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="ignore").decode()
