"""What votes, cards and settings come to, by rules that are too simple to be wrong.

Nothing here is changed in place: where two operations were under way together, or a process was
killed in one, several ``World``s may be the true one, until what is seen decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any, NamedTuple

from bot.models import Mode, Reaction, ReactionKind, Vote
from bot.services.voting import Added, Cleared, Deleted, Pressed, Removed, VoteChange

BUTTON = 0


class Card(NamedTuple):
    """The answer that a message shows, and the guild it is in."""

    answer_id: int
    guild_id: int


class Ballot(NamedTuple):
    """A member's vote on an answer in a guild, whatever it is."""

    answer_id: int
    guild_id: int
    user_id: int


class Sign(NamedTuple):
    """A reaction on a message, or a button's press."""

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
class World:
    """What holds: cards by message, of each ballot the standing signs, the newest last; settings.

    ``settings`` has what guilds set, by guild and name, or by guild and channel.
    """

    cards: Mapping[int, Card] = field(default_factory=dict)
    signs: Mapping[Ballot, tuple[Sign, ...]] = field(default_factory=dict)
    settings: Mapping[tuple[int, str | int], Any] = field(default_factory=dict)

    @property
    def key(self) -> object:
        """What two equal ones have in common."""
        return tuple(frozenset(each.items()) for each in (self.cards, self.signs, self.settings))

    @property
    def votes(self) -> dict[Ballot, Vote]:
        """Who voted for what."""
        return {ballot: signs[-1].value for ballot, signs in self.signs.items()}

    def tally(self, answer_id: int, guild_id: int) -> int:
        """Return the sum of the votes on an answer in a guild."""
        return sum(v for b, v in self.votes.items() if b[:2] == (answer_id, guild_id))

    def ballot(self, message_id: int, user_id: int) -> Ballot:
        """Return the ballot that a member's reaction on a card is about."""
        return Ballot(*self.cards[message_id], user_id)

    def of(self, ballot: Ballot) -> tuple[Sign, ...]:
        """Return the signs that stand."""
        return self.signs.get(ballot, ())

    def standing(self, ballot: Ballot, signs: Collection[Sign]) -> World:
        """Return the world in which these signs stand, and no others, for a ballot."""
        return self._with(lambda b, old: signs if b == ballot else old, ballot)

    def without(self, is_gone: Callable[[Ballot, Sign], bool]) -> World:
        """Return the world without some signs."""
        return self._with(lambda b, old: [sign for sign in old if not is_gone(b, sign)])

    def _with(
        self, make: Callable[[Ballot, tuple[Sign, ...]], Collection[Sign]], *new: Ballot
    ) -> World:
        made = {b: tuple(make(b, self.of(b))) for b in (*self.signs, *new)}
        return replace(self, signs={b: signs for b, signs in made.items() if signs})

    def given(self, ballot: Ballot, sign: Sign) -> World:
        """Return the world in which a sign stands as the newest."""
        return self.standing(ballot, [*(s for s in self.of(ballot) if s != sign), sign])


@singledispatch
def after(operation: Any, world: World) -> tuple[World, object]:
    """Return the world after an operation, and its outcome."""
    raise NotImplementedError(operation)


@after.register
def _(operation: Added, world: World) -> tuple[World, object]:
    if operation.message_id not in world.cards:
        return world, False
    ballot = world.ballot(operation.message_id, operation.reaction.user_id)
    return world.given(ballot, Sign.of(operation)), True


@after.register
def _(operation: Removed, world: World) -> tuple[World, object]:
    if operation.message_id not in world.cards:
        return world, False
    sign = Sign.of(operation)
    ballot = world.ballot(operation.message_id, operation.reaction.user_id)
    signs = world.of(ballot)
    return world.standing(ballot, [s for s in signs if s != sign]), sign in signs


@after.register
def _(operation: Cleared, world: World) -> tuple[World, object]:
    card = world.cards.get(operation.message_id)

    def is_gone(ballot: Ballot, sign: Sign) -> bool:
        is_here = ballot[:2] == card and sign.message_id == operation.message_id
        return is_here and operation.value in (None, sign.value)

    return world.without(is_gone), True


@after.register
def _(operation: Pressed, world: World) -> tuple[World, object]:
    ballot = Ballot(operation.answer_id, operation.guild_id, operation.user_id)
    signs = world.of(ballot)
    if signs and signs[-1].value is operation.value:
        world = world.standing(ballot, [s for s in signs if s.message_id != BUTTON])
    else:
        world = world.given(ballot, Sign(BUTTON, operation.value))
    return world, world.votes.get(ballot)


@after.register
def _(operation: Deleted, world: World) -> tuple[World, object]:
    cards = {m: card for m, card in world.cards.items() if m != operation.message_id}
    return replace(world, cards=cards), True


@after.register
def _(operation: Shown, world: World) -> tuple[World, object]:
    card = Card(operation.answer_id, operation.guild_id)
    return replace(world, cards={**world.cards, operation.message_id: card}), None


@after.register
def _(operation: Forgotten, world: World) -> tuple[World, object]:
    theirs = sum(ballot.user_id == operation.user_id for ballot in world.signs)
    return world.without(lambda ballot, _: ballot.user_id == operation.user_id), theirs


@after.register
def _(operation: Changed, world: World) -> tuple[World, object]:
    return _set(world, (operation.guild_id, operation.name), operation.value), None


@after.register
def _(operation: ModeSet, world: World) -> tuple[World, object]:
    return _set(world, (operation.guild_id, operation.channel_id), operation.mode), None


def _set(world: World, key: tuple[int, str | int], value: Any) -> World:
    settings = {**world.settings, key: value}
    return replace(world, settings={k: v for k, v in settings.items() if v is not None})


@after.register
def _(operation: Reconciled, world: World) -> tuple[World, object]:
    """Events decide for what they were about, and are newer than what Discord showed."""
    message_id, changed = operation.message_id, 0
    if message_id not in world.cards:
        return world, 0
    card = world.cards[message_id]
    users = {b.user_id for b in world.signs if b[:2] == card} | {r.user_id for r in operation.shown}
    for user_id in users:
        ballot = Ballot(*card, user_id)
        signs = list(world.of(ballot))
        decided = [s for s in signs if s[0] == message_id and (user_id, *s[1:]) in operation.live]
        rest = [s for s in signs if s not in decided]
        for value in sorted(Vote):
            for kind in ReactionKind:
                reaction, sign = Reaction(user_id, value, kind), Sign(message_id, value, kind)
                if reaction in operation.live or (reaction in operation.shown) is (sign in rest):
                    continue
                changed += 1
                rest.remove(sign) if sign in rest else rest.append(sign)
        world = world.standing(ballot, [*rest, *decided])
    return world, changed
