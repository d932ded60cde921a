"""``python -m bot`` is the same as ``threadwise``."""

import sys

try:
    from bot.cli import main

    if __name__ == "__main__":
        main()
except KeyboardInterrupt:  # between the loading, which has a handler, and a command's own
    sys.stderr.write("stopped\n")
    raise SystemExit(130) from None
