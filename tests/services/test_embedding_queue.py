"""In which order vectors are made: scopes take turns, threads before phrasings in each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import func, insert, select

from bot.app import App
from bot.models import SHARED, Thread
from bot.search.semantic.embedder import Embedder, Vectors
from bot.services import embedding
from bot.services.queues import EmbeddingQueue
from bot.settings import Settings
from bot.store import vectors as vector_store
from bot.store.tables import learned_phrasings, vectors
from bot.store.tables import threads as thread_table
from tests.kit.library import HERE, THERE, at

MANY = tuple(Thread(key=f"h{n}", title=f"here {n}") for n in range(40))
FEW = tuple(Thread(key=f"t{n}", title=f"there {n}") for n in range(3))


def asked(thread: Thread, *texts: str) -> Thread:
    return replace(thread, phrasings=texts)


@pytest.fixture
def embedded(usual_model: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts whose vectors are made, in order; the model itself has a rest."""
    texts: list[str] = []

    def made(self: Embedder, those: Sequence[str]) -> Vectors:
        texts.extend(those)
        found: Vectors = np.ones((len(those), self.dimensions), np.float32)
        found /= np.sqrt(np.float32(self.dimensions))
        return found

    monkeypatch.setattr(Embedder, "texts", made)
    monkeypatch.setattr(embedding, "EMBEDDED_AT_ONCE", 8)
    monkeypatch.setenv("EMBEDDING_MODEL", "")
    return texts


@pytest.fixture
async def app(settings: Settings, embedded: list[str]) -> AsyncIterator[App]:
    opened = await App.open(at(settings.data_dir, ""))
    yield opened
    await opened.close()


async def of_scope(app: App, scope: int) -> int:
    """Count the threads of a scope that have vectors."""
    async with app.database.read() as connection:
        query = select(func.count()).select_from(vectors.join(thread_table))
        return await connection.scalar(query.where(thread_table.c.scope == scope)) or 0


async def test_a_small_server_is_not_kept_waiting_by_a_large_one(app: App) -> None:
    await app.library.add(MANY, scope=HERE)
    await app.library.add(FEW, scope=THERE)
    assert await app.embedding.make_some()
    assert await of_scope(app, THERE) == 3
    assert await of_scope(app, HERE) == 5
    assert app.engine.uses_meaning(THERE)
    assert not app.engine.uses_meaning(HERE)
    await app.embedding.make()
    assert app.engine.uses_meaning(HERE)
    assert app.embedding.waiting == 0


async def test_who_comes_while_another_is_at_it_is_next(app: App) -> None:
    await app.library.add(MANY, scope=HERE)
    assert await app.embedding.make_some()
    await app.library.add(FEW, scope=THERE)
    assert await app.embedding.make_some()
    assert app.engine.uses_meaning(THERE)
    assert await of_scope(app, HERE) == 8 + 5


async def test_the_shared_library_has_its_turn(app: App) -> None:
    await app.library.add(MANY, scope=HERE)
    await app.library.add(FEW, scope=SHARED)
    assert await app.embedding.make_some()
    assert await of_scope(app, SHARED) == 3


async def test_threads_come_before_phrasings(app: App, embedded: list[str]) -> None:
    await app.library.add([asked(t, f"{t.key} a", f"{t.key} b") for t in FEW], scope=HERE)
    await app.library.add(FEW[:1], scope=THERE)
    await app.embedding.make()
    titles = [t.title for t in FEW]
    assert sorted(embedded[:4]) == sorted([*titles, "there 0"])
    assert embedded[4:] == ["t0 a", "t0 b", "t1 a", "t1 b", "t2 a", "t2 b"]
    assert app.engine.meaning is not None
    assert len(app.engine.meaning.vector_index) == 4 + 6


async def test_phrasings_of_one_server_take_turns_with_threads_of_another(
    app: App, embedded: list[str]
) -> None:
    many = [asked(t, *(f"{t.key} {n}" for n in range(6))) for t in FEW]
    await app.library.add(many, scope=HERE)
    assert await app.embedding.make_some()
    assert await app.embedding.make_some()  # which makes some of the phrasings
    await app.library.add(MANY[:5], scope=THERE)
    assert await app.embedding.make_some()
    assert await of_scope(app, THERE) > 0
    await app.embedding.make()
    assert await of_scope(app, THERE) == 5


async def test_phrasings_that_were_left_are_made_after_a_restart(
    app: App, settings: Settings, embedded: list[str]
) -> None:
    await app.library.add([asked(FEW[0], "one", "two"), FEW[1]], scope=HERE)
    assert await app.embedding.make_some()
    await app.close()
    assert sorted(embedded) == ["there 0", "there 1"]
    again = await App.open(at(settings.data_dir, ""))
    try:
        await again.embedding.make()
        await again.embedding.make()
        assert embedded[2:] == ["one", "two"]
        assert again.engine.meaning is not None
        assert len(again.engine.meaning.vector_index) == 2 + 2
    finally:
        await again.close()


async def test_vectors_of_an_older_text_do_not_replace_newer_ones(app: App) -> None:
    await app.library.add(FEW[:1], scope=HERE)
    await app.library.add([replace(FEW[0], title="another title")], scope=HERE)
    await app.embedding.make()
    async with app.database.write() as connection:
        row = (await connection.execute(select(vectors))).one()
        late = {row.thread_id: (row.revision - 1, b"late")}
        await vector_store.put(connection, row.model, late)
        assert (await connection.execute(select(vectors))).one() == row


async def test_what_guilds_taught_takes_turns_as_well(app: App) -> None:
    await app.library.add(FEW)
    async with app.database.write() as connection:
        for n in range(12):
            guild = HERE if n < 10 else THERE
            values = {
                "guild_id": guild, "thread_id": 1, "text": f"{guild} {n}", "wording": str(n),
                "user_id": 1, "message_id": n, "chosen": True, "learned_at": 0,
            }  # fmt: skip
            await connection.execute(insert(learned_phrasings).values(values))
        found = await vector_store.learned_without_vector(connection, "any", 4)
    assert [text for _, text in found] == [f"{HERE} 0", f"{THERE} 10", f"{HERE} 1", f"{THERE} 11"]


def test_what_is_put_back_comes_first() -> None:
    queue = EmbeddingQueue()
    queue.add(HERE, 9, 4)
    for thread_id in (1, 2, 3):
        queue.add(HERE, thread_id)
    queue.add(THERE, 4)
    taken = queue.take(3)
    assert taken == [(HERE, 1, 0), (THERE, 4, 0), (HERE, 2, 0)]
    queue.put_back(taken)
    assert queue.take(3) == taken
    assert queue.take(9) == [(HERE, 3, 0), (HERE, 9, 4)]
    assert not queue
    assert not queue.take(9)
