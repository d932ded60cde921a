"""The folders of the project and of the data that is measured with."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The project's folder."""

SHARED = ROOT.parent / "shared"
"""Test sets, dumps and seeds beside the project; tests skip where they are absent."""
