"""Presses that count although their members were not told: they will press again."""

from __future__ import annotations

import time
from collections import OrderedDict

from cogs.voting.vote_events import Press

KEPT_SECONDS = 60.0
"""How soon the next press must come to be taken for the same."""

LIMIT = 1000
"""Presses that are remembered at most."""

_Key = tuple[int, int, int]


class UntoldPresses:
    """The latest presses, one a member and answer in a guild, that nobody was told of."""

    def __init__(self) -> None:
        self._presses: OrderedDict[_Key, tuple[float, Press]] = OrderedDict()

    def add(self, press: Press) -> None:
        """Withdraw a press of which nobody was told; remember it if it counts all the same."""
        press.withdraw()
        kept = press.former if press.is_lost else press
        press.former = None  # no chain of them
        if kept is not None:
            self._presses[_key(kept)] = time.monotonic(), kept
            self._presses.move_to_end(_key(kept))
        while len(self._presses) > LIMIT:
            self._presses.popitem(last=False)

    def take(self, press: Press) -> Press | None:
        """The remembered press that this one repeats; any that it doesn't is forgotten."""
        at, former = self._presses.pop(_key(press), (0.0, None))
        if former is None or time.monotonic() - at > KEPT_SECONDS:
            return None
        return former if former.change.value is press.change.value else None


def _key(press: Press) -> _Key:
    return press.change.guild_id, press.change.user_id, press.change.answer_id
