"""Facts and counts, as people read them in their language."""

from __future__ import annotations

from bot.i18n import speaking
from bot.ui import facts
from bot.ui.confirmations import forgotten_line


def test_counts_are_written_as_in_the_language() -> None:
    with speaking("de"):
        assert facts.answers_counted(12_345) == "12.345 Antworten"
        assert facts.threads_counted(1) == "1 Thread"
        assert "12.345 Stimmen" in forgotten_line(12_345, 2_000)
        assert "2.000" in forgotten_line(12_345, 2_000)
    with speaking("en"):
        assert facts.votes_counted(12_345) == "12,345 votes"
