"""Vectors in the store: of one model, of the present text, and told by the feed."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import delete

from bot.models import SHARED, Thread
from bot.store import change_feed, learned, threads, vectors
from bot.store.database import Database
from bot.store.learned import NewPhrasing
from bot.store.rows import pack
from bot.store.tables import threads as thread_table
from bot.store.vectors import Vector

HERE = 111
BREAD = Thread(key="bread", title="Why does my bread not rise?")
CAKE = Thread(key="cake", title="Why is my cake dry?")

OURS, OTHERS = "ours@1", "others@1"


async def add(database: Database, *batch: Thread, scope: int = SHARED) -> None:
    async with database.write() as connection:
        await threads.put(connection, scope, [*map(pack, batch)])


async def put(database: Database, thread_id: int, data: bytes, revision: int = 1) -> None:
    async with database.write() as connection:
        await vectors.put(connection, OURS, {thread_id: (revision, data)})


async def found(database: Database, model: str = OURS) -> dict[int, Vector]:
    async with database.read() as connection:
        return await vectors.of_threads(connection, [1, 2, 3], model)


async def without_vectors(database: Database, model: str = OURS) -> list[tuple[str, int]]:
    async with database.read() as connection:
        those = await vectors.without_vectors(connection, [1, 2, 3], model)
    return sorted((thread.key, revision) for thread, revision in those)


async def test_what_was_put_is_found_with_its_scope(database: Database) -> None:
    await add(database, BREAD)
    await add(database, CAKE, scope=HERE)
    await put(database, 1, b"one")
    await put(database, 2, b"two")
    assert await found(database) == {1: Vector(1, SHARED, b"one"), 2: Vector(2, HERE, b"two")}


async def test_another_models_are_as_if_there_were_none(database: Database) -> None:
    await add(database, BREAD, CAKE)
    await put(database, 1, b"one")
    assert await found(database, OTHERS) == {}
    assert await without_vectors(database, OTHERS) == [("bread", 1), ("cake", 1)]
    assert await without_vectors(database) == [("cake", 1)]


async def test_those_of_an_older_text_are_as_if_there_were_none(database: Database) -> None:
    await add(database, BREAD)
    await put(database, 1, b"one")
    await add(database, replace(BREAD, title="Why no crust?"))
    assert await found(database) == {}
    assert await without_vectors(database) == [("bread", 2)]
    await put(database, 1, b"late")  # made of the text before
    assert await found(database) == {}
    assert await without_vectors(database) == [("bread", 2)]
    await put(database, 1, b"new", revision=2)
    assert await found(database) == {1: Vector(1, SHARED, b"new")}


async def test_a_thread_has_one_vector_whoever_made_it(database: Database) -> None:
    await add(database, BREAD)
    await put(database, 1, b"one")
    async with database.write() as connection:
        await vectors.put(connection, OTHERS, {1: (1, b"theirs")})
    assert await found(database) == {}
    assert await found(database, OTHERS) == {1: Vector(1, SHARED, b"theirs")}


async def test_a_thread_that_is_gone_is_passed_over(database: Database) -> None:
    await add(database, BREAD, CAKE)
    async with database.write() as connection:
        await connection.execute(delete(thread_table).where(thread_table.c.id == 1))
        await vectors.put(connection, OURS, {1: (1, b"one"), 2: (1, b"two")})
        await vectors.put(connection, OURS, {1: (1, b"one")})
    assert (await found(database)).keys() == {2}


async def test_a_deleted_thread_takes_its_vector_along(database: Database) -> None:
    await add(database, BREAD)
    await put(database, 1, b"one")
    async with database.write() as connection:
        await connection.execute(delete(thread_table))
    async with database.read() as connection:
        rows = await connection.exec_driver_sql("SELECT count(*) FROM vectors")
        assert rows.scalar() == 0


async def test_the_feed_tells_vectors_from_texts(database: Database) -> None:
    async def look(after: int, *, text: bool) -> tuple[int, list[int]]:
        async with database.read() as connection:
            seq, changed = await change_feed.changed_after(connection, after, 100, text=text)
            return seq, [*changed]

    async def last(*, text: bool) -> int:
        async with database.read() as connection:
            return await change_feed.last_change(connection, text=text)

    assert await last(text=True) == await last(text=False) == 0
    await add(database, BREAD, CAKE)
    await put(database, 1, b"one")
    assert await look(0, text=False) == (3, [1, 2])
    assert await look(2, text=False) == (3, [1])
    assert await look(2, text=True) == (3, [])
    assert (await last(text=True), await last(text=False)) == (2, 3)


async def test_how_far_the_making_has_come_is_known_for_one_model(database: Database) -> None:
    async def done(model: str) -> int:
        async with database.read() as connection:
            return await vectors.done(connection, model)

    assert await done(OURS) == 0
    for model, seq in ((OURS, 7), (OURS, 9)):
        async with database.write() as connection:
            await vectors.set_done(connection, model, seq)
    assert (await done(OURS), await done(OTHERS)) == (9, 0)
    async with database.write() as connection:
        await vectors.set_done(connection, OTHERS, 1)
    assert (await done(OURS), await done(OTHERS)) == (0, 1)


async def test_learned_phrasings_wait_for_their_vector(database: Database) -> None:
    await add(database, BREAD)
    lesson = NewPhrasing(
        guild_id=HERE,
        thread_id=1,
        text="like a brick",
        wording="like a brick",
        user_id=7,
        message_id=50,
        chosen=False,
    )
    async with database.write() as connection:
        number = await learned.add(connection, lesson, 20)
        assert number is not None
        assert await vectors.learned_without_vector(connection, OURS, 10) == [
            (number, "like a brick")
        ]
        await vectors.put_learned(connection, OURS, {number: b"row"})
        assert await vectors.learned_without_vector(connection, OURS, 10) == []
        assert await vectors.learned_without_vector(connection, OTHERS, 10) == [
            (number, "like a brick")
        ]
        await vectors.put_learned(connection, OURS, {number + 1: b"of one that is gone"})
