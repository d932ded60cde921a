"""The tables, for SQLAlchemy Core; ``migrations/`` makes them.

``scope`` and ``guild_id`` are Discord guild ids, 0 (``models.SHARED``) meaning the
shared library or a direct message: a number rather than NULL, so that unique
constraints hold on every database. Times are Unix microseconds in UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from bot.models import ANSWER_FIELDS, THREAD_FIELDS
from bot.store.columns import ROW_ID, columns_of, few, indexes, metadata, setting_columns

threads = Table(
    "threads",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("scope", BigInteger, nullable=False),
    *columns_of(THREAD_FIELDS),
    Column("content_hash", String(64), nullable=False),
    Column("revision", Integer, key="text_version", nullable=False),
    # Of what the thread was made of, before it was made: the same need not be made again.
    Column("fingerprint", String(64)),
    # Retired: hidden, and kept with its votes. ``removed``: by a moderator, deleted after a day.
    Column("retired_at", BigInteger),
    Column("removed", Boolean, nullable=False, server_default=false()),
    # Helpers changed it: an import is proposed to them, and replaces nothing.
    Column("curated", Boolean, nullable=False, server_default=false()),
    # The shared thread that this one of a guild stands in for, there alone.
    Column("overrides", BigInteger),
    # Of a retired one, the thread of the same scope that has its answers.
    Column("merged_into", BigInteger),
    UniqueConstraint("scope", "key"),
    Index(None, "scope", "source"),
    Index(None, "retired_at"),
    *few("overrides", "merged_into"),
    sqlite_autoincrement=True,  # an id is never given to another thread
)

IN_FORCE = threads.c.retired_at.is_(None)
"""The condition that a thread is not retired."""

answers = Table(
    "answers",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("thread_id", ROW_ID, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    *columns_of(ANSWER_FIELDS),
    # Gone from the source, kept with its votes: a later import may bring it back.
    Column("retired", Boolean, nullable=False),
    # The answer of a shared thread that this one of a guild's own version stands in for.
    Column("overrides", BigInteger),
    Index(None, "thread_id"),
    *few("overrides"),
    sqlite_autoincrement=True,
)

phrasings = Table(
    "phrasings",
    metadata,
    Column("thread_id", ROW_ID, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("text", Text, nullable=False),
)

# Questions of a guild's members, one row for each member who taught a wording; ``phrasings``
# are the source's own, for everybody.
learned_phrasings = Table(
    "learned_phrasings",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("thread_id", ROW_ID, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("text", Text, nullable=False),
    Column("wording", Text, nullable=False),  # the text's words, the same for two spellings
    Column("user_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("chosen", Boolean, nullable=False),  # in a menu, rather than by an up-vote
    Column("learned_at", BigInteger, nullable=False),
    # Whether the member is one of those of whom two confirm it for the guild.
    Column("counts", Boolean, nullable=False, server_default=false()),
    Column("standing", Integer, nullable=False, server_default="0"),  # phrasings.Standing
    # False: they did not say it, but voted for the answer to whoever did.
    Column("own_words", Boolean, nullable=False, server_default=true()),
    Column("model", String(64)),  # of the vector, once there is one
    Column("vector", LargeBinary),
    UniqueConstraint("guild_id", "thread_id", "wording", "user_id"),
    *indexes("thread_id", "user_id", "message_id"),
    Index(None, "guild_id", "model"),
    sqlite_autoincrement=True,  # so that the newest id tells whether anything was added
)

votes = Table(
    "votes",
    metadata,
    Column("answer_id", ROW_ID, ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("guild_id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, primary_key=True),
    Column("value", Integer, CheckConstraint("value IN (-1, 1)", "value"), nullable=False),
    Column("posting_id", BigInteger, nullable=False),  # 0: a button, not a reaction
    *indexes("user_id", "guild_id"),
)

# Votes that came with an import, added up: who gave them isn't known here.
carried_votes = Table(
    "carried_votes",
    metadata,
    Column("answer_id", ROW_ID, ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("guild_id", BigInteger, primary_key=True),
    Column("value", BigInteger, nullable=False),
    Index(None, "guild_id"),
)

# The answers that guilds accepted, each in place of the one that its source accepts.
acceptances = Table(
    "acceptances",
    metadata,
    Column("guild_id", BigInteger, primary_key=True),
    Column("thread_id", ROW_ID, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("answer_id", ROW_ID, ForeignKey("answers.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", BigInteger, nullable=False),  # who accepted it; 0: forgotten
    Column("accepted_at", BigInteger, nullable=False),
    *indexes("thread_id", "answer_id", "user_id"),
)

# The reactions that are on Discord's messages now, from which votes follow.
# Without it, "last reaction wins" could not fall back when that one is taken away.
reactions = Table(
    "reactions",
    metadata,
    Column("answer_id", ROW_ID, ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("guild_id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, primary_key=True),
    Column("posting_id", BigInteger, primary_key=True),
    Column("value", Integer, CheckConstraint("value IN (-1, 1)", "value"), primary_key=True),
    # A member may give a normal and a super reaction of one emoji: ``models.ReactionKind``.
    Column("kind", Integer, primary_key=True, server_default="0"),
    Column("given_at", BigInteger, nullable=False),
    # The answers that it was moved from by merging, the last at the end: see ``moved_votes``.
    Column("moved_from", Text),
    *indexes("posting_id", "user_id", "guild_id"),
)

postings = Table(
    "postings",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("thread_id", ROW_ID, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("answer_id", ROW_ID, ForeignKey("answers.id", ondelete="CASCADE"), nullable=False),
    Column("asker_id", BigInteger, nullable=False),
    Column("alternatives", JSON, nullable=False),
    Column("posted_at", BigInteger, nullable=False),
    # What counts as a vote on it; NULL: posted before this was recorded.
    Column("up_emoji", String(64)),
    Column("down_emoji", String(64)),
    # Since when its votes may differ from the reactions on Discord; NULL: they don't.
    Column("due_at", BigInteger),
    Column("moved_from", Text),  # as of a reaction
    Index(None, "channel_id", "answer_id"),
    *indexes("due_at", "posted_at", "asker_id", "thread_id", "answer_id", "guild_id"),
)

# Questions of ask channels that the bot had nothing on, and what it reacted to them with.
unanswered = Table(
    "unanswered",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("asker_id", BigInteger, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("emoji", String(64), nullable=False),
    Index(None, "channel_id", "asked_at"),
    *indexes("asked_at", "asker_id", "guild_id"),
)

# Messages of the bot that it deletes if nobody presses anything on them.
temporary_messages = Table(
    "temporary_messages",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("delete_at", BigInteger, nullable=False),
    *indexes("delete_at", "guild_id"),
)

guild_settings = Table(
    "guild_settings",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    *setting_columns(),  # NULL: the host's setting is in force
)

channel_modes = Table(
    "channel_modes",
    metadata,
    Column("guild_id", BigInteger, primary_key=True),
    Column("channel_id", BigInteger, primary_key=True),
    Column("mode", String(16), nullable=False),
)

# The guilds in which an application (a bot account) was seen, and when they removed it.
guild_memberships = Table(
    "guild_memberships",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("application_id", BigInteger, primary_key=True, autoincrement=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),  # NULL: it is a member
    Column("greeted_at", BigInteger),  # NULL: it has not said hello there yet
    Index(None, "removed_at"),
)

# The feed that the search index follows, with the newest change of each thread alone.
changes = Table(
    "changes",
    metadata,
    Column("seq", ROW_ID, primary_key=True, autoincrement=True),
    Column("thread_id", BigInteger, nullable=False),
    Column("scope", BigInteger, nullable=False, server_default="0"),
    Column("text", Boolean, nullable=False, server_default=true()),  # or its vectors alone
    Column("deleted_at", BigInteger),  # of a thread that is no more
    Index(None, "text", "seq"),
    *indexes("thread_id", "deleted_at", "scope"),
    sqlite_autoincrement=True,
)

# Embeddings of threads: 8-bit numbers for the thread itself, then for each of its phrasings,
# as far as its ``stage`` goes (``models.VectorStage``). Those of another model or text version
# than the present are stale.
vectors = Table(
    "vectors",
    metadata,
    Column(
        "thread_id",
        ROW_ID,
        ForeignKey("threads.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("model", String(64), nullable=False),
    Column("revision", Integer, key="text_version", nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("stage", Integer, nullable=False, server_default="3"),
)

# Facts about this database: its own id, the hash of the synced command tree.
facts = Table(
    "facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
