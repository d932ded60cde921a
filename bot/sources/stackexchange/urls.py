"""What a dump is called, which site it is from, and how that site names its posts."""

from __future__ import annotations

import re
from pathlib import Path

from bot.errors import ConfigError
from bot.models import plain_key

# Names that the network's own sites end in; sites elsewhere have to be named.
_SITE = re.compile(
    r"(?:[a-z0-9-]+\.)*(?:stackexchange|stackoverflow|serverfault|superuser|askubuntu|stackapps)"
    r"\.com|(?:[a-z0-9-]+\.)*mathoverflow\.net",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]+")


def checked_site(name: str) -> str:
    """A site's name as a host: ``https://History.StackExchange.com/`` will do as well.

    Raises ConfigError for what can't be one.
    """
    host = re.sub(r"^https?://", "", name.strip().lower()).rstrip("/")
    if not _HOST.fullmatch(host):
        raise ConfigError(f"{name!r} is not a site's name; one is like history.stackexchange.com")
    return host


def site_of(path: Path) -> str | None:
    """The site that a dump's file is from, by its name or its folder's, where they tell."""
    real = path.resolve()
    for name in (real.name, real.parent.name):
        found = _SITE.match(name)
        if found and not name[found.end() :][:1].isalnum():
            return found[0].lower()
    return None


def source_of(path: Path) -> str:
    """What to call a dump whose site nobody knows: by its file, or else its folder."""
    real = path.resolve()
    own = real.name.lower() not in ("posts.xml", "posts.7z")
    return plain_key(real.stem if own else real.parent.name) or "dump"


def thread_key(source: str, question: int) -> str:
    """The source key of a question's thread."""
    return f"{source}/{question}"


def question_url(site: str, question: int) -> str:
    """Where a question stands on its site."""
    return f"https://{site}/q/{question}"


def answer_url(site: str, answer: int) -> str:
    """Where an answer stands on its site."""
    return f"https://{site}/a/{answer}"
