"""Whatever members teach and take back, in any order: the store agrees with a plain model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED, Posting, Thread
from bot.phrasings import Standing
from bot.store import guild_data, learned, threads
from bot.store.database import Database
from bot.store.learned import NewPhrasing
from bot.store.rows import pack

HERE, THERE = 111, 222
MOVES = (
    ["teach"] * 40
    + ["confirm", "unconfirm"] * 10
    + ["keep", "remove", "refuse", "withdraw", "forget"] * 5
    + ["leave"]
)

Key = tuple[int, int, str]
"""A guild, a thread and a wording."""


def key_of(row: NewPhrasing) -> Key:
    return row.guild_id, row.thread_id, row.wording


class Model:
    """What each member taught, by wording, and which wordings a moderator kept."""

    def __init__(self) -> None:
        self.taught: dict[Key, dict[int, NewPhrasing]] = {}
        self.kept = set[Key]()

    def delete(self, doomed: Callable[[NewPhrasing], bool], *, kept_too: bool = False) -> None:
        for key, rows in list(self.taught.items()):
            if kept_too or key not in self.kept:
                self.taught[key] = {u: row for u, row in rows.items() if not doomed(row)}
            if not self.taught[key]:
                del self.taught[key]
                self.kept.discard(key)

    def teach(self, row: NewPhrasing) -> None:
        rows = self.taught.setdefault(key_of(row), {})
        known = rows.get(row.user_id, row)
        said = row if row.own_words and not known.own_words else known
        standing = max(known.standing, row.standing)
        rows[row.user_id] = replace(said, counts=known.counts or row.counts, standing=standing)
        if row.standing is Standing.KEPT:
            self.kept.add(key_of(row))

    def confirm(self, row: NewPhrasing, user: int) -> None:
        """Let a member vote for the answer from which a row was learned, if one was."""
        for rows in self.taught.values():
            for r in list(rows.values()):
                if r.own_words and (r.message_id, r.thread_id) == (row.message_id, row.thread_id):
                    said = replace(r, user_id=user, counts=True, own_words=False)
                    self.teach(replace(said, chosen=False, standing=Standing.NONE))
                    return

    def withdraw(self, message: int, confirming: int | None) -> None:
        if confirming is None:
            self.delete(lambda r: r.message_id == message and r.own_words and not r.chosen)
        else:
            self.delete(
                lambda r: (r.message_id, r.user_id, r.own_words) == (message, confirming, False)
            )
        left = [r for rows in self.taught.values() for r in rows.values()]
        if not any(r.own_words and r.message_id == message for r in left):
            self.delete(lambda r: r.message_id == message)

    def forget(self, user: int) -> None:
        rows = [r for rows in self.taught.values() for r in rows.values()]
        said = {r.message_id for r in rows if r.user_id == user and r.own_words}
        self.delete(
            lambda r: r.user_id == user or (not r.own_words and r.message_id in said),
            kept_too=True,
        )

    def refuse(self, row: NewPhrasing, wording: str | None) -> None:
        place = (row.guild_id, row.thread_id)
        wrong = {wording}
        for key, rows in self.taught.items():
            if key[:2] == place and row.message_id in {r.message_id for r in rows.values()}:
                wrong.add(key[2])
        self.delete(lambda r: key_of(r)[:2] == place and r.wording in wrong)

    def state(self, guild: int) -> set[tuple[int, str, bool, bool, tuple[int, ...]]]:
        return {
            (
                key[1],
                next(iter(rows.values())).text,
                key in self.kept
                or any(row.standing for row in rows.values())
                or sum(row.counts for row in rows.values()) >= 2,
                key in self.kept,
                tuple(rows),
            )
            for key, rows in self.taught.items()
            if key[0] == guild
        }


POSTINGS = [*product((HERE, THERE), (1, 2), ("flat bread", "hard crust"), (7, 8, 9))]
"""Of each message its guild, its thread, the question, and who asked it."""


def some_row(random: Random) -> NewPhrasing:
    message = random.randrange(len(POSTINGS))
    guild, thread, wording, user = POSTINGS[message]
    return NewPhrasing(
        guild_id=guild,
        thread_id=thread,
        text=f"{wording} {random.random()}",
        wording=wording,
        user_id=user,
        message_id=message,
        chosen=random.random() < 0.5,
        counts=random.random() < 0.7,
        standing=random.choices(list(Standing), (20, 2, 1))[0],
    )


def posting_of(row: NewPhrasing) -> Posting:
    return Posting(
        message_id=row.message_id,
        channel_id=5,
        guild_id=row.guild_id,
        thread_id=row.thread_id,
        answer_id=1,
        asker_id=row.user_id,
    )


async def judge(
    connection: AsyncConnection, model: Model, random: Random, guild: int, move: str
) -> None:
    """Let a moderator keep or remove one of the phrasings of a guild."""
    known = [key for key in model.taught if key[0] == guild]
    if not known:
        return
    key = random.choice(known)
    text = next(iter(model.taught[key].values())).text
    (number,) = [p.id for p in await learned.of_guild(connection, guild) if p.text == text]
    if move == "keep":
        assert await learned.keep(connection, guild, number) == text
        model.kept.add(key)
    else:
        assert await learned.remove(connection, guild, number) == text
        model.delete(lambda r: key_of(r) == key, kept_too=True)


async def make(connection: AsyncConnection, model: Model, random: Random) -> None:
    """Make a move, in the store and in the model."""
    move, row = random.choice(MOVES), some_row(random)
    if move == "teach":
        await learned.add(connection, row, cap=20)
        model.teach(row)
    elif move in ("keep", "remove"):
        await judge(connection, model, random, row.guild_id, move)
    elif move == "refuse":
        asked = random.choice((None, row.wording))
        await learned.take_back(connection, row.guild_id, row.thread_id, row.message_id, asked)
        model.refuse(row, asked)
    elif move == "confirm":
        voter = random.choice([user for user in (7, 8, 9) if user != row.user_id])
        await learned.confirm(connection, posting_of(row), voter, 20)
        model.confirm(row, voter)
    elif move in ("withdraw", "unconfirm"):
        confirming = None if move == "withdraw" else random.choice((7, 8, 9))
        await learned.withdraw(connection, row.message_id, confirming)
        model.withdraw(row.message_id, confirming)
    elif move == "forget":
        await learned.forget_user(connection, row.user_id)
        model.forget(row.user_id)
    else:
        while await guild_data.delete_some(connection, row.guild_id):
            pass
        model.delete(lambda r: r.guild_id == row.guild_id, kept_too=True)


@pytest.mark.parametrize("seed", range(12))
async def test_any_order_agrees_with_a_plain_model(database: Database, seed: int) -> None:
    async with database.write() as connection:
        found = [Thread(key="bread", title="Bread?"), Thread(key="cake", title="Cake?")]
        await threads.put(connection, SHARED, [*map(pack, found)])
    random, model = Random(seed), Model()
    for _ in range(150):
        async with database.write() as connection:
            await make(connection, model, random)
        async with database.read() as connection:
            for guild in (HERE, THERE):
                known = await learned.of_guild(connection, guild)
                only_kept = await learned.of_guild(connection, guild, only_kept=True)
                assert [p.confirmed for p in only_kept] == [p.kept for p in known]
                state = {(p.thread_id, p.text, p.confirmed, p.kept, p.teachers) for p in known}
                assert state == model.state(guild)
