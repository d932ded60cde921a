"""PostgreSQL's errors in plain words, with what to do about them."""

from __future__ import annotations

from sqlalchemy.engine import URL

from bot.errors import StoreBusy, StoreError, StoreUnreachable
from bot.store import server_url


def explain(error: BaseException, url: URL) -> StoreError:
    """Return an error of the server, or of the way to it, in words that say what to do."""
    where = server_url.place(url)
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    said = (str(error).splitlines() or [""])[0]
    said = said.removeprefix(f"{_class_name(error)}: ").strip() or type(error).__name__
    known = {"where": where, "user": url.username or "the account of the bot", "said": said}
    known["database"] = url.database or known["user"]
    for kind, by_codes in _ADVICE.items():
        for codes, advice in by_codes.items():
            if code in codes or code[:2] in codes:
                return kind(advice.format_map(known))
    if not code and isinstance(error, OSError):  # also when nobody answers in time
        return StoreUnreachable(_UNREACHABLE.format_map(known))
    return StoreError(f"{where}: {said}")


def _class_name(error: BaseException) -> str:
    """Return the name with which SQLAlchemy begins the text of a driver's error."""
    return str(type(error.__cause__ or error))


_UNREACHABLE = (
    "PostgreSQL at {where} can't be reached ({said}); start it, or correct host and port in "
    "DATABASE_URL"
)

_ADVICE: dict[type[StoreError], dict[tuple[str, ...], str]] = {
    StoreBusy: {
        ("55P03", "57014"): "{where} was locked by another program for too long ({said}); stop "
        "that program or wait for it, then try again",
        ("40P01", "40001"): "another program changed the same at once in {where} ({said}); try "
        "again",
    },
    StoreUnreachable: {
        ("53300",): "PostgreSQL at {where} has no connection left ({said}); raise "
        "max_connections: each process of the bot takes up to 14",
        ("57P01", "57P02", "57P03", "08"): _UNREACHABLE,
    },
    StoreError: {
        ("28P01", "28000"): "PostgreSQL at {where} does not let {user} in ({said}); correct user "
        "and password in DATABASE_URL",
        ("3D000",): "there is no database at {where}; make it with: "
        "createdb --encoding UTF8 --template template0 --owner {user} {database}",
        ("42501",): "{user} may not do that at {where} ({said}); make it the owner: "
        "ALTER DATABASE {database} OWNER TO {user}",
        ("3F000",): "there is no schema at {where} that {user} may make tables in; make it the "
        "owner: ALTER DATABASE {database} OWNER TO {user}",
        ("53100",): "no room left on the disk of PostgreSQL at {where}; free some and try again",
        ("25006",): "{where} can only be read ({said}); name the primary server in DATABASE_URL",
        ("42P01", "42703", "XX001", "XX002"): "{where} is damaged: {said}; put a backup back with "
        "pg_restore",
        ("22021", "22P05"): "{where} takes no such text: {said}",
    },
}
"""Advice, by the error that is raised and by PostgreSQL's codes, or their first two letters.

After a StoreBusy, another try may succeed at once; after a StoreUnreachable, some time later.
"""
