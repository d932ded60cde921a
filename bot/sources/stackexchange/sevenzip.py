"""What py7zr writes into: something that hands each piece on. Loaded with py7zr alone."""

from __future__ import annotations

from collections.abc import Callable

from py7zr.io import Py7zIO, WriterFactory

Give = Callable[[str | bytes], None]

_PIECE = 1024 * 1024


def factory(give: Give) -> WriterFactory:
    """Makes files that give their name and then their pieces."""
    return _Factory(give)


class _Factory(WriterFactory):
    def __init__(self, give: Give):
        self._give = give

    def create(self, filename: str) -> Py7zIO:
        return _Giving(filename, self._give)


class _Giving(Py7zIO):
    """A file that is never anywhere."""

    def __init__(self, name: str, give: Give):
        self._give, self._size = give, 0
        give(name)

    def write(self, s: bytes | bytearray) -> int:
        for at in range(0, len(s), _PIECE):  # what is packed well comes in very large ones
            self._give(bytes(s[at : at + _PIECE]))
        self._size += len(s)
        return len(s)

    def read(self, size: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def flush(self) -> None:
        pass

    def size(self) -> int:
        return self._size
