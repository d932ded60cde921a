"""The command line: ``threadwise COMMAND``, the same as ``python -m bot COMMAND``."""

from __future__ import annotations

from bot.cli.commands import app, main

__all__ = ["app", "main"]
