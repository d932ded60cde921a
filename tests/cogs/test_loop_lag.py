"""Whatever members do, the event loop goes on: measured beside an idle one."""

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path

import pytest

from bot.app import App
from bot.models import SHARED, Answer, StoredAnswer, StoredThread, Thread
from bot.ui import card_content, cards, items, limits, text
from tests.kit.loop_lag import PAUSE, ROOM, beyond, measured_lag
from tests.kit.messages import shown
from tests.kit.world import World

pytestmark = pytest.mark.untraced  # coverage would slow down what is measured

HOSTILE = ("[a\\" * 70_000)[: limits.READABLE]


def test_the_lag_is_what_the_idle_loop_does_not_have_as_well() -> None:
    assert beyond([(1.0, 1.0 + PAUSE), (2.0, 4.0)], []) == 2.0
    assert beyond([(2.0, 4.0)], [(1.9, 3.4), (3.5, 3.6), (8.0, 9.9)]) == pytest.approx(0.5)
    assert beyond([(2.0, 2.0 + PAUSE)], [(0.0, 9.0)]) == 0.0


async def test_a_held_loop_is_seen() -> None:
    async with measured_lag() as lag:
        time.sleep(1.5)
    assert lag.seconds > 0.5, lag
    async with measured_lag() as lag:
        await asyncio.sleep(0.3)
    assert lag.seconds < ROOM, lag


async def test_a_press_of_other_answers_on_hostile_texts(world: World) -> None:
    """Each bracket of these once had the next 2,000 characters read again, for 20 s."""
    answers = [Answer(body=HOSTILE + str(n), score=9 - n) for n in range(3)]
    hostile = Thread(
        key="hostile", title="How do I escape the brackets?", body=HOSTILE, answers=(*answers,)
    )
    await world.app.library.add([hostile])
    async with measured_lag() as lag:
        await world.alice.send(world.ask, f"{world.me} how do I escape the brackets?")
        card = world.ask.last_message
        assert card is not None
        result = await world.alice.click(card, label="Other answers (2)")
        await world.bob.click(card, label="Other answers (2)")
        await world.alice.click(shown(result), label="Next")
    assert lag.seconds < ROOM, lag
    assert "answer 2 of 3" in str(shown(result).embeds[0].footer.text)


async def test_what_a_press_shows_is_prepared_in_a_thread(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the loop, only what is known already is put into a card."""
    at_work: list[str] = []
    real = text.pages

    def pages(body: str, limit: int) -> list[str]:
        try:
            asyncio.get_running_loop()
            where = "loop"
        except RuntimeError:
            where = "thread"
        if len(body) > card_content.SHORT:
            at_work.append(where)
        return real(body, limit)

    monkeypatch.setattr(text, "pages", pages)
    answers = [Answer(body=f"{n} " + "Some words. " * 4_000, score=9 - n) for n in range(3)]
    long = Thread(key="long", title="How do I read it all?", answers=(*answers,))
    await world.app.library.add([long])
    result = await world.alice.slash(world.general, "thread", query="long")
    for _ in range(3):
        result = await world.alice.click(shown(result), label="Next")
    assert set(at_work) == {"thread"}
    before = len(at_work)
    for _ in range(3):
        result = await world.alice.click(shown(result), label="Back")
    assert len(at_work) == before  # kept from when it was shown before


def test_what_was_prepared_is_made_again_when_the_text_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    real = text.pages

    def pages(body: str, limit: int) -> list[str]:
        made.append(body[:3])
        return real(body, limit)

    monkeypatch.setattr(text, "pages", pages)
    filling = "Some words. " * card_content.SHORT

    def shown(beginning: str, *, embeds: bool = True) -> str:
        it = StoredThread(id=1, scope=0, key="k", title="t", body=beginning + filling)
        return card_content.pages(it, None, embeds=embeds)[0][:3]

    assert [shown("old"), shown("old"), shown("new")] == ["old", "old", "new"]
    assert shown("new", embeds=False) == "new"
    assert made == ["old", "new", "new"]
    for n in range(100, 100 + card_content.MAX_CACHED):
        assert shown(str(n)) == str(n)
    assert shown(str(n)) == str(n)
    assert made.count(str(n)) == 1
    shown("new")  # only the latest are kept
    assert made.count("new") == 3


async def test_two_hundred_questions_while_a_file_is_imported(app: App, tmp_path: Path) -> None:
    rng = random.Random(1)
    words = [f"{a}{b}{c}" for a in "bdfgkl" for b in "aeiou" for c in ("ster", "mond", "rip")]
    lines = [
        {"id": f"i{n}", "title": f"How do I {' '.join(rng.choices(words, k=5))}?",
         "answers": [{"body": " ".join(rng.choices(words, k=80))} for _ in range(3)]}
        for n in range(3_000)
    ]  # fmt: skip
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    async with measured_lag() as lag:
        importing = asyncio.create_task(app.library.import_paths([file]))
        asked = [app.answering.ask(f"{line['title']} please", limit=5) for line in lines[:200]]
        replies = await asyncio.gather(*asked)
        report = await importing
    assert report.added == 3_000
    assert len(replies) == 200
    assert lag.seconds < ROOM, lag


async def test_the_vocabulary_of_300_000_words_is_rebuilt(app: App) -> None:
    rng = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    made = ["".join(rng.choices(letters, k=rng.randint(6, 10))) for _ in range(300_000)]
    threads = [
        Thread(key=f"w{n}", title=f"Words {n}", answers=(Answer(body=" ".join(part)),))
        for n, part in enumerate(made[at : at + 1_500] for at in range(0, len(made), 1_500))
    ]
    await app.library.add(threads)
    await app.library.add([Thread(key="one", title="One more zweihander")])
    assert len(app.engine._index.view((SHARED,)).words) > 250_000
    async with measured_lag() as lag:
        await app.library.add([Thread(key="more", title="And another quarterstaff")])
    assert lag.seconds < ROOM, lag
    (match, *_) = await app.answering.complete("another quarterstuff")
    assert match.key == "more"


async def test_what_is_left_to_do_on_the_loop_does_not_grow_with_the_text() -> None:
    def seconds(it: StoredThread) -> float:
        times = []
        for _ in range(5):
            started = time.thread_time()
            cards.answer_card(it, it.answers[0])
            cards.page_card(it, items.Place(it.id, it.answers[1].id))
            times.append(time.thread_time() - started)
        return min(times)

    taken = []
    for size in (2_000, 200_000):
        raw = (HOSTILE * 2)[:size]
        answers = tuple(StoredAnswer(id=size + n, body=raw, author=raw, url=raw) for n in range(2))
        it = StoredThread(id=size, scope=0, key="k", title=raw, source=raw, answers=answers)
        await card_content.prepare_excerpt(it.answers[0], embeds=True)
        await card_content.prepare_pages(it, items.Place(it.id, it.answers[1].id), embeds=True)
        taken.append(seconds(it))
    assert taken[1] < max(0.01, 10 * taken[0])
