"""What tests of readers share."""

from __future__ import annotations

import pytest

from bot.sources import SourceReport


@pytest.fixture
def report() -> SourceReport:
    """An empty report."""
    return SourceReport()
