"""Vectors in the store: of one model, of the present text, and told by the feed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import delete, update

from bot.models import SHARED, Answer, Posting, Thread, VectorStage
from bot.store import change_feed, learned, postings, threads, vectors
from bot.store.database import Database
from bot.store.learned import NewPhrasing
from bot.store.rows import pack
from bot.store.tables import threads as thread_table
from bot.store.vectors import Made, Pending, Vector

HERE = 111
BREAD = Thread(key="bread", title="Why does my bread not rise?")
CAKE = Thread(key="cake", title="Why is my cake dry?")

OURS, OTHERS = "ours@1", "others@1"


async def add(database: Database, *batch: Thread, scope: int = SHARED) -> None:
    async with database.write() as connection:
        await threads.put(connection, scope, [*map(pack, batch)])


async def put(
    database: Database,
    thread_id: int,
    data: bytes,
    text_version: int = 1,
    stage: VectorStage = VectorStage.BODY,
) -> None:
    async with database.write() as connection:
        await vectors.put(connection, OURS, {thread_id: Made(text_version, stage, data)})


async def found(database: Database, model: str = OURS) -> dict[int, Vector]:
    async with database.read() as connection:
        return await vectors.of_threads(connection, [1, 2, 3], model)


async def without_vectors(database: Database, model: str = OURS) -> list[tuple[str, int]]:
    """Keys and text versions of the threads that have none."""
    async with database.read() as connection:
        pending = await vectors.pending(connection, [1, 2, 3], model)
        made = await vectors.made(connection, [1, 2, 3], model)
        found = await threads.fetch(connection, [1, 2, 3], None)
    without = {i for i, this in made.items() if this == Made(this.text_version)}
    assert without == {this.thread_id for this in pending if this.made == 0}
    return sorted((found[i].key, made[i].text_version) for i in without)


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
    await put(database, 1, b"new", text_version=2)
    assert await found(database) == {1: Vector(1, SHARED, b"new")}


async def test_a_thread_has_one_vector_whoever_made_it(database: Database) -> None:
    await add(database, BREAD)
    await put(database, 1, b"one")
    async with database.write() as connection:
        await vectors.put(connection, OTHERS, {1: Made(1, VectorStage.BODY, b"theirs")})
    assert await found(database) == {}
    assert await found(database, OTHERS) == {1: Vector(1, SHARED, b"theirs")}


async def test_a_thread_that_is_gone_is_passed_over(database: Database) -> None:
    await add(database, BREAD, CAKE)
    async with database.write() as connection:
        await connection.execute(delete(thread_table).where(thread_table.c.id == 1))
        one, two = (Made(1, VectorStage.BODY, data) for data in (b"one", b"two"))
        await vectors.put(connection, OURS, {1: one, 2: two})
        await vectors.put(connection, OURS, {1: one})
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


async def stages(database: Database) -> dict[int, int]:
    """The stages that threads have, of those of which some is missing."""
    async with database.read() as connection:
        pending = await vectors.pending(connection, [1, 2, 3], OURS)
        count = await vectors.unfinished(connection, OURS, 10)
        assert count == len(pending)
        assert await vectors.unfinished(connection, OURS, 1) == min(1, count)
    return {this.thread_id: this.made for this in pending}


async def test_a_thread_is_pending_until_it_has_the_last_stage(database: Database) -> None:
    await add(database, BREAD, CAKE)
    assert await stages(database) == {1: 0, 2: 0}
    for stage in (VectorStage.TITLE, VectorStage.PHRASINGS):
        await put(database, 1, b"%d" % stage, stage=stage)
        assert await stages(database) == {1: stage, 2: 0}
        assert (await found(database))[1].data == b"%d" % stage
    await put(database, 1, b"3")
    assert await stages(database) == {2: 0}
    await add(database, replace(BREAD, title="Why no crust?"))
    assert await stages(database) == {1: 0, 2: 0}


async def test_an_earlier_stage_does_not_replace_a_later_one(database: Database) -> None:
    await add(database, BREAD)
    await put(database, 1, b"later", stage=VectorStage.PHRASINGS)
    for stage in (VectorStage.TITLE, VectorStage.PHRASINGS):
        await put(database, 1, b"late", stage=stage)
        assert (await found(database))[1].data == b"later"


async def test_a_retired_thread_is_not_pending(database: Database) -> None:
    await add(database, BREAD, CAKE)
    async with database.write() as connection:
        await connection.execute(
            update(thread_table).where(thread_table.c.id == 1).values(retired_at=1)
        )
    assert await stages(database) == {2: 0}


async def test_what_is_pending_tells_how_much_it_is_asked(database: Database) -> None:
    asked = replace(
        BREAD,
        score=7,
        asked_at=datetime(1970, 1, 2, tzinfo=UTC),
        phrasings=("a", "b"),
        answers=(Answer(body="Wait."),),
    )
    await add(database, asked, CAKE, scope=HERE)
    async with database.write() as connection:
        for n in range(3):
            await postings.put(
                connection,
                Posting(
                    message_id=n + 1, channel_id=5, guild_id=HERE, thread_id=1, answer_id=1,
                    asker_id=9,
                ),
            )  # fmt: skip
        pending = await vectors.pending(connection, [1, 2], OURS)
    assert pending == [
        Pending(1, HERE, 0, asks=3, score=7, asked_at=86_400_000_000, phrasings=2),
        Pending(2, HERE, 0, asks=0, score=0, asked_at=0, phrasings=0),
    ]


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
