"""Incidents: an id joins what a person was told to the line in the log that says why."""

from __future__ import annotations

import logging
import secrets

from bot.i18n import gettext as _


def incident_of(error: BaseException) -> str:
    """Return the id of an error; it is the same wherever the error is told or logged."""
    if (known := getattr(error, "incident", None)) is None:
        known = error.incident = secrets.token_hex(3)  # type: ignore[attr-defined]
    return str(known)


def sorry(error: BaseException) -> str:
    """Return what a person is told of an error that nobody foresaw."""
    return _(
        "Sorry, something went wrong on my side. Please try again in a moment; if it keeps "
        "happening, tell whoever hosts me about incident `{incident}`."
    ).format(incident=incident_of(error))


def log_incident(
    log: logging.Logger, error: BaseException, where: str, *, traceback: bool = True
) -> None:
    """Log an error with its incident's id; without a ``traceback``, by its own words."""
    incident = incident_of(error)
    said = "incident %s in %s" if traceback else "incident %s in %s: %s"
    words = () if traceback else (error,)
    log.error(
        said, incident, where, *words,
        exc_info=error if traceback else None, extra={"incident": incident},
    )  # fmt: skip
