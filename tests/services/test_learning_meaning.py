"""What members taught counts by its meaning too, in their guild and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from bot.models import SHARED, Match, StoredAnswer, Thread, Vote
from bot.search.meaning.eye import Meaning
from bot.services.house import House
from bot.settings import Settings
from bot.store import learned

from .conftest import BREAD, HERE, THERE, at, post

ASKER = 77
LESSON = "the spinning thing on my desk is too loud"
OTHERWISE = "how to silence a noisy fan"  # no word of the lesson, nor of any thread
CRATES = tuple(Thread(key=f"k{n}", title=f"What is kept inside crate {n}?") for n in range(140))


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("EMBEDDING_MODEL", "")
    return at(settings.data_dir, "")


@pytest.fixture(autouse=True)
async def library(house: House, bread: Sequence[StoredAnswer]) -> StoredAnswer:
    """The answer to post; there are more threads than meaning alone would propose."""
    await house.library.add(CRATES)
    await house.embedding.make()
    return bread[0]


@pytest.fixture
async def second(house: House) -> AsyncIterator[House]:
    """Another program with the same library open."""
    opened = await House.open(house.settings)
    yield opened
    await opened.close()


async def teach(house: House, answer: StoredAnswer, guild: int = HERE) -> None:
    message = await post(house, answer, guild)
    await house.learning.heard(message, guild_id=guild, user_id=ASKER, question=LESSON)
    assert await house.voting.react(message_id=message, user_id=ASKER, value=Vote.UP)
    await house.learning.voted(message, ASKER)


async def bread_in(house: House, guild: int = HERE, question: str = OTHERWISE) -> Match | None:
    """Where BREAD stands for a question, if it was found at all."""
    found = (await house.answering.ask(question, guild_id=guild, limit=100)).matches
    return next((match for match in found if match.key == BREAD.key), None)


async def confidence(house: House, guild: int = HERE) -> float:
    match = await bread_in(house, guild)
    return match.confidence if match else 0.0


async def test_still_other_words_are_understood_in_this_guild_only(
    house: House, library: StoredAnswer
) -> None:
    before = {guild: await confidence(house, guild) for guild in (HERE, THERE, SHARED)}
    await teach(house, library)
    assert await confidence(house) > before[HERE] + 0.05
    for guild in (THERE, SHARED):
        assert await confidence(house, guild) == before[guild]
    best = (await house.answering.ask(OTHERWISE, guild_id=HERE)).matches[0]
    assert best.key == BREAD.key


async def test_a_lesson_has_its_vector_at_once(house: House, library: StoredAnswer) -> None:
    assert house.engine.meaning is not None
    await teach(house, library)
    (phrasing,) = await house.learning.phrasings(HERE)
    assert phrasing.model == house.engine.meaning.model
    assert phrasing.vector == house.engine.meaning.pack_texts([LESSON])[0]


async def test_another_program_understands_it_too(
    house: House, second: House, library: StoredAnswer
) -> None:
    before = await confidence(second)
    await teach(house, library)
    assert await confidence(second) == await confidence(house) > before


async def test_what_was_learned_without_a_model_counts_when_there_is_one(
    house: House, library: StoredAnswer, settings: Settings
) -> None:
    plain = await House.open(at(settings.data_dir, "off"))
    await teach(plain, library)
    (phrasing,) = await plain.learning.phrasings(HERE)
    assert phrasing.vector is None
    await plain.close()
    before = await confidence(house)  # the phrasings are read now, and kept in memory
    await house.embedding.make()
    assert await confidence(house) > before + 0.05


async def test_what_is_taken_back_counts_no_more(house: House, library: StoredAnswer) -> None:
    before = await confidence(house)
    await teach(house, library)
    await house.learning.forget_user(ASKER)
    assert await confidence(house) == before


async def test_where_learning_is_switched_off_it_is_not_used(
    house: House, library: StoredAnswer
) -> None:
    before = await confidence(house)
    await teach(house, library)
    await house.guilds.update(HERE, learn_phrasings=False)
    assert await confidence(house) == before


async def test_a_vote_stands_though_the_model_fails(
    house: House,
    library: StoredAnswer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> list[bytes]:
        raise MemoryError("no room for it")

    with monkeypatch.context() as patch:
        patch.setattr(Meaning, "pack_texts", broken)
        await teach(house, library)
    assert "what was learned has no vector yet" in caplog.text
    assert LESSON not in caplog.text
    (phrasing,) = await house.learning.phrasings(HERE)
    assert phrasing.vector is None
    await house.embedding.make()  # as a running bot does every few seconds
    (phrasing,) = await house.learning.phrasings(HERE)
    assert phrasing.vector is not None


async def test_the_version_tells_when_vectors_come(house: House, library: StoredAnswer) -> None:
    assert house.engine.meaning is not None
    await teach(house, library)
    async with house.database.read() as connection:
        model = house.engine.meaning.model
        assert (await learned.version(connection, HERE, model))[1:] == (1, 1)
        assert (await learned.version(connection, HERE, "another"))[1:] == (1, 0)
        assert (await learned.version(connection, HERE))[1:] == (1, 0)
