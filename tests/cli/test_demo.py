"""``threadwise demo`` and a bare ``threadwise``: the bot in a simulated Discord."""

from __future__ import annotations

import builtins
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.cli import logs, run
from bot.demo import _demo_settings
from bot.demo.page import PAGE_WORDS
from bot.demo.simcord_adapter import PEOPLE, WELCOME
from bot.settings import Settings
from tests.kit import programs
from tests.kit.command_line import Threadwise
from tests.kit.paths import ROOT
from tests.kit.programs import Program

LAMP = """\
How do I switch on the lamp?
score:0
Accepted answer
Clap twice.
Upvote:1
Press the button at its foot.
"""
QUESTION = "how do i reset the ruoter to factory setings?"


class Page:
    """One browser page of the demo, spoken to as its script does."""

    def __init__(self, session: aiohttp.ClientSession, url: str):
        self._session = session
        self._origin, _, self._capability = url.partition("/#")
        self._state: dict[str, Any] = {}
        self._sequence = 0

    def another(self) -> Page:
        """A second page of the same demo."""
        return Page(self._session, f"{self._origin}/#{self._capability}")

    async def open(self, viewer_id: str | None = None) -> None:
        """Open the page, as the first person or another one."""
        body = {"viewer_id": viewer_id} if viewer_id else {}
        self._state = await self._post("/api/pages", body)

    async def act(self, kind: str, **what: Any) -> dict[str, Any]:
        await self.look()
        self._sequence += 1
        envelope = {
            "protocol_version": 3,
            "sequence": self._sequence,
            "request_id": f"r{self._sequence}",
            "generation": self._state["context"]["generation"],
            "bot_generation": self._state["botGeneration"],
            "published_revision": self._state["publishedRevision"],
            "kind": kind,
        }
        return await self._post("/api/action", envelope | what)

    async def look(self) -> dict[str, Any]:
        async with self._session.get(self._origin + "/api/state", headers=self._headers) as answer:
            assert answer.status == 200
            self._state = await answer.json()
        return self._state

    async def messages(self) -> list[dict[str, Any]]:
        """The messages of the channel as they are now, oldest first."""
        state = await self.look()
        return sorted(state["messages"].values(), key=lambda message: int(message["id"]))

    @property
    def _headers(self) -> dict[str, str]:
        headers = {"X-Simcord-Capability": self._capability}
        if self._state:
            headers["X-Simcord-Context"] = self._state["context"]["id"]
        return headers

    async def file(self, name: str) -> str:
        """A file of the page, as a browser gets it."""
        async with self._session.get(f"{self._origin}/{name}") as answer:
            assert answer.status == 200
            return await answer.text()

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(
            self._origin + path, json=body, headers=self._headers
        ) as answer:
            assert answer.status == 200, await answer.text()
            value: dict[str, Any] = await answer.json()
            return value


async def _start(*arguments: str) -> Program:
    return await programs.start("-m", "bot", *arguments, "--no-browser")


async def _address(process: Program) -> str:
    match = re.search(r"http://127\.0\.0\.1:\d+/#\S+", await process.until("http://127.0.0.1:"))
    assert match, process.said
    return match[0]


@asynccontextmanager
async def _demo(*arguments: str, stop: signal.Signals = signal.SIGTERM) -> AsyncIterator[Page]:
    """A running demo seen through a page; it must end well when told to."""
    process = await _start(*arguments)
    try:
        async with aiohttp.ClientSession() as session:
            page = Page(session, await _address(process))
            await page.open()
            yield page
    finally:
        process.signal(stop)
        code, out, said = await process.end()
    assert code == 0, said
    assert not out
    assert said.endswith("Stopped.\n")
    assert "Traceback" not in said


async def _ask(page: Page, question: str = QUESTION) -> dict[str, Any]:
    """Ask in the channel; returns the bot's reply."""
    last = (await page.messages())[-1]
    sent = await page.act("send_message", content=question, target_id=last["id"], reply_to_id=None)
    assert sent["settlement"] == "settled", sent
    return (await page.messages())[-1]


async def _vote(page: Page, reply: dict[str, Any], emoji: str = "⬆️") -> None:
    voted = await page.act("set_reaction", target_id=reply["id"], emoji=emoji, reacted=True)
    assert voted["settlement"] == "settled", voted


async def test_a_vote_changes_what_the_next_person_gets(home: Path) -> None:
    (home / "seeds" / "lamp.txt").write_text(LAMP, encoding="utf-8")
    async with _demo() as page:  # as without a command
        (welcome,) = await page.messages()
        assert "simulated Discord" in welcome["content"]
        reply = await _ask(page, "how do i swich on teh lamp?")
        assert "Clap twice" in reply["embeds"][0]["description"]
        await _vote(page, reply, "⬇️")
        sam = page.another()
        await sam.open(viewer_id=str(PEOPLE[1].id))
        reply = await _ask(sam, "how do I switch on the lamp?")
        assert "Press the button" in reply["embeds"][0]["description"]


async def test_the_page_is_the_demos_own() -> None:
    async with _demo("demo") as page:
        for name, words in PAGE_WORDS.items():
            served = await page.file("" if name == "index.html" else name)
            assert "SimCord" not in served
            for new in words.values():  # a word that SimCord's page doesn't have is missed here
                assert new in served, new
        assert "messages-closed" in await page.file("")


async def test_typing_the_bots_name_mentions_it() -> None:
    async with _demo("demo") as page:
        reply = await _ask(page, "@threadwise boiled eggs, anyone?")
        assert "nothing on that yet" in reply["content"]
        said = (await page.messages())[-2]["content"]
        assert re.fullmatch(r"<@\d+> boiled eggs, anyone\?", said)
        silence = await _ask(page, "me@threadwise.example, boiled eggs, anyone?")
        assert silence["content"].startswith("me@threadwise.example")
        long = "@Threadwise " + "x" * 1_988
        assert (await _ask(page, long))["content"] == long  # with an id it would be too long


async def test_a_newcomer_is_offered_what_they_may_have_meant(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EMBEDDING_MODEL")  # as a newcomer has it
    shutil.rmtree(home / "seeds")
    shutil.copytree(ROOT / "seeds", home / "seeds")
    (example,) = re.findall(r"half a question, such as \*(.+?)\*", WELCOME)
    for _ in range(2):  # on the second day, too
        async with _demo("demo") as page:
            reply = await _ask(page, example)
            assert "Did you mean one of these?" in reply["content"]


async def test_votes_are_still_there_the_next_day() -> None:
    async with _demo("demo") as page:
        reply = await _ask(page)
        await _vote(page, reply)
        before = (await _ask(page))["embeds"][0]
    async with _demo("demo", stop=signal.SIGINT) as page:
        assert (await _ask(page))["embeds"][0] == before
        catalog = (await page.look())["diagnostics"]
        assert not [d for d in catalog if d.get("code") == "commands-unsynced"]


async def test_ending_the_session_in_the_page_ends_the_program() -> None:
    process = await _start("demo")
    async with aiohttp.ClientSession() as session:
        page = Page(session, await _address(process))
        await page.open()
        await page.act("close")
    code, _, said = await process.end()
    assert code == 0, said


def test_a_port_that_is_taken_is_one_line_and_exit_code_2(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "set_up", lambda level, token: None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = threadwise("demo", "--port", port, "--no-browser")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"error: port {port} is taken")
    assert "Traceback" not in result.stderr


def test_without_the_demo_extra_it_says_how_to_install_it(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "simcord":
            raise ModuleNotFoundError("No module named 'simcord'", name="simcord")
        return real(name, *arguments, **options)

    for name in [name for name in sys.modules if name.startswith("bot.demo")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(sys.modules["bot"], "demo", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    result = threadwise("demo", "--no-browser")
    assert result.exit_code == 2
    assert "pip install 'threadwise[demo]'" in result.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_cannot_be_is_exit_code_2(threadwise: Threadwise, port: str) -> None:
    assert threadwise("demo", "--port", port).exit_code == 2


def test_the_browser_is_opened_unless_told_not_to(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, bool]] = []
    monkeypatch.setattr(run, "demo", lambda port, browser: asked.append((port, browser)))
    threadwise()
    threadwise("--no-browser", "--port", "8765")
    threadwise("demo")
    assert asked == [(0, True), (8765, False), (0, True)]


def test_models_are_those_of_the_data_folder_not_of_the_demos_own(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "mpnet"
    folder.mkdir(parents=True)
    settings = Settings(data_dir=tmp_path, embedding_model="mpnet", _env_file=None)
    assert _demo_settings(settings).embedding_model == str(folder)
