"""Followed channels, the posts in them, and how far a channel is filled in from before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.solutions import Rule


class PostState(StrEnum):
    """The state of a post of a followed channel. Only solved ones are in the library."""

    CANDIDATE = "candidate"  # nobody says what solved it
    PROPOSED = "proposed"  # a helper has to confirm the solution
    SOLVED = "solved"
    REFUSED = "refused"  # was solved, until somebody said that it is not
    SKIPPED = "skipped"  # a helper left a proposal out


class BackfillState(StrEnum):
    """The state of a backfill."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


class Figure(StrEnum):
    """A count of a backfill. All but ``READ`` are parts of that, or of a post's messages."""

    READ = "read"  # posts
    SOLVED = "solved"
    PROPOSED = "proposed"
    GONE = "gone"  # deleted meanwhile
    LEFT_OUT = "left_out"  # as their author wants it, or without anything that can be kept
    CUT = "cut"  # with more messages than are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A backfill of a channel: it has read all posts down to one.

    ``before`` is the archive time of the last post that was read, ``post_id`` that post;
    ``counts`` are its figures by name, ``user_id`` began it (0: forgotten). ``shown_id`` is the
    message in the channel ``shown_in`` that tells how far it is.
    """

    state: BackfillState
    before: datetime | None = None
    post_id: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    user_id: int = 0
    shown_in: int | None = None
    shown_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedChannel:
    """A forum, or a text channel whose threads are questions, that feeds the library.

    ``solved_tag`` is the name of the forum's tag for solved posts. With ``take_by_reactions``, a
    proposed solution is taken unasked; with ``instructs``, each new post is told how to say what
    solved it. ``notice_id`` is the message that told the channel's members.
    """

    guild_id: int
    channel_id: int
    name: str
    is_forum: bool
    followed_by: int
    followed_at: datetime
    solved_tag: str | None = None
    take_by_reactions: bool = False
    instructs: bool = False
    notice_id: int | None = None
    backfill: Backfill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedPost:
    """A post of a followed channel of which something is known.

    ``asker_id`` is 0 where it isn't known. ``title`` is empty unless it is solved or proposed:
    of other posts nothing that was written is kept. ``rule`` is why the solution, or the
    proposed one, is taken for that. ``rejected`` are the messages of which was said that they
    are not the solution. ``note_id`` is the bot's own line in the post.
    """

    post_id: int
    guild_id: int
    channel_id: int
    asker_id: int = 0
    title: str = ""
    state: PostState = PostState.CANDIDATE
    rule: Rule | None = None
    solution_id: int | None = None
    proposed_id: int | None = None
    rejected: tuple[int, ...] = ()
    thread_id: int | None = None
    note_id: int | None = None
    updated_at: datetime
