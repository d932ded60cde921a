"""Whatever members teach and take back, in any order: the store agrees with a plain model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED, Thread
from bot.store import guild_data, learned, threads
from bot.store.database import Database
from bot.store.learned import NewPhrasing
from bot.store.rows import pack

HERE, THERE = 111, 222
MOVES = ["teach"] * 40 + ["keep", "remove", "refuse", "withdraw", "forget"] * 5 + ["leave"]

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
        rows[row.user_id] = replace(known, counts=known.counts or row.counts)

    def refuse(self, row: NewPhrasing, wording: str | None) -> None:
        place = (row.guild_id, row.thread_id)
        wrong = {wording}
        for key, rows in self.taught.items():
            if key[:2] == place and row.message_id in {r.message_id for r in rows.values()}:
                wrong.add(key[2])
        self.delete(lambda r: key_of(r)[:2] == place and r.wording in wrong)

    def state(self, guild: int) -> set[tuple[int, str, bool, tuple[int, ...]]]:
        return {
            (
                key[1],
                next(iter(rows.values())).text,
                key in self.kept or sum(row.counts for row in rows.values()) >= 2,
                tuple(rows),
            )
            for key, rows in self.taught.items()
            if key[0] == guild
        }


def some_row(random: Random) -> NewPhrasing:
    wording = random.choice(("flat bread", "hard crust", "no air"))
    return NewPhrasing(
        guild_id=random.choice((HERE, HERE, THERE)),
        thread_id=random.choice((1, 2)),
        text=f"{wording} {random.random()}",
        wording=wording,
        user_id=random.choice((7, 8, 9)),
        message_id=random.randrange(50, 60),
        chosen=random.random() < 0.5,
        counts=random.random() < 0.7,
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
    elif move == "withdraw":
        await learned.withdraw(connection, row.message_id)
        model.delete(lambda r: r.message_id == row.message_id and not r.chosen)
    elif move == "forget":
        await learned.forget_user(connection, row.user_id)
        model.delete(lambda r: r.user_id == row.user_id, kept_too=True)
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
                state = {(p.thread_id, p.text, p.confirmed, p.teachers) for p in known}
                assert state == model.state(guild)
