"""The files of a checkpoint of the vectors: what they say, and whether they are whole."""

from __future__ import annotations

import logging
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

FORMAT = 2
"""Raised when the vectors are packed or kept otherwise: older checkpoints are left."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of the files: vectors of a model for a library, up to a change of it.

    ``threads`` counts those of each scope that have any; ``checksums`` are the CRC-32 of the
    files, by name.
    """

    library: str
    model: str
    seq: int = 0
    format: int = FORMAT
    threads: dict[int, int] = field(default_factory=dict)
    files: dict[int, str] = field(default_factory=dict)
    checksums: dict[str, int] = field(default_factory=dict)


CHECKPOINT = TypeAdapter(Checkpoint)


class Damage(Exception):
    """A file of a checkpoint is missing or not what was written."""


def checksum(file: Path) -> int:
    """Return the CRC-32 of a file. Raises OSError."""
    crc = 0
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            crc = zlib.crc32(chunk, crc)
    return crc


def read_checkpoint(file: Path) -> Checkpoint | None:
    """Return what a checkpoint's file says; None if there is none, or none that can be used."""
    try:
        return CHECKPOINT.validate_json(file.read_bytes(), strict=True)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValidationError) as error:
        why = str(error).splitlines()[0]
        log.warning("%s can't be used (%s): vectors are read from the library", file, why)
        return None
