"""Front matter: what a page says about itself between two lines ``---``, as YAML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import yaml

from bot.sources.json_thread import FieldError

_MAX_LINES = 200
_MAX_TEXT = 16 * 1024
_MAX_BRACKETS = 300
"""The time that YAML takes grows with the square of how deeply they are nested."""


class _Loader(yaml.SafeLoader):
    """Leaves a date that no calendar has as it stands there, for its reader to tell."""

    def date(self, node: yaml.ScalarNode) -> object:
        try:
            return self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError):
            return self.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.date)


def split(lines: Sequence[str]) -> tuple[dict[str, Any], int]:
    """What stands in the front matter, and how many lines it takes; empty and 0 without.

    Raises FieldError when it is not YAML.
    """
    if not lines or lines[0].rstrip() != "---":
        return {}, 0
    ends = (i for i, line in enumerate(lines[1:_MAX_LINES], 1) if line.rstrip() in ("---", "..."))
    end = next(ends, None)
    if end is None:
        return {}, 0
    text = "\n".join(lines[1:end])
    if len(text) > _MAX_TEXT or text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise FieldError("its front matter is too long, or nested too deeply")
    try:
        # With aliases, few bytes may stand for millions of values.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise FieldError("its front matter has YAML aliases (*name), which are not read")
        values = yaml.load(text, _Loader)
    except FieldError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 2})" if mark else ""
        raise FieldError(f"its front matter is not YAML{where}") from None
    if not isinstance(values, dict):
        return {}, 0  # a line between two rules
    return {str(key): _plain(value) for key, value in values.items()}, end + 1


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return [_plain(item) for item in value] if isinstance(value, list) else value
