"""Identical answers of threads with the same answers: whichever is shown, votes order them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from bot.app import App
from bot.models import SHARED, Answer, StoredThread, Thread, Vote
from bot.search.index import IndexDamaged
from tests.kit.library import HERE, THERE
from tests.kit.votes import press_button

pytestmark = pytest.mark.both_databases

TEXTS = ("Feed the starter.", "Warm the kitchen.", "Knead it longer.")


def thread(key: str, texts: Sequence[str], score: int = 0) -> Thread:
    answers = tuple(Answer(body=text, score=score) for text in texts)
    return Thread(key=key, title=f"Why is the bread {key} flat?", answers=answers)


async def served(app: App, number: int, guild: int = HERE) -> StoredThread:
    found = await app.answering.serve(number, guild_id=guild)
    assert found is not None
    return found


async def texts(app: App, number: int, guild: int = HERE) -> list[str]:
    return [" ".join(a.body.split()).lower() for a in (await served(app, number, guild)).answers]


async def vote(
    app: App, number: int, text: str, user: int, value: Vote = Vote.UP, guild: int = HERE
) -> None:
    answers = (await served(app, number, guild)).answers
    answer_id = next(a.id for a in answers if a.body == text)
    await press_button(app.voting, answer_id=answer_id, guild_id=guild, user_id=user, value=value)


@pytest.mark.parametrize("seed", range(8))
async def test_they_come_in_the_order_of_all_their_votes(app: App, seed: int) -> None:
    rng = random.Random(seed)
    group = [thread(f"loaf {n}", rng.sample(TEXTS, 3)) for n in range(rng.randint(2, 5))]
    await app.library.add(group)
    own = [thread("own", TEXTS)] if seed % 2 else []
    await app.library.add(own, scope=HERE)
    numbers = range(1, len(group) + len(own) + 1)
    given, of_each = Counter[str](), Counter[tuple[int, str]]()
    for user in range(rng.randint(1, 25)):
        number, text = rng.choice(numbers), rng.choice(TEXTS)
        value = rng.choices([Vote.UP, Vote.DOWN], [3, 1])[0]
        await vote(app, number, text, user, value)
        given[text] += value
        of_each[number, text] += value
    for number in numbers:
        answers = (await served(app, number)).answers
        assert {a.body: a.tally for a in answers} == {t: of_each[number, t] for t in TEXTS}
        sums = [given[a.body] for a in answers]
        assert sums == sorted(sums, reverse=True)


async def test_the_sources_scores_stay_each_answers_own(app: App) -> None:
    await app.library.add([thread("one", TEXTS[:2]), thread("two", TEXTS[1::-1], score=9)])
    await vote(app, 2, TEXTS[1], user=7)
    assert await texts(app, 1) == [TEXTS[1].lower(), TEXTS[0].lower()]


async def test_spaces_and_case_make_no_other_text(app: App) -> None:
    shouted = [f"  {text.upper()}\n" for text in TEXTS[:2]]
    await app.library.add([thread("one", TEXTS[:2]), thread("two", shouted)])
    await vote(app, 2, (await served(app, 2)).answers[1].body, user=7)
    assert (await texts(app, 1))[0] == TEXTS[1].lower()


async def test_votes_count_where_they_were_given(app: App) -> None:
    await app.library.add([thread("one", TEXTS[:2]), thread("two", TEXTS[:2])])
    await vote(app, 2, TEXTS[1], user=7)
    for guild in (SHARED, THERE):
        assert (await texts(app, 1, guild))[0] == TEXTS[0].lower()


async def test_a_guilds_own_thread_is_nobody_elses(app: App) -> None:
    await app.library.add([thread("one", TEXTS[:2])])
    await app.library.add([thread("theirs", TEXTS[:2])], scope=THERE)
    await vote(app, 2, TEXTS[1], user=7, guild=THERE)
    assert (await texts(app, 1, THERE))[0] == TEXTS[1].lower()
    assert (await texts(app, 1, HERE))[0] == TEXTS[0].lower()


async def test_threads_with_other_answers_too_are_no_group(app: App) -> None:
    await app.library.add([thread("one", TEXTS[:2]), thread("two", TEXTS)])
    await vote(app, 2, TEXTS[1], user=7)
    assert (await texts(app, 1))[0] == TEXTS[0].lower()


async def test_while_the_index_is_mended_each_has_its_own(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    await app.library.add([thread("one", TEXTS[:2]), thread("two", TEXTS[:2])])
    await vote(app, 2, TEXTS[1], user=7)

    def damaged(*_: object) -> list[int]:
        raise IndexDamaged(SHARED, app.settings.data_dir, "a file was cut short")

    monkeypatch.setattr(app.engine, "same_answers", damaged)
    assert (await texts(app, 1))[0] == TEXTS[0].lower()
    assert (await texts(app, 2))[0] == TEXTS[1].lower()
