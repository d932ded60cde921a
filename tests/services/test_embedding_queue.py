"""In which order vectors are made: all titles, then phrasings, then bodies, in fair turns."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count, pairwise

import numpy as np
import pytest
from sqlalchemy import func, insert, select

from bot.app import App
from bot.models import SHARED, Answer, Posting, Thread, VectorStage
from bot.search.semantic.embedder import Embedder, Vectors
from bot.services import embedding
from bot.services.queues import EmbeddingQueue, ToEmbed, Work
from bot.settings import Settings
from bot.store import vectors as vector_store
from bot.store.tables import learned_phrasings, vectors
from bot.store.tables import threads as thread_table
from bot.store.vectors import Made
from tests.kit.library import HERE, THERE, at

MANY = tuple(Thread(key=f"h{n}", title=f"here {n}") for n in range(40))
FEW = tuple(Thread(key=f"t{n}", title=f"there {n}") for n in range(3))

MESSAGES = count(1)


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


async def test_titles_come_before_phrasings_and_bodies(app: App, embedded: list[str]) -> None:
    full = [asked(replace(t, body=f"below {t.key} it"), f"{t.key} a", f"{t.key} b") for t in FEW]
    await app.library.add(full, scope=HERE)
    await app.library.add(FEW[:1], scope=THERE)
    await app.embedding.make()
    titles = [t.title for t in FEW]
    assert sorted(embedded[:4]) == sorted([*titles, "there 0"])
    assert embedded[4:10] == ["t0 a", "t0 b", "t1 a", "t1 b", "t2 a", "t2 b"]
    assert embedded[10:] == [f"{t.title}. below {t.key} it" for t in FEW]
    assert app.engine.semantic is not None
    assert len(app.engine.semantic.vector_index) == 4 + 6


async def test_new_titles_come_before_phrasings_and_bodies_of_others(
    app: App, embedded: list[str]
) -> None:
    many = [asked(replace(t, body="one two three"), "1", "2", "3", "4", "5") for t in MANY]
    await app.library.add(many, scope=HERE)
    while len(embedded) <= len(MANY):  # until some phrasings are made
        assert await app.embedding.make_some()
    await app.library.add(FEW, scope=THERE)
    assert await app.embedding.make_some()
    assert app.engine.uses_meaning(THERE)
    assert embedded[-3:] == [t.title for t in FEW]
    while not embedded[-1].endswith("one two three"):
        assert await app.embedding.make_some()
    late = replace(FEW[0], key="late", title="too late", phrasings=("belated",))
    await app.library.add([late], scope=THERE)
    for text in ("too late", "belated"):
        assert await app.embedding.make_some()
        assert embedded[-1] == text
    assert app.embedding.waiting == 0
    assert await app.embedding.unfinished(99) > 0
    await app.embedding.make()
    assert await app.embedding.unfinished(99) == 0
    assert len(embedded) == len(set(embedded) - {*"12345"}) + 5 * len(MANY)


def library(count: int, seed: int) -> list[Thread]:
    """Threads with titles, phrasings, bodies, scores and dates of all kinds."""
    rng = random.Random(seed)
    return [
        Thread(
            key=f"{seed}-{n}",
            title=f"{seed}-{n}",
            body=rng.choice(["", "short", f"this is below {n}"]),
            score=rng.randint(-3, 3),
            asked_at=rng.choice([None, datetime(2000 + rng.randrange(9), 1, 1, tzinfo=UTC)]),
            phrasings=tuple(f"{seed}-{n} {i}" for i in range(rng.choice([0, 0, 1, 3]))),
            answers=(Answer(body="No."),),
        )
        for n in range(count)
    ]


def asks_of(thread: Thread) -> int:
    """How often the tests have a thread asked."""
    return max(0, int(thread.key.split("-")[1]) % 9 - 5)


async def ask_all(app: App, those: Sequence[Thread], scope: int) -> None:
    """Post each thread's answer as often as it is asked."""
    for thread in those:
        found = await app.answering.find(thread.key, guild_id=scope)
        assert found is not None
        for _ in range(asks_of(thread)):
            await app.postings.record(
                Posting(
                    message_id=next(MESSAGES), channel_id=5, guild_id=scope, thread_id=found.id,
                    answer_id=found.answers[0].id, asker_id=1,
                )
            )  # fmt: skip


def in_order(those: Sequence[Thread]) -> list[Thread]:
    """Threads of one server: the most asked first, then the best scored, then the newest."""
    return sorted(
        those,
        key=lambda t: (-asks_of(t), -t.score, -(t.asked_at.timestamp() if t.asked_at else 0)),
    )


async def test_a_library_is_made_in_stages_and_order_while_servers_take_turns(
    app: App, embedded: list[str]
) -> None:
    here, there = library(200, HERE), library(100, THERE)
    for scope, those in ((HERE, here), (THERE, there)):
        await app.library.add(those, scope=scope)
        await ask_all(app, those, scope)
    await app.embedding.make()

    here, there = in_order(here), in_order(there)
    turns = [t for pair in zip(here, there, strict=False) for t in pair] + here[100:]
    titles, rest = embedded[:300], embedded[300:]
    assert titles == [t.title for t in turns]

    both = [[t for t in those if t.phrasings] for those in (here, there)]
    said = {text for those in both for t in those for text in t.phrasings}
    phrasings, bodies = rest[: len(said)], rest[len(said) :]
    assert {*phrasings} == said
    assert {*bodies} == {f"{t.title}. {t.body}" for t in turns if t.body.startswith("this")}
    for texts in (phrasings, bodies):
        order = [t.partition(" ")[0].partition(".")[0] for t in texts]
        for those in (here, there):
            own = [key for key in dict.fromkeys(order) if key.startswith(those[0].key[:3])]
            assert own == [t.key for t in those if t.key in own]
        # As long as both have some, it is the other's turn after each thread.
        first = [key[:3] for key in dict.fromkeys(order)]
        few = min(first.count(str(scope)) for scope in (HERE, THERE))
        assert all(a != b for a, b in pairwise(first[: 2 * few]))


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
        assert again.engine.semantic is not None
        assert len(again.engine.semantic.vector_index) == 2 + 2
    finally:
        await again.close()


async def test_bodies_that_were_left_are_made_after_a_restart(
    app: App, settings: Settings, embedded: list[str]
) -> None:
    those = [replace(t, body=f"what is below {t.key}") for t in (*FEW, *MANY)]
    await app.library.add(those)
    while len(embedded) <= len(those):
        assert await app.embedding.make_some()
    begun, before = len(embedded), set(embedded)
    await app.close()
    again = await App.open(at(settings.data_dir, ""))
    try:
        assert await again.embedding.unfinished(99) == 2 * len(those) - begun
        await again.embedding.make()
        assert not before & {*embedded[begun:]}
        assert len(embedded) == 2 * len(those)
        assert await again.embedding.unfinished(99) == 0
    finally:
        await again.close()


async def test_a_thread_whose_text_changes_begins_anew(app: App, embedded: list[str]) -> None:
    those = [replace(t, body=f"what is below {t.key}") for t in FEW]
    await app.library.add(those)
    assert await app.embedding.make_some()  # the titles
    changed = replace(those[1], title="another", phrasings=("in other words",))
    await app.library.add([changed])
    assert app.embedding.waiting == 1
    await app.embedding.make()
    assert embedded[3:5] == ["another", "in other words"]
    assert sorted(embedded[5:]) == [
        "another. what is below t1", *(f"{t.title}. {t.body}" for t in those[::2])
    ]  # fmt: skip
    await app.library.add([replace(changed, body="something else is below")])
    await app.embedding.make()
    assert embedded[8:] == ["another", "in other words", "another. something else is below"]


async def test_two_programs_make_each_stage_once(
    app: App, settings: Settings, embedded: list[str]
) -> None:
    those = [asked(replace(t, body=f"what is below {t.key}"), f"{t.key} said") for t in MANY]
    await app.library.add(those)
    second = await App.open(at(settings.data_dir, ""))
    try:
        while await app.embedding.make_some():
            await second.embedding.make_some()
        await second.embedding.make()
        assert len(embedded) == len(set(embedded)) == 3 * len(MANY)
        for one in (app, second):
            await one.embedding.catch_up()
            assert one.engine.semantic is not None
            assert len(one.engine.semantic.vector_index) == 2 * len(MANY)
            assert await one.embedding.unfinished(99) == 0
    finally:
        await second.close()


async def test_titles_alone_can_be_asked_for(app: App, embedded: list[str]) -> None:
    those = [asked(replace(t, body="what is below it"), "said") for t in MANY[:10]]
    await app.library.add([*those, *FEW])
    told: list[int] = []
    await app.embedding.make(told.append, VectorStage.TITLE)
    assert sum(told) == len(embedded) == 13
    assert (app.embedding.waiting, await app.embedding.unfinished(99)) == (0, 10)
    await app.embedding.make(told.append)
    assert sum(told) == 13 + 10
    assert await app.embedding.unfinished(99) == 0


async def test_vectors_of_an_older_text_do_not_replace_newer_ones(app: App) -> None:
    await app.library.add(FEW[:1], scope=HERE)
    await app.library.add([replace(FEW[0], title="another title")], scope=HERE)
    await app.embedding.make()
    async with app.database.write() as connection:
        row = (await connection.execute(select(vectors))).one()
        late = {row.thread_id: Made(row.text_version - 1, VectorStage.BODY, b"late")}
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
    queue, title, said = EmbeddingQueue(), VectorStage.TITLE, VectorStage.PHRASINGS
    a, b, c, d = (ToEmbed(n, n) for n in range(4))
    for scope, wanted in ((HERE, c), (HERE, a), (THERE, d), (HERE, b)):
        queue.add(title, scope, wanted)
    queue.add(said, HERE, ToEmbed(0, 9, 4))
    taken = queue.take(3)
    assert taken == Work(title, [(HERE, a), (THERE, d), (HERE, b)])
    queue.put_back(taken)
    assert queue.take(3) == taken
    assert queue.take(9) == Work(title, [(HERE, c)])
    assert queue.take(9, title) is None
    assert queue.take(9) == Work(said, [(HERE, ToEmbed(0, 9, 4))])
    assert queue.take(9) is None


def test_of_phrasings_and_bodies_fewer_threads_are_taken_at_a_time() -> None:
    queue = EmbeddingQueue()
    for n in range(40):
        queue.add(VectorStage.PHRASINGS, HERE, ToEmbed(n, n, phrasings=3))
        queue.add(VectorStage.BODY, HERE, ToEmbed(n, n))
    sizes = [len(work.threads) for work in iter(lambda: queue.take(30), None)]
    assert sizes == [10] * 4 + [8] * 5
