"""Follow-ups to the seeds' cards: twenty pairs, written before anything was tried on them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App
from bot.models import Reply, Verdict
from bot.services.answering import suggestions_among
from bot.services.follow_ups import Followed, refers_back
from bot.settings import Settings
from tests.kit.paths import ROOT

PAIRS = [
    line.split("\t")
    for line in (ROOT / "tests/matching/follow_ups.tsv").read_text(encoding="utf-8").splitlines()
]
"""The question before, the thread of its card, what follows, and the thread that is meant."""


@pytest.fixture
async def seeds(tmp_path: Path, usual_model: None) -> AsyncIterator[App]:
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    app = await App.open(
        Settings(_env_file=None, data_dir=tmp_path / "data", seeds_dir=tmp_path / "seeds")
    )
    await app.load_seeds()
    await app.embedding.make()
    yield app
    await app.close()


async def outcome(app: App, reply: Reply, meant: str) -> str:
    """Say what a reply is worth: right, offered, left, or wrong."""
    matches = [] if reply.verdict is Verdict.NONE else suggestions_among(reply.matches)
    threads = [await app.answering.serve(match.thread_id) for match in matches]
    keys = [thread.key for thread in threads if thread is not None]
    if reply.verdict is Verdict.ANSWER:
        return "right" if keys[0] == meant else "wrong"
    return "offered" if meant in keys else "left"


@pytest.mark.untraced
@pytest.mark.parametrize("context", ["question", "title"])
async def test_follow_ups_are_answered_by_what_they_follow(seeds: App, context: str) -> None:
    before, after = Counter[str](), Counter[str]()
    for question, key, text, meant in PAIRS:
        card = await seeds.answering.find(key)
        assert card is not None
        assert card.key == key
        followed = Followed(question if context == "question" else card.title, card.id)
        alone = await seeds.answering.ask(text, limit=6)
        reply = await seeds.follow_ups.ask(text, followed=followed, guild_id=0, limit=6)
        assert reply.question == text
        before[await outcome(seeds, alone, meant)] += 1
        after[made := await outcome(seeds, reply, meant)] += 1
        print(f"{made:8} {text}")
    print(f"alone: {dict(before)}; with the {context} before: {dict(after)}")
    assert after["right"] > before["right"]
    assert after["right"] + after["offered"] > before["right"] + before["offered"]
    assert after["wrong"] <= (0 if context == "question" else before["wrong"])


@pytest.mark.parametrize("text", ["how do I undo that?", "for THEM", "wie geht das?", "それは?"])
def test_words_that_refer(text: str) -> None:
    assert refers_back(text)


@pytest.mark.parametrize("text", ["and on a phone?", "thatched roofs", "how do I add a sticker?"])
def test_words_that_do_not_refer(text: str) -> None:
    assert not refers_back(text)
