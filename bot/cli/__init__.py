"""The command line: ``threadwise COMMAND``, the same as ``python -m bot COMMAND``."""

from __future__ import annotations

import sys

try:
    from bot.cli.commands import cli, main
except KeyboardInterrupt:  # Ctrl-C while all is being loaded, which takes a moment
    sys.stderr.write("stopped\n")
    raise SystemExit(130) from None

__all__ = ["cli", "main"]
