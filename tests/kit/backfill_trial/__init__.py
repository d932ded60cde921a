"""A backfill that is killed again and again, on a loopback Discord that counts its requests.

``forum_of`` makes the forum and says what is to come of it, ``program`` is the bot that is
killed, ``Requests`` has what it asked for and when, and ``trial`` runs them together.
"""

from tests.kit.backfill_trial.trial import Report, trial

__all__ = ["Report", "trial"]
