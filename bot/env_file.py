"""The check of ``.env`` before it is read: a line that can't be parsed is named, not skipped."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from bot.errors import ConfigError


def check_env_file(file: Path, names: Collection[str]) -> None:
    """Raise ConfigError with the number of the first line that sets nothing, if there is one.

    ``names`` are the settings; that of the line is shown if it is one of them, its value
    never, since it may be a token. Raises UnicodeDecodeError for what is not UTF-8.
    """
    if not file.is_file():
        return
    try:
        with file.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except OSError as error:
        raise ConfigError(f"{file} can't be read: {error.strerror}") from None
    for binding in bindings:
        if (why := _fault(binding)) is not None:
            where = f"{file}, line {_line(binding)}"
            raise ConfigError(f"{where}{_name(binding, names)}: {why}")


def _fault(binding: Binding) -> str | None:
    if binding.error:
        return "it can't be read; write NAME=value, with an even number of \" or of ' in the value"
    if binding.value is None:
        return None if binding.key is None else "there is no = in it; write NAME=value"
    if "\n" in binding.value or "\r" in binding.value:
        return "its quotation mark is closed on another line; close it on this one"
    return None


def _line(binding: Binding) -> int:
    """Return the number of the line on which a binding begins, after the empty ones before it."""
    said = binding.original.string
    empty = said[: len(said) - len(said.lstrip())]
    return binding.original.line + len(re.findall(r"\r\n|\n|\r", empty))


def _name(binding: Binding, names: Collection[str]) -> str:
    written = re.match(r"\s*(?:export\s+)?[\"']?(\w+)", binding.original.string)
    name = written[1].upper() if written else ""
    return f" ({name})" if name in names else ""
