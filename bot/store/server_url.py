"""URLs of databases on a server: what is understood in them, and what is shown of them."""

from __future__ import annotations

from sqlalchemy.engine import URL

from bot.errors import ConfigError

DRIVER = "postgresql+asyncpg"
_SAME = ("postgresql", "postgres", DRIVER)
"""Names of PostgreSQL in URLs; hosts and their control panels write them without a driver."""


def normal(url: URL) -> URL:
    """Return a URL of PostgreSQL as asyncpg takes it. Raises ConfigError for any other."""
    if url.drivername not in _SAME:
        raise ConfigError(
            f"DATABASE_URL names {url.drivername}, but a library is in SQLite "
            f"(sqlite+aiosqlite:///FILE) or PostgreSQL ({DRIVER}://USER:PASSWORD@HOST/DATABASE)"
        )
    url = url.set(drivername=DRIVER)
    if "sslmode" in url.query:  # as libpq calls it
        mode = url.query["sslmode"]
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url


def unusable_url(error: Exception) -> ConfigError:
    """Return the error for a URL that parses, but of which no engine can be made."""
    why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":;. ")
    return ConfigError(f"DATABASE_URL can't be used: {why}")


def without_driver() -> ConfigError:
    """Return the error for an installation that can't speak to PostgreSQL."""
    return ConfigError(
        "DATABASE_URL names PostgreSQL, which needs the package asyncpg; install it with: "
        "pip install asyncpg"
    )


def is_on_server(url: URL) -> bool:
    """Return whether a URL names a database on a server, and not a file or one in memory."""
    return url.get_backend_name() != "sqlite"


def place(url: URL) -> str:
    """Return host and database of a URL, without user and password."""
    host = url.host or url.query.get("host") or "localhost"
    host = host if isinstance(host, str) else ",".join(host)
    return f"{host}{f':{url.port}' if url.port else ''}/{url.database or url.username or ''}"


def tool_arguments(url: URL) -> str:
    """Return how PostgreSQL's own programs are told the database; they ask for the password."""
    shown = url._replace(drivername="postgresql", password=None)  # set() would keep it
    if "ssl" in shown.query:
        mode = shown.query["ssl"]
        shown = shown.difference_update_query(["ssl"]).update_query_dict({"sslmode": mode})
    return f"'{shown.render_as_string(hide_password=False)}'"
