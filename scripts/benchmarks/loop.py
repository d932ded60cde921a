"""How long the event loop is held at most, while members and moderators do the worst.

Judged by the bot's own watchdog, which names what held it. 100 ms are the limit.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.corpus import questions
from benchmarks.ours import open_app
from bot.app import App
from bot.models import Answer, StoredAnswer, StoredThread, Thread
from bot.ui import card_content, cards, items
from bot.watchdog import Stall, Watchdog

NOTICED = 0.015
"""Seconds from which a hold is noted."""

AT_ONCE = 200
"""Questions that are asked at once."""

IMPORTED = 2_000
"""Threads of the file that is imported meanwhile, unless the library itself has fewer."""

MOST_WORDS, WORDS_A_THREAD = 300_000, 30
"""Words of the vocabulary that is rebuilt: as many for each thread, up to this number."""

GUILD = 4_242

Figures = dict[str, Any]
Step = Callable[[App, Path], Awaitable[None]]


def holds(place: Path, size: int) -> Figures:
    """For each thing that is done, the longest hold in ms and what held the loop."""

    async def run() -> Figures:
        found: Figures = {}
        app = await open_app(place)
        gc.collect()
        gc.freeze()  # as the bot does before it connects
        try:
            for name, step in steps(size):
                found[name] = await _watched(step, app, place)
        finally:
            await app.close()
        return {"loop": found}

    return asyncio.run(run())


def steps(size: int) -> list[tuple[str, Step]]:
    """What is done, by the names that the tables have."""
    words = min(MOST_WORDS, size * WORDS_A_THREAD)
    return [
        ("pager on 200,000 characters of brackets", turn_pages),
        (
            f"{AT_ONCE} questions at once during an import",
            lambda app, place: ask_during_import(app, place, min(IMPORTED, size)),
        ),
        ("export of what was imported", export),
        (f"import of {words:,} new words", lambda app, _: bring_words(app, words)),
        (f"vocabulary rebuilt with {words:,} more words", rebuild),
    ]


async def _watched(step: Step, app: App, place: Path) -> Figures:
    seen: list[Stall] = []
    with Watchdog(limit=NOTICED, report=seen.append):
        await step(app, place)
    longest = max(seen, key=lambda hold: hold.seconds, default=None)
    if longest is None:
        return {"ms": 0.0, "by": ""}
    return {"ms": longest.seconds * 1000, "by": longest.place}


async def turn_pages(app: App, place: Path) -> None:
    """Open a pager as *Other answers* does, turn its pages, and make the card."""
    del app, place
    hostile = ("[a\\" * 70_000)[:200_000]
    answers = tuple(StoredAnswer(id=n, body=f"{n}{hostile}") for n in range(1, 4))
    thread = StoredThread(id=1, scope=0, key="k", title=hostile, body=hostile, answers=answers)
    await card_content.prepare_excerpt(answers[0], embeds=True)
    cards.answer_card(thread, answers[0])
    for answer in (2, 3, items.QUESTION):
        for part in range(3):
            at = items.Place(1, answer, part, with_question=True)
            await card_content.prepare_pages(thread, at, embeds=True)
            cards.page_card(thread, at)


async def ask_during_import(app: App, place: Path, threads: int) -> None:
    """Ask as many questions as come at once while a file of so many threads is taken in."""
    asked, _ = questions(place)
    many = (asked * (AT_ONCE // len(asked) + 1))[:AT_ONCE]
    file = place / "imported.jsonl"
    with file.open("w", encoding="utf-8") as out:
        for number in range(threads):
            said = " ".join(many[(number + n) % AT_ONCE] for n in range(12))
            title = f"{many[number % AT_ONCE]} {number}"
            out.write(json.dumps({"id": f"i{number}", "title": title, "answers": [{"body": said}]}))
            out.write("\n")
    importing = asyncio.create_task(app.library.import_paths([file], scope=GUILD))
    while not importing.done():
        await asyncio.gather(*(app.answering.ask(q, guild_id=GUILD) for q in many))
    await importing


async def export(app: App, place: Path) -> None:
    """Give a server its own threads."""
    del place
    await app.guild_library.export(GUILD, 100_000_000)


async def bring_words(app: App, count: int) -> None:
    """Take in so many words that nobody has used yet."""
    await app.library.add(await asyncio.to_thread(made_words, count))


async def rebuild(app: App, place: Path) -> None:
    """Change one thread, after which all words are read anew."""
    del place
    await app.library.add([Thread(key="one", title="One more quarterstaff")])


def made_words(count: int) -> list[Thread]:
    """Threads of a thousand words each that are no words."""
    rng, letters = random.Random(7), "etaoinshrdlucmfwypvbgkjqxz"
    made = ["".join(rng.choices(letters, k=rng.randint(6, 10))) for _ in range(count)]
    parts = (" ".join(made[at : at + 1_000]) for at in range(0, count, 1_000))
    return [
        Thread(key=f"w{n}", title=f"Words {n}", answers=(Answer(body=part),))
        for n, part in enumerate(parts)
    ]
