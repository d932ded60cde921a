"""A model of votes, cards and settings: what each operation makes of them, in plain Python.

No state is changed in place: where two operations were under way together, or a process was
killed in one, several ``ModelState``s are possible, until what is seen decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any, NamedTuple

from bot.models import Mode, Reaction, ReactionKind, Vote
from bot.services.voting import Added, Cleared, Deleted, Pressed, Removed, VoteChange

BUTTON = 0
"""In the place of a message's id: a vote button's press, wherever it was."""


class Card(NamedTuple):
    """The answer that a message shows, and the guild it is in."""

    answer_id: int
    guild_id: int


class Ballot(NamedTuple):
    """Whose vote on which answer in which guild."""

    answer_id: int
    guild_id: int
    user_id: int

    @property
    def card(self) -> Card:
        """The answer and the guild that it is about."""
        return Card(self.answer_id, self.guild_id)


class Sign(NamedTuple):
    """A reaction on a message, or a button's press; whose it is, its ballot says."""

    message_id: int
    value: Vote
    kind: ReactionKind = ReactionKind.NORMAL

    @classmethod
    def of(cls, change: Added | Removed) -> Sign:
        """Return the sign that a change is about."""
        return cls(change.message_id, change.reaction.value, change.reaction.kind)


@dataclass(frozen=True)
class Shown:
    """A card is posted, or a message shows another answer from now on."""

    message_id: int
    answer_id: int
    guild_id: int


@dataclass(frozen=True)
class Reconciled:
    """A message is compared with what Discord shows; ``live`` are events that come meanwhile."""

    message_id: int
    shown: frozenset[Reaction]
    live: frozenset[Reaction] = frozenset()


@dataclass(frozen=True)
class Forgotten:
    """A member wants nothing kept about them."""

    user_id: int


@dataclass(frozen=True)
class Changed:
    """A guild's setting is changed; with ``None``, back to the default."""

    guild_id: int
    name: str
    value: Any


@dataclass(frozen=True)
class ModeSet:
    """The mode of a guild's channel is set, or taken back."""

    guild_id: int
    channel_id: int
    mode: Mode | None


Operation = VoteChange | Shown | Reconciled | Forgotten | Changed | ModeSet


@dataclass(frozen=True)
class ModelState:
    """What holds: cards by message, of each ballot the standing signs, the newest last; settings.

    ``settings`` has what guilds set, by guild and name, or by guild and channel.
    """

    cards: Mapping[int, Card] = field(default_factory=dict)
    signs: Mapping[Ballot, tuple[Sign, ...]] = field(default_factory=dict)
    settings: Mapping[tuple[int, str | int], Any] = field(default_factory=dict)

    @property
    def key(self) -> object:
        """A hashable value that equal states have in common."""
        return tuple(frozenset(each.items()) for each in (self.cards, self.signs, self.settings))

    @property
    def votes(self) -> dict[Ballot, Vote]:
        """The vote of each ballot: what its newest sign says."""
        return {ballot: signs[-1].value for ballot, signs in self.signs.items()}

    def tally(self, answer_id: int, guild_id: int) -> int:
        """Return the sum of the votes on an answer in a guild."""
        card = Card(answer_id, guild_id)
        return sum(vote for ballot, vote in self.votes.items() if ballot.card == card)

    def ballot(self, message_id: int, user_id: int) -> Ballot:
        """Return the ballot that a member's reaction on a card is about."""
        return Ballot(*self.cards[message_id], user_id)

    def signs_of(self, ballot: Ballot) -> tuple[Sign, ...]:
        """Return the signs of a ballot that stand."""
        return self.signs.get(ballot, ())

    def with_signs(self, ballot: Ballot, signs: Collection[Sign]) -> ModelState:
        """Return the state in which a ballot has these signs, and no others."""
        others = {b: old for b, old in self.signs.items() if b != ballot}
        return replace(self, signs={**others, ballot: tuple(signs)} if signs else others)

    def with_newest(self, ballot: Ballot, sign: Sign) -> ModelState:
        """Return the state in which a sign is the newest of a ballot."""
        return self.with_signs(ballot, [*(s for s in self.signs_of(ballot) if s != sign), sign])

    def without(self, is_gone: Callable[[Ballot, Sign], bool]) -> ModelState:
        """Return the state without some signs."""
        state = self
        for ballot, signs in self.signs.items():
            state = state.with_signs(ballot, [s for s in signs if not is_gone(ballot, s)])
        return state

    def with_setting(self, guild_id: int, name: str | int, value: Any) -> ModelState:
        """Return the state in which a guild has set something; with ``None``, has it no longer."""
        settings = {**self.settings, (guild_id, name): value}
        return replace(self, settings={k: v for k, v in settings.items() if v is not None})


@singledispatch
def after(operation: Any, state: ModelState) -> tuple[ModelState, object]:
    """Return the state after an operation, and the operation's outcome."""
    raise NotImplementedError(operation)


@after.register
def _(operation: Added, state: ModelState) -> tuple[ModelState, object]:
    if operation.message_id not in state.cards:
        return state, False
    ballot = state.ballot(operation.message_id, operation.reaction.user_id)
    return state.with_newest(ballot, Sign.of(operation)), True


@after.register
def _(operation: Removed, state: ModelState) -> tuple[ModelState, object]:
    if operation.message_id not in state.cards:
        return state, False
    sign = Sign.of(operation)
    ballot = state.ballot(operation.message_id, operation.reaction.user_id)
    signs = state.signs_of(ballot)
    return state.with_signs(ballot, [s for s in signs if s != sign]), sign in signs


@after.register
def _(operation: Cleared, state: ModelState) -> tuple[ModelState, object]:
    card = state.cards.get(operation.message_id)

    def is_gone(ballot: Ballot, sign: Sign) -> bool:
        is_here = ballot.card == card and sign.message_id == operation.message_id
        return is_here and operation.value in (None, sign.value)

    return state.without(is_gone), True


@after.register
def _(operation: Pressed, state: ModelState) -> tuple[ModelState, object]:
    ballot = Ballot(operation.answer_id, operation.guild_id, operation.user_id)
    signs = state.signs_of(ballot)
    if signs and signs[-1].value is operation.value:
        state = state.with_signs(ballot, [s for s in signs if s.message_id != BUTTON])
    else:
        state = state.with_newest(ballot, Sign(BUTTON, operation.value))
    return state, state.votes.get(ballot)


@after.register
def _(operation: Deleted, state: ModelState) -> tuple[ModelState, object]:
    cards = {m: card for m, card in state.cards.items() if m != operation.message_id}
    return replace(state, cards=cards), True


@after.register
def _(operation: Shown, state: ModelState) -> tuple[ModelState, object]:
    card = Card(operation.answer_id, operation.guild_id)
    return replace(state, cards={**state.cards, operation.message_id: card}), None


@after.register
def _(operation: Forgotten, state: ModelState) -> tuple[ModelState, object]:
    theirs = sum(ballot.user_id == operation.user_id for ballot in state.signs)
    return state.without(lambda ballot, _: ballot.user_id == operation.user_id), theirs


@after.register
def _(operation: Changed, state: ModelState) -> tuple[ModelState, object]:
    return state.with_setting(operation.guild_id, operation.name, operation.value), None


@after.register
def _(operation: ModeSet, state: ModelState) -> tuple[ModelState, object]:
    return state.with_setting(operation.guild_id, operation.channel_id, operation.mode), None


@after.register
def _(operation: Reconciled, state: ModelState) -> tuple[ModelState, object]:
    if operation.message_id not in state.cards:
        return state, 0
    card, changed = state.cards[operation.message_id], 0
    voters = {ballot.user_id for ballot in state.signs if ballot.card == card}
    for user_id in voters | {reaction.user_id for reaction in operation.shown}:
        ballot = Ballot(*card, user_id)
        signs, differences = _reconciled(operation, user_id, state.signs_of(ballot))
        state, changed = state.with_signs(ballot, signs), changed + differences
    return state, changed


def _reconciled(
    operation: Reconciled, user_id: int, before: Collection[Sign]
) -> tuple[list[Sign], int]:
    """Return a member's signs after a message was compared, and how many came or went.

    Live events decide for what they were about, and are newer than what Discord showed.
    """
    here = list(_possible_signs(operation.message_id))
    live = [s for s in here if Reaction(user_id, s.value, s.kind) in operation.live]
    shown = [s for s in here if Reaction(user_id, s.value, s.kind) in operation.shown]
    gone = [s for s in before if s in here and s not in live and s not in shown]
    new = [s for s in shown if s not in live and s not in before]
    kept = [s for s in before if s not in live and s not in gone]
    return [*kept, *new, *(s for s in before if s in live)], len(gone) + len(new)


def _possible_signs(message_id: int) -> Iterator[Sign]:
    """Yield all signs that a member may give on a message, in the order in which they are taken."""
    for value in sorted(Vote):
        for kind in ReactionKind:
            yield Sign(message_id, value, kind)
