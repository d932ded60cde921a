"""Ask what people ask on the first day, in the demo's channel, and count what the bot does.

    python scripts/first_day.py [--seeds] [--wrong] [--missed]

Each question is sent by a new member of the demo's server, in the demo's mode, to the real bot
on a library of ``seeds/`` alone. The questions are in ``tests/first_day/questions.tsv``: kind,
question, and the keys of the seeds that answer it (``-``: none, it may be left). In a question,
``\\n`` is a line break, ``@Threadwise`` mentions the bot, and what stands behind `` >> `` is a
reply to what the bot said to the part before. ``--seeds`` asks ``tests/matching/seeds_asked.tsv``
as well: ten wordings of each seed, in two halves. Used by ``make first-day``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import discord
from rich.console import Console
from rich.table import Table
from simcord import Env, MemberActor

from bot.app import App
from bot.demo import simulated_server
from bot.demo.simcord_adapter import GUILD_ID, World, said_since
from bot.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]
QUESTIONS = ROOT / "tests" / "first_day" / "questions.tsv"
SEEDS_ASKED = ROOT / "tests" / "matching" / "seeds_asked.tsv"

TUNED_ON, KEPT_APART = "seeds: wordings 1 to 5", "seeds: wordings 6 to 10"
HALF = 5
"""Wordings of each seed that may be looked at when the seeds are improved."""

NONE = "-"
"""Expected of a question that may be left: no seed answers it."""


class Outcome(StrEnum):
    """What became of a question.

    ``OFFERED_FIRST`` means that the first thread offered is a right one, ``OFFERED`` that it
    isn't, or that there is none.
    """

    RIGHT = "answered"
    OFFERED_FIRST = "offered first"
    OFFERED = "offered"
    LEFT = "left"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: its kind, its words (``first`` before a follow-up), and the right keys."""

    kind: str
    text: str
    expected: frozenset[str]
    first: str = ""

    @classmethod
    def of(cls, kind: str, words: str, expected: str) -> Self:
        """Read the columns of a line."""
        first, _, text = words.replace("\\n", "\n").rpartition(" >> ")
        return cls(kind, text, frozenset(expected.split()), first)

    @property
    def has_answer(self) -> bool:
        """Return whether the question is one that a seed answers, whatever else is right."""
        return NONE not in self.expected


@dataclass(frozen=True, slots=True)
class Said:
    """What the bot said to a question: keys of threads whose answers it posted, or offered."""

    answered: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)

    def outcome(self, expected: frozenset[str]) -> Outcome:
        """Judge it by the keys that are right."""
        if self.answered:
            return Outcome.RIGHT if expected.issuperset(self.answered) else Outcome.WRONG
        if self.offered:
            return Outcome.OFFERED_FIRST if self.offered[0] in expected else Outcome.OFFERED
        return Outcome.LEFT


Results = list[tuple[Asked, Said, Outcome]]


def main() -> None:
    """Ask, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", action="store_true", help="ask for each seed in ten wordings")
    parser.add_argument(
        "--wrong",
        action="store_true",
        help="list what was answered wrongly (not the half of the wordings that is kept apart)",
    )
    parser.add_argument(
        "--missed",
        action="store_true",
        help="list what has an answer and got neither it nor an offer of it first (likewise)",
    )
    options = parser.parse_args()
    logging.disable(logging.INFO)
    asked = questions() + (seeds_asked() if options.seeds else [])
    results = asyncio.run(ask(asked))
    console = Console(soft_wrap=True)
    console.print(table(results))
    if options.wrong:
        _list(console, [r for r in results if r[2] is Outcome.WRONG and r[0].kind != KEPT_APART])
    if options.missed:
        _list(console, [r for r in results if _missed(*r)])


def questions() -> list[Asked]:
    """Read the questions of ten kinds."""
    return [Asked.of(*columns) for columns in _rows(QUESTIONS)]


def seeds_asked() -> list[Asked]:
    """Read the wordings of the seeds: those that may be looked at, and the others."""
    asked, seen = [], Counter[str]()
    for key, words in _rows(SEEDS_ASKED):
        kind = TUNED_ON if seen[key] < HALF else KEPT_APART
        seen[key] += 1
        asked.append(Asked(kind, words, frozenset([key])))
    return asked


def _rows(file: Path) -> Iterator[list[str]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        yield line.split("\t")


async def ask(asked: Sequence[Asked], settings: Settings | None = None) -> Results:
    """Ask one question after the other, each by a new member; return what became of each."""
    with tempfile.TemporaryDirectory(prefix="threadwise-first-day-") as folder:
        settings = settings or load_settings(_env_file=None, seeds_dir=ROOT / "seeds")
        alone = {
            "data_dir": Path(folder),
            "member_questions_per_minute": 0,
            "server_questions_per_minute": 0,
        }
        async with simulated_server(settings.model_copy(update=alone)) as (app, env, world):
            await app.answering.backgrounds.measure(GUILD_ID)
            channel = _Channel(app, env, world, await _titles(app))
            return [await channel.result_of(question) for question in asked]


async def _titles(app: App) -> dict[str, str]:
    """Return the keys of all threads by their titles."""
    matches = await app.answering.complete("", guild_id=GUILD_ID, limit=10_000)
    return {match.title: match.key for match in matches}


class _Channel:
    """The demo's channel, in which members come, ask, and are heard no more."""

    def __init__(self, app: App, env: Env, world: World, keys: dict[str, str]):
        self._app, self._env, self._world, self._keys = app, env, world, keys
        self._members = 0

    async def result_of(self, question: Asked) -> tuple[Asked, Said, Outcome]:
        member = self._member()
        before = await self._send(member, question.first, None) if question.first else []
        messages = await self._send(member, question.text, before[-1] if before else None)
        said = Said()
        for message in messages:
            posting = await self._app.postings.get(message.id)
            if posting is None:
                said.offered.extend(offered_in(message, self._keys))
                continue
            thread = await self._app.answering.serve(posting.thread_id, guild_id=GUILD_ID)
            said.answered.append(thread.key if thread else "")
        return question, said, said.outcome(question.expected)

    def _member(self) -> MemberActor:
        self._members += 1
        user = self._env.create_user(f"member{self._members}")
        guild = self._world.channel.guild
        assert guild is not None  # it is no direct message
        return guild.add_member(user)

    async def _send(
        self, member: MemberActor, text: str, reply_to: discord.Message | None
    ) -> list[discord.Message]:
        """Send a message; return what the bot then posted in the channel."""
        assert self._env.bot.user is not None
        words = text.replace("@Threadwise", self._env.bot.user.mention)
        sent = await member.send(self._world.channel, words, reply_to=reply_to)
        await self._env.settle()
        return said_since(self._env, self._world.channel, sent.id)


def offered_in(message: discord.Message, keys: dict[str, str]) -> list[str]:
    """Return the keys of the threads that a message offers, in order.

    An offer has buttons or a menu. Titles stand on these, cut where they are too long, or in
    the text above.
    """
    labels = [text for row in message.components for text in _labels(row.to_dict())]
    if not labels:
        return []
    texts = [message.content, *(embed.description or "" for embed in message.embeds)]
    found = [_key_of(label, keys) for label in labels]
    found += [key for text in texts for title, key in keys.items() if title in text]
    return list(dict.fromkeys(key for key in found if key))


def _labels(part: Any) -> Iterator[str]:
    """Return the labels of buttons and options in a part of a message, in order."""
    if isinstance(part, dict):
        if "label" in part:
            yield str(part["label"])
        part = [value for value in part.values() if isinstance(value, list)]
    for inner in part:
        if isinstance(inner, (dict, list)):
            yield from _labels(inner)


def _key_of(label: str, keys: dict[str, str]) -> str | None:
    start = label.removesuffix("…").rstrip()
    return next((key for title, key in keys.items() if start and title.startswith(start)), None)


def table(results: Results) -> Table:
    """Return how many questions of each kind had each outcome."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column("kind", no_wrap=True)
    for name in ("questions", *Outcome):
        shown.add_column(name, justify="right")
    for kind in dict.fromkeys(asked.kind for asked, _, _ in results):
        counted = Counter(outcome for asked, _, outcome in results if asked.kind == kind)
        counts = [counted.total(), *(counted[outcome] for outcome in Outcome)]
        shown.add_row(kind, *map(str, counts))
    return shown


def _missed(asked: Asked, _: Said, outcome: Outcome) -> bool:
    good = (Outcome.RIGHT, Outcome.OFFERED_FIRST)
    return asked.has_answer and asked.kind != KEPT_APART and outcome not in good


def _list(console: Console, results: Results) -> None:
    console.print()
    for asked, said, outcome in results:
        words = f"{asked.first} >> {asked.text}" if asked.first else asked.text
        keys = said.answered or said.offered
        console.print(
            f"{outcome:13} {asked.kind}: {words!r}: {' '.join(keys) or 'nothing'} "
            f"(right: {' '.join(sorted(asked.expected))})",
            markup=False,
            highlight=False,
        )


if __name__ == "__main__":
    main()
