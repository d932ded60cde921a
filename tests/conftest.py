"""A library that outlives the bot, bots on it, and a small world that asks them things."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import coverage
import discord
import pytest
import simcord
from simcord import ChannelHandle, Env, MemberActor
from simcord.builders import GuildHandle

from bot.app import App
from bot.client import ThreadBot
from bot.models import Answer, Thread
from bot.settings import Settings
from tests.simkit import fast_settle

fast_settle()

LONG = "\n\n".join(
    f"Paragraph {n} of a long answer. It explains step {n} in some detail, so that whoever "
    "reads it knows what to do. There is `code` in it, and [a link](https://example.org/)."
    for n in range(40)
)

THREADS = (
    Thread(
        key="vote",
        title="How do I vote on an answer?",
        body="I see arrows under an answer. What are they for?",
        url="https://example.org/vote",
        author="carol",
        license="CC BY-SA 4.0",
        answers=(
            Answer(body="React with **⬆️** or ⬇️.", score=2, accepted=True, author="dave"),
            Answer(body="Use the buttons of the pager.", score=1, author="bob"),
        ),
    ),
    Thread(
        key="pins",
        title="How can I pin a message in my channel?",
        answers=(
            Answer(body="Open its menu and choose *Pin*.", score=0, author="alice"),
            Answer(body="Ask a moderator.", score=0),
        ),
    ),
    Thread(
        key="unpin",
        title="How can I unpin a message?",
        answers=(Answer(body="Open its menu and choose *Unpin*.", score=3),),
    ),
    Thread(
        key="backup",
        title="Where does the gardener keep the backup of the greenhouse plans?",
        answers=(Answer(body=LONG, score=5, accepted=True),),
    ),
    Thread(key="silent", title="Which compost heap is the warmest one?", body="Nobody knows."),
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Run a test that is marked ``untraced`` while coverage pauses.

    In a worker there are two to pause: pytest-cov's, and below it the one with which
    every new process begins. Of the latter pytest-cov's own ``no_cover`` knows nothing.
    """
    paused = list[coverage.Coverage]()
    if item.get_closest_marker("untraced"):
        while running := coverage.Coverage.current():
            running.stop()
            paused.append(running)
    try:
        return (yield)
    finally:
        for one in reversed(paused):
            one.start()


@pytest.fixture(scope="session")
def filled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with THREADS in it, to be copied by each test."""
    folder = tmp_path_factory.mktemp("library")

    async def fill() -> None:
        app = await App.open(Settings(data_dir=folder, embedding_model="off", _env_file=None))
        await app.library.add(THREADS)
        await app.close()

    asyncio.run(fill())
    return folder


@pytest.fixture
def settings(tmp_path: Path, filled_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as they are by default, in a folder of the test's own."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("EMBEDDING_MODEL", "off")  # tests of meaning switch it on
    shutil.copytree(filled_folder, tmp_path / "data")
    return Settings(data_dir=tmp_path / "data", _env_file=None)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    """The opened house; like the database, it outlives every bot of the test."""
    opened = await App.open(settings)
    yield opened
    await opened.close()


MakeBot = Callable[[], ThreadBot]


@pytest.fixture
def make_bot(app: App, request: pytest.FixtureRequest) -> MakeBot:
    """Build another bot on the same house, as a restart does."""
    marker = request.node.get_closest_marker("simcord")
    options = marker.kwargs if marker else {}
    return lambda: ThreadBot(
        app,
        shard_count=options.get("shard_count", 1),
        message_content="approved_intents" not in options,
    )


@pytest.fixture
def simcord_bot(make_bot: MakeBot) -> ThreadBot:
    """The bot of the test, for SimCord's own fixture."""
    return make_bot()


@dataclass
class World:
    """A server with the channels ask and general, two members and a moderator."""

    env: Env
    app: App
    make_bot: MakeBot
    guild: GuildHandle
    ask: ChannelHandle
    general: ChannelHandle
    alice: MemberActor
    bob: MemberActor
    mo: MemberActor

    @property
    def bot(self) -> ThreadBot:
        assert isinstance(self.env.bot, ThreadBot)
        return self.env.bot

    @property
    def me(self) -> str:
        """What a member types to mention the bot."""
        assert self.bot.user is not None
        return self.bot.user.mention

    async def restart(self) -> None:
        await self.env.restart_bot(self.make_bot())

    async def key_of(self, message: discord.Message) -> str | None:
        """The source key of the thread that a message shows an answer of."""
        posting = await self.app.postings.get(message.id)
        if posting is None:
            return None
        thread = await self.app.answering.serve(posting.thread_id, guild_id=posting.guild_id)
        return thread.key if thread else None

    async def tallies(self, key: str, guild_id: int | None = None) -> list[int]:
        """The tallies of a thread's answers as the guild sees them, in source order."""
        thread = await self.app.answering.find(key, guild_id=guild_id or self.guild.id)
        assert thread is not None
        return [a.tally for a in sorted(thread.answers, key=lambda a: a.id)]


@pytest.fixture
async def world(simcord_env: simcord.Env, app: App, make_bot: MakeBot) -> World:
    """The small world in which most tests of the bot play."""
    guild = simcord_env.create_guild("Garden club")
    moderators = guild.create_role(
        "Moderators",
        permissions=discord.Permissions(manage_guild=True, manage_messages=True),
    )
    return World(
        env=simcord_env,
        app=app,
        make_bot=make_bot,
        guild=guild,
        ask=guild.create_text_channel("ask"),
        general=guild.create_text_channel("general"),
        alice=guild.add_member(simcord_env.create_user("alice")),
        bob=guild.add_member(simcord_env.create_user("bob")),
        mo=guild.add_member(simcord_env.create_user("mo"), roles=[moderators]),
    )
