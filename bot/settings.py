"""Settings from the environment and ``.env``; each is explained in ``.env.example``."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.emoji_form import bare_emoji, is_emoji
from bot.env_file import check_env_file
from bot.errors import ConfigError
from bot.guild_settings import AS_DISCORD, OFF, GuildSettings
from bot.i18n import languages

ENV_FILE = ".env"

LOOPBACK = "127.0.0.1"


class Settings(BaseSettings, GuildSettings):
    """The host's settings; guilds may override those of GuildSettings."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_file_encoding="utf-8-sig", extra="forbid", frozen=True
    )

    discord_token: SecretStr | None = None
    data_dir: Path = Path("data")
    database_url: str = ""
    seeds_dir: Path | None = Path("seeds")
    ask_channels: Annotated[tuple[str, ...], NoDecode] = ("ask",)
    helper_role_ids: Annotated[tuple[int, ...], NoDecode] = ()
    cooldown_seconds: int = Field(default=120, ge=0, le=86_400)
    member_questions_per_minute: int = Field(default=20, ge=0, le=10_000)
    server_questions_per_minute: int = Field(default=240, ge=0, le=100_000)
    reconcile_messages: int = Field(default=200, ge=0, le=10_000)
    guild_retention_days: int = Field(default=30, ge=0, le=36_500)
    library_file_mb: int = Field(default=8, ge=0, le=100)
    library_threads: int = Field(default=50_000, ge=1, le=10_000_000)
    library_words: int = Field(default=200_000, ge=1_000, le=10_000_000)
    library_phrasings: int = Field(default=100_000, ge=0, le=10_000_000)
    embedding_model: str = ""
    log_level: str = "INFO"
    log_format: Literal["text", "json"] = "text"
    metrics_port: int = Field(default=0, ge=0, le=65_535)
    metrics_host: str = LOOPBACK
    shard_count: int = Field(default=0, ge=0, le=100_000)
    shard_ids: Annotated[tuple[int, ...], NoDecode] = ()

    @field_validator("discord_token", "seeds_dir", mode="before")
    @classmethod
    def _blank_is_none(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("metrics_port", "shard_count", mode="before")
    @classmethod
    def _blank_is_zero(cls, value: Any) -> Any:
        return 0 if isinstance(value, str) and not value.strip() else value

    @field_validator("log_format", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return (value.strip().lower() or "text") if isinstance(value, str) else value

    @field_validator("metrics_host")
    @classmethod
    def _blank_is_loopback(cls, value: str) -> str:
        return value.strip() or LOOPBACK  # an empty host would be every address there is

    @field_validator("ask_channels", "helper_role_ids", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(name.strip().lstrip("#") for name in value.split(",") if name.strip())
        return value

    @field_validator("shard_ids", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        return _expanded(value) if isinstance(value, str) else value

    @field_validator("up_emoji", "down_emoji", "solution_emoji")
    @classmethod
    def _is_emoji(cls, value: str) -> str:
        if not is_emoji(value.strip()):
            raise ValueError("must be one emoji: Unicode's, or a custom one as <:name:id>")
        return value.strip()

    @field_validator("unanswered_emoji")
    @classmethod
    def _is_emoji_or_off(cls, value: str) -> str:
        return OFF if value.strip().casefold() == OFF else cls._is_emoji(value)

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        level = value.strip().upper()
        if level not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
            raise ValueError("must be DEBUG, INFO, WARNING, ERROR or CRITICAL")
        return level

    @field_validator("server_language")
    @classmethod
    def _spoken(cls, value: str) -> str:
        if value not in (known := (AS_DISCORD, *languages())):
            raise ValueError(f"must be {', '.join(known[:-1])} or {known[-1]}")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if self.suggest_threshold > self.answer_threshold:
            raise ValueError("SUGGEST_THRESHOLD must not be greater than ANSWER_THRESHOLD")
        if bare_emoji(self.up_emoji) == bare_emoji(self.down_emoji):
            raise ValueError("UP_EMOJI and DOWN_EMOJI must differ")
        if self.shard_ids and not self.shard_count:
            raise ValueError("SHARD_IDS needs SHARD_COUNT: how many shards all processes have")
        if max(self.shard_ids, default=-1) >= self.shard_count:
            raise ValueError(
                f"SHARD_IDS must be from 0 to {self.shard_count - 1}, as SHARD_COUNT says"
            )
        return self

    @property
    def database(self) -> str:
        """Return the SQLAlchemy URL in force: ``DATABASE_URL``, else a file in ``DATA_DIR``."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'threadwise.db'}"

    @property
    def seeds_folder(self) -> Path | None:
        """Return ``SEEDS_DIR``; where its default isn't there, the seeds of the wheel, if any."""
        folder = self.seeds_dir
        is_default = folder == Settings.model_fields["seeds_dir"].default
        if is_default and folder and not folder.exists() and PACKAGED_SEEDS.is_dir():
            return PACKAGED_SEEDS
        return folder

    @property
    def seeds(self) -> Path | None:
        """Return ``seeds_folder`` if it is a folder with anything in it."""
        folder = self.seeds_folder
        if folder is None or not folder.is_dir():
            return None
        try:
            empty = all(name.startswith(".") for name in os.listdir(folder))
        except OSError:
            empty = False  # whoever reads it tells why it can't be
        return None if empty else folder

    @property
    def guild_defaults(self) -> GuildSettings:
        """Return what holds in a guild whose moderators changed nothing."""
        return GuildSettings(**{name: getattr(self, name) for name in GuildSettings.model_fields})


PACKAGED_SEEDS = Path(__file__).parent / "seeds"
"""The seeds in an installed wheel; a checkout of the source has them beside the program."""


def _expanded(value: str) -> tuple[int, ...]:
    """Return the numbers that ``0-3, 8`` stands for, each once. Raises ValueError."""
    numbers = set[int]()
    for part in filter(None, (part.strip() for part in value.split(","))):
        if not (found := re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", part)):
            raise ValueError("must be numbers and ranges of them, such as 0-3 or 0,4")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise ValueError(f"must have the smaller number first: {last}-{first}")
        numbers.update(range(first, last + 1))
    return tuple(sorted(numbers))


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; ``overrides`` take precedence over the environment and ``.env``.

    Raises ConfigError with one line that names the setting and what to do.
    """
    try:
        if (file := overrides.get("_env_file", ENV_FILE)) is not None:
            check_env_file(Path(file), [name.upper() for name in Settings.model_fields])
        return Settings(**overrides)
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(dict(e)) for e in error.errors())) from None
    except UnicodeDecodeError:
        raise ConfigError(".env is not UTF-8 text; save it as UTF-8") from None


_REASONS = {
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_parsing": "must be true or false",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have {max_length} characters or fewer",
}
"""Reasons by pydantic's types of errors; its own messages are meant for programmers."""


def _explain(error: dict[str, Any]) -> str:
    name = str(error["loc"][0]).upper() if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        known = [field.upper() for field in Settings.model_fields]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "see .env.example for those there are"
        return f"{name} in .env is not a setting of Threadwise; {hint}"
    plain = _REASONS.get(error["type"], "").format(**error.get("ctx", {}))
    reason = plain or str(error["msg"]).removeprefix("Value error, ")
    shown = "" if "token" in name.lower() or not name else f" (it is {error['input']!r})"
    return f"{name}: {reason}{shown}; correct it in the environment or .env" if name else reason
