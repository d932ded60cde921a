"""The tables of what helpers change and of what comes from Discord's messages.

``tables`` says what is alike in all of them.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    false,
    text,
)

from bot.store.columns import ROW_ID, few, indexes, metadata

# The states of threads that helpers changed, oldest first: see ``curation.Revision``.
revisions = Table(
    "revisions",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("thread_id", ROW_ID, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("action", String(16), nullable=False),
    Column("user_id", BigInteger, nullable=False),  # 0: nobody, or forgotten
    Column("made_at", BigInteger, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("proposed", Boolean, nullable=False, server_default=false()),
    Column("digest", String(64), nullable=False),  # of the texts, to know them again by
    Column("state", JSON, nullable=False),
    # Characters of the state as JSON, by which histories are bounded.
    Column("size", Integer, nullable=False, server_default="0"),
    Index(None, "thread_id", "id"),
    *indexes("guild_id", "user_id", "change"),
    Index(
        "ix_revisions_proposed",
        "guild_id",
        "id",
        sqlite_where=text("proposed IS 1"),
        postgresql_where=text("proposed IS true"),
    ),
    sqlite_autoincrement=True,
)

# The messages that threads' questions are, and answers.
thread_messages = Table(
    "thread_messages",
    metadata,
    Column("thread_id", ROW_ID, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("author_id", BigInteger, nullable=False),  # 0: forgotten
    Index(None, "guild_id", "message_id"),
    *indexes("author_id"),
)

answer_messages = Table(
    "answer_messages",
    metadata,
    Column("answer_id", ROW_ID, ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("author_id", BigInteger, nullable=False),  # 0: forgotten
    # When it was last looked at on Discord whether it is still there.
    Column("checked_at", BigInteger, nullable=False),
    Index(None, "guild_id", "message_id"),
    *indexes("author_id"),
)

# What members want done with their messages, in every guild: see ``curation.AuthorChoice``.
author_choices = Table(
    "author_choices",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("choice", String(16), nullable=False),
    Column("chosen_at", BigInteger, nullable=False),
)

# The channels whose solved posts become threads, and how far each is filled in from before.
followed_channels = Table(
    "followed_channels",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(100), nullable=False),
    Column("is_forum", Boolean, nullable=False),
    Column("followed_by", BigInteger, nullable=False),  # 0: forgotten
    Column("followed_at", BigInteger, nullable=False),
    Column("solved_tag", String(100)),
    Column("take_by_reactions", Boolean, nullable=False, server_default=false()),
    Column("told", BigInteger),  # the message that told the channel's members
    Column("instructs", Boolean, nullable=False, server_default=false()),
    Column("backfill_state", String(16)),  # see ``following.Backfill``; NULL: there was none
    Column("backfill_before", BigInteger),
    Column("backfill_post", BigInteger),
    Column("backfill_counts", JSON),
    Column("backfill_by", BigInteger),
    Column("backfill_shown_in", BigInteger),  # the channel and the message that show how far it is
    Column("backfill_shown", BigInteger),
    *few("backfill_state"),
)

# The posts of these channels of which something is known: see ``following.FollowedPost``.
followed_posts = Table(
    "followed_posts",
    metadata,
    Column("post_id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("asker_id", BigInteger, nullable=False),  # 0: not known, or forgotten
    Column("title", String(100), nullable=False),
    Column("state", String(16), nullable=False),
    Column("rule", SmallInteger),
    Column("solution_id", BigInteger),
    Column("proposed_id", BigInteger),
    Column("rejected", JSON, nullable=False),
    Column("thread_id", ROW_ID, ForeignKey("threads.id", ondelete="SET NULL")),
    Column("note_id", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    Index(None, "guild_id", "channel_id", "state"),
    *indexes("asker_id"),
    *few("thread_id"),
)
