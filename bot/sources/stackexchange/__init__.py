"""Stack Exchange's data dumps: ``Posts.xml`` with what lies beside it, or the 7z archive.

Questions with their answers become threads. Users' names, duplicates (other ways to ask
their target) and related questions come from the other files, where they are there.
Votes count only for posts that come without a score; tags are read off the questions.
"""

from __future__ import annotations

from bot.sources.stackexchange.dump import FORMAT, beside

__all__ = ["FORMAT", "beside"]
