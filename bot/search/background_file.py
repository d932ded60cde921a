"""The backgrounds of a library, written down beside its vectors."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from bot.private_files import unfinished
from bot.search.background import Background

FORMAT = 4
"""Raised when backgrounds are measured otherwise, or the ranker's constants are others: older
ones are measured anew."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Content:
    """Backgrounds of one library and model, by the scopes that are seen, as ``0,123``."""

    library: str
    model: str
    format: int
    backgrounds: dict[str, Background]


_CONTENT = TypeAdapter(_Content)


class BackgroundFile:
    """The backgrounds in a folder; safe from any thread. Losing them loses a few seconds."""

    def __init__(self, folder: Path, library: str, model: str):
        """Take up those that are of this library and model."""
        self._path = folder / "background.json"
        self._library, self._model = library, model
        self._lock = threading.Lock()
        self._known = self._read()

    def get(self, scopes: Sequence[int]) -> Background | None:
        """Return the background of what is seen of those scopes, if it was measured."""
        return self._known.get(_name(scopes))

    def put(self, scopes: Sequence[int], background: Background) -> None:
        """Write a background down. Raises OSError; it counts all the same."""
        with self._lock:
            self._known = {**self._known, _name(scopes): background}
            with suppress(OSError, ValidationError):  # what another process has measured
                self._known = {**self._written(), **self._known}
            self._write()

    def keep(self, scopes: Collection[int]) -> None:
        """Drop the backgrounds in which any other scopes are seen. Raises OSError."""
        names = {str(scope) for scope in scopes}
        with self._lock:
            kept = {n: found for n, found in self._known.items() if names.issuperset(n.split(","))}
            if len(kept) < len(self._known):
                self._known = kept
                self._write()

    def _write(self) -> None:
        content = _Content(self._library, self._model, FORMAT, self._known)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(self._path) as place:
            place.write_bytes(_CONTENT.dump_json(content))
            place.replace(self._path)

    def _read(self) -> dict[str, Background]:
        try:
            return self._written()
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            log.warning("%s can't be used (%s): the background is measured anew",
                        self._path, str(error).splitlines()[0])  # fmt: skip
            return {}

    def _written(self) -> dict[str, Background]:
        """Return what the file holds of this library and model. Raises as reading it does."""
        content = _CONTENT.validate_json(self._path.read_bytes())
        of = (content.library, content.model, content.format)
        return content.backgrounds if of == (self._library, self._model, FORMAT) else {}


def _name(scopes: Sequence[int]) -> str:
    return ",".join(map(str, scopes))
