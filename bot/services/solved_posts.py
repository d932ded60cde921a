"""Threads made of posts, as the authors of their messages want it, and how they are stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot import post_threads
from bot.curation import AuthorChoice, Origin
from bot.following import FollowedChannel, FollowedPost, PostState
from bot.guild_settings import GuildSettings
from bot.models import Thread
from bot.post_threads import answer_origins, origin_of, thread_of
from bot.posts import Post, PostMessage, first_message
from bot.services.post_reader import ReadPost
from bot.solutions import POSITIVE, SOLVED_TAGS, Rule, Rules

AuthorChoices = Mapping[int, AuthorChoice]
"""What members want done with their messages, by the members' ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostThread:
    """A thread made of a post, with the messages that it is: answers' by their keys."""

    post: Post
    solution_id: int
    thread: Thread
    question: Origin
    answers: Mapping[str, Origin]

    @property
    def author_ids(self) -> frozenset[int]:
        """Return the ids of all who wrote something of it."""
        answers = (origin.author_id for origin in self.answers.values())
        return frozenset({self.question.author_id, *answers}) - {0}


def people_of(read: ReadPost) -> set[int]:
    """Return the ids of all who wrote in a post, or are mentioned in it."""
    authors = {message.author_id for message in read.messages}
    return {*authors, *read.names.users, read.post.asker_id or 0} - {0}


def as_wished(read: ReadPost, choices: AuthorChoices) -> ReadPost | None:
    """Return a post as ``post_threads.as_wished`` does: without what authors want kept out."""
    wished = post_threads.as_wished(read.post, read.messages, read.names, choices)
    return None if wished is None else replace(read, messages=wished[0], names=wished[1])


def make(
    channel: FollowedChannel, read: ReadPost, solution: PostMessage, rules: Rules
) -> PostThread:
    """Return a post as a thread that a message solved."""
    post, messages = read.post, read.messages
    thread = thread_of(post, messages, solution, rules, read.names)
    asking = first_message(post, messages)
    return PostThread(
        post=post,
        solution_id=solution.id,
        thread=thread,
        question=_question(channel, post, asking),
        answers=answer_origins(thread, post, messages),
    )


def new_post(channel: FollowedChannel, post: Post) -> FollowedPost:
    """Return a post of which nothing is known yet."""
    return FollowedPost(
        post_id=post.id,
        guild_id=channel.guild_id,
        channel_id=channel.channel_id,
        asker_id=post.asker_id or 0,
        updated_at=datetime.now(UTC),
    )


def without_own_tag(post: Post, known: FollowedPost | None) -> Post:
    """Return a post without its tags if they say only what was known: the bot sets one itself."""
    if known is None or known.state is not PostState.SOLVED or known.rule is Rule.REACTIONS:
        return post
    return replace(post, tags=())


def rules_of(
    channel: FollowedChannel,
    settings: GuildSettings,
    is_helper: Callable[[int], bool],
    own_id: int | None,
) -> Rules:
    """Return the rules that hold in a channel."""
    tag = (channel.solved_tag,) if channel.solved_tag else ()
    return Rules(
        solution_emoji=settings.solution_emoji,
        positive=POSITIVE | {settings.up_emoji},
        solved_tags=(*SOLVED_TAGS, *tag),
        is_helper=is_helper,
        own_id=own_id,
    )


def _question(channel: FollowedChannel, post: Post, asking: PostMessage | None) -> Origin:
    """Return where the question is: in a text channel, beside the Discord thread made of it."""
    if asking is None:
        return Origin(channel_id=post.id, message_id=post.id, author_id=post.asker_id or 0)
    is_beside = asking.id == post.id and not channel.is_forum
    return origin_of(asking, channel.channel_id if is_beside else post.id)
