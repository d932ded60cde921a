"""``state.json``: what the text indexes of a library hold, in one file for all scopes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.search.documents import FORMAT


@dataclass(frozen=True, slots=True)
class ScopeState:
    """What one scope's index holds.

    ``seq`` is the change of the library at which it was last written, ``threads`` how many
    threads it has, ``made`` tells it from an earlier index in the same folder.
    """

    seq: int
    threads: int
    made: str


@dataclass(frozen=True, slots=True)
class State:
    """What the indexes hold: a library's changes up to ``seq``, in a form.

    ``scopes`` are those that have an index; ``rebuild`` those that are to be made anew from
    the library, whatever ``seq`` says, because their files were damaged.
    """

    library: str
    seq: int = 0
    format: int = FORMAT
    scopes: dict[int, ScopeState] = field(default_factory=dict)
    rebuild: frozenset[int] = frozenset()

    def without(self, scope: int, *, rebuild: bool = False) -> State:
        """The state once a scope's index is gone, for good or to be made anew."""
        scopes = {s: held for s, held in self.scopes.items() if s != scope}
        again = self.rebuild | {scope} if rebuild else self.rebuild
        return replace(self, scopes=scopes, rebuild=again)


def write_state(file: Path, state: State) -> None:
    """Write a state in one step that can't be half done. Raises OSError."""
    told = asdict(state) | {"rebuild": sorted(state.rebuild)}
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(told), encoding="utf-8")
    temporary.replace(file)


def read_state(file: Path) -> State | None:
    """Return what a file says; None where there is none or it is none of ours.

    Raises OSError for a file that is there and can't be read.
    """
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        scopes = {int(scope): _scope(held) for scope, held in told.pop("scopes", {}).items()}
        state = State(**told | {"scopes": scopes, "rebuild": frozenset(told.pop("rebuild", ()))})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    kinds = [*map(type, (state.library, state.seq, state.format)), *map(type, state.rebuild)]
    return state if kinds == [str, int, int, *[int] * len(state.rebuild)] else None


def _scope(told: dict[str, Any]) -> ScopeState:
    held = ScopeState(**told)
    if [*map(type, (held.seq, held.threads, held.made))] != [int, int, str]:
        raise TypeError("a scope's state is not what it should be")
    return held
