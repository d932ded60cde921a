"""Looks at followed posts: what somebody says of a post, and what came of looking at it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.following import FollowedPost, PostState


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A person's word on a post: that a message solved it, or that its solution did not.

    ``marked`` is the id of a message that was named as the solution, ``chosen`` of one that got
    the solution emoji, so that an earlier *Not the solution* counts no more. With ``reopens``,
    nothing else that marks say now solved it either. Nothing is said by who just wrote, edited
    or deleted something.
    """

    user_id: int = 0
    marked: int | None = None
    chosen: int | None = None
    rejects: bool = False
    reopens: bool = False


NO_WISH = Wish()
"""What is said by who just wrote, edited or deleted something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLook:
    """The state of a post now and before; ``None``: nothing is known of it.

    ``messages`` show its thread, and are to be drawn anew. ``asked`` is what the first message
    says, with the message's id. ``left_out`` says that who asked, or wrote what was marked, wants
    their messages kept out; ``is_cut`` that the post has more messages than are looked at.
    """

    before: FollowedPost | None
    now: FollowedPost | None
    messages: tuple[int, ...] = ()
    asked: tuple[str, int] | None = None
    left_out: bool = False
    is_cut: bool = False

    @property
    def is_solved(self) -> bool:
        """Return whether it is in the library."""
        return self.now is not None and self.now.state is PostState.SOLVED

    @property
    def is_changed(self) -> bool:
        """Return whether it is solved, or not, otherwise than before."""
        return stands(self.before) != stands(self.now)


def stands(post: FollowedPost | None) -> tuple[PostState, int | None]:
    """Return how a post stands: its state, and the message that solved it or is proposed."""
    if post is None:
        return PostState.CANDIDATE, None
    return post.state, post.solution_id if post.state is PostState.SOLVED else post.proposed_id
