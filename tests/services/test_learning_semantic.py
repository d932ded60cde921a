"""Learned phrasings in semantic retrieval, in their own guild and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from bot.app import App
from bot.models import SHARED, Match, StoredAnswer, Thread, Vote
from bot.search.guild_phrasings import MAX_UNTAUGHT_CONFIDENCE, TAUGHT_CONFIDENCE
from bot.search.semantic.embedder import Vectors
from bot.search.semantic.retrieval import SemanticIndex
from bot.settings import Settings
from bot.store import learned
from tests.kit.library import BREAD, HERE, LONG_AGO, THERE, at, post
from tests.kit.votes import give_reaction

ASKER, SECOND = 77, 78
LESSON = "the spinning thing on my desk is too loud"
OTHERWISE = "how to silence a noisy fan"  # no word of the phrasing, nor of any thread
CRATES = tuple(Thread(key=f"k{n}", title=f"What is kept inside crate {n}?") for n in range(140))


@pytest.fixture
def settings(settings: Settings, usual_model: None, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("EMBEDDING_MODEL", "")
    return at(settings.data_dir, "")


@pytest.fixture(autouse=True)
async def library(app: App, bread: Sequence[StoredAnswer]) -> StoredAnswer:
    """The answer to post; there are more threads than meaning alone would propose."""
    await app.library.add(CRATES)
    await app.embedding.make()
    return bread[0]


async def teach(
    app: App, answer: StoredAnswer, guild: int = HERE, members: Sequence[int] = (ASKER, SECOND)
) -> None:
    for member in members:
        message = await post(app, answer, guild, asker=member)
        await app.learning.remember_question(
            message, guild_id=guild, user_id=member, question=LESSON, joined_at=LONG_AGO
        )
        assert await give_reaction(app.voting, message_id=message, user_id=member, value=Vote.UP)
        await app.learning.voted(message, member)


async def bread_in(app: App, guild: int = HERE, question: str = OTHERWISE) -> Match | None:
    """Return the place of BREAD among the matches, if it is among them."""
    found = (await app.answering.ask(question, guild_id=guild, limit=100)).matches
    return next((match for match in found if match.key == BREAD.key), None)


async def confidence(app: App, guild: int = HERE) -> float:
    match = await bread_in(app, guild)
    return match.confidence if match else 0.0


async def test_still_other_words_are_understood_in_this_guild_only(
    app: App, library: StoredAnswer
) -> None:
    before = {guild: await confidence(app, guild) for guild in (HERE, THERE, SHARED)}
    await teach(app, library)
    assert await confidence(app) > before[HERE] + 0.05
    for guild in (THERE, SHARED):
        assert await confidence(app, guild) == before[guild]
    best = (await app.answering.ask(OTHERWISE, guild_id=HERE)).matches[0]
    assert best.key == BREAD.key


async def test_one_members_phrasing_is_for_its_own_words(app: App, library: StoredAnswer) -> None:
    before = await confidence(app)
    await teach(app, library, members=(ASKER,))
    assert await confidence(app) == before
    reply = await app.answering.ask(LESSON, guild_id=HERE, asker=ASKER)
    assert (reply.matches[0].key, reply.confidence) == (BREAD.key, TAUGHT_CONFIDENCE)


async def test_other_words_are_never_certain_of_it(app: App, library: StoredAnswer) -> None:
    near = "the spinning thing on our desk is much too loud"
    await teach(app, library)
    reply = await app.answering.ask(near, guild_id=HERE)
    assert reply.matches[0].key == BREAD.key
    assert 0.3 < reply.confidence <= MAX_UNTAUGHT_CONFIDENCE


async def test_a_question_goes_through_the_model_once(
    app: App, library: StoredAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where what phrasings in other words brought is compared with what is without."""
    await teach(app, library)
    semantic, asked = app.engine.semantic, list[str]()
    assert semantic is not None
    begin, retrieve, ranked = semantic.begin, app.engine.retrieve, list[str]()

    def noted(text: str) -> Future[Vectors]:
        asked.append(text)
        return begin(text)

    def retrieved(question: str, *args: Any, **kwargs: Any) -> Any:
        ranked.append(question)
        return retrieve(question, *args, **kwargs)

    monkeypatch.setattr(semantic, "begin", noted)
    monkeypatch.setattr(app.engine, "retrieve", retrieved)
    await confidence(app)
    assert (len(asked), len(ranked)) == (1, 2)


async def test_a_phrasing_has_its_vector_at_once(app: App, library: StoredAnswer) -> None:
    assert app.engine.semantic is not None
    await teach(app, library)
    (phrasing,) = await app.learning.phrasings(HERE)
    assert phrasing.model == app.engine.semantic.model
    assert phrasing.vector == app.engine.semantic.pack_texts([LESSON])[0]


async def test_another_program_understands_it_too(
    app: App, second: App, library: StoredAnswer
) -> None:
    before = await confidence(second)
    await teach(app, library)
    assert await confidence(second) == await confidence(app) > before


async def test_what_was_learned_without_a_model_counts_when_there_is_one(
    app: App, library: StoredAnswer, settings: Settings
) -> None:
    plain = await App.open(at(settings.data_dir, "off"))
    await teach(plain, library)
    (phrasing,) = await plain.learning.phrasings(HERE)
    assert phrasing.vector is None
    await plain.close()
    before = await confidence(app)  # the phrasings are read now, and kept in memory
    await app.embedding.make()
    assert await confidence(app) > before + 0.05


async def test_what_is_taken_back_counts_no_more(app: App, library: StoredAnswer) -> None:
    before = await confidence(app)
    await teach(app, library)
    await app.learning.forget_user(ASKER)
    assert await confidence(app) == before


async def test_where_learning_is_switched_off_it_is_not_used(
    app: App, library: StoredAnswer
) -> None:
    before = await confidence(app)
    await teach(app, library)
    await app.guilds.update(HERE, learn_phrasings=False)
    assert await confidence(app) == before


async def test_a_vote_stands_though_the_model_fails(
    app: App,
    library: StoredAnswer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> list[bytes]:
        raise MemoryError("no room for it")

    with monkeypatch.context() as patch:
        patch.setattr(SemanticIndex, "pack_texts", broken)
        await teach(app, library)
    assert "what was learned has no vector yet" in caplog.text
    assert LESSON not in caplog.text
    (phrasing,) = await app.learning.phrasings(HERE)
    assert phrasing.vector is None
    await app.embedding.make()  # as a running bot does every few seconds
    (phrasing,) = await app.learning.phrasings(HERE)
    assert phrasing.vector is not None


async def test_the_version_tells_when_vectors_come(app: App, library: StoredAnswer) -> None:
    assert app.engine.semantic is not None
    await teach(app, library)
    async with app.database.read() as connection:
        model = app.engine.semantic.model
        assert (await learned.version(connection, HERE, model))[1:3] == (2, 2)
        assert (await learned.version(connection, HERE, "another"))[1:3] == (2, 0)
        assert (await learned.version(connection, HERE))[1:3] == (2, 0)
