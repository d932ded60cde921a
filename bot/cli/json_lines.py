"""The log as JSON, an object a line, for programs that collect logs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Writes each record as a line of JSON; all of it is ASCII, whatever the terminal takes."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        when = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": when.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if incident := getattr(record, "incident", None):
            line["incident"] = str(incident)
        if record.exc_info and record.exc_info[0] is not None:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def are_in_force() -> bool:
    """Return whether the log is JSON, so that nothing else may be written between its lines."""
    return any(isinstance(each.formatter, JsonLines) for each in logging.getLogger().handlers)
