"""A place for a dump."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that isn't there yet; its name is the site's."""
    return tmp_path / "garden"
