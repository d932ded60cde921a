"""Two processes on one library, each with a shard of the bot's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.app import App
from bot.client import ThreadBot
from bot.errors import ConfigError
from bot.settings import load_settings
from tests.kit.asking import ME, PIN, arrows
from tests.kit.card_votes import DOWN, UP
from tests.kit.library import forget_environment
from tests.kit.loopback import Guild, Loopback, running, serving
from tests.kit.net import Net

SHARDS = 2


@dataclass
class Both:
    """One Discord with a guild in each shard, and the bot of that shard."""

    discord: Loopback
    nets: list[Net]


def _guild(loopback: Loopback, shard: int) -> Guild:
    """Make a guild in a shard; others that were made on the way are taken out again."""
    while True:
        guild = loopback.add_guild(f"Shard {shard}", channels=("ask", "general"))
        if (guild.id >> 22) % SHARDS == shard:
            return guild
        del loopback.guilds[guild.id]


@pytest.fixture
async def both(app: App, hurried: None) -> AsyncIterator[Both]:
    other = await App.open(app.settings)
    async with serving(Loopback(shards=SHARDS)) as loopback:
        nets = list[Net]()
        for shard, its_app in enumerate((app, other)):
            guild = _guild(loopback, shard)
            alice, bob = (loopback.add_member(guild, name) for name in ("alice", "bob"))
            bot = ThreadBot(its_app, shard_count=SHARDS, shard_ids=[shard])
            ask, general = guild.channels.values()
            nets.append(Net(loopback, its_app, bot, guild, ask, general, alice, bob))
        async with running(loopback, nets[0].bot), running(loopback, nets[1].bot):
            yield Both(loopback, nets)
    await other.close()


async def test_each_answers_in_its_own_servers_and_counts_their_votes(both: Both):
    cards = []
    for net in both.nets:
        both.discord.say(net.ask, net.alice, f"{ME} {PIN}")
        cards.append(await both.discord.posted(net.ask))
        await arrows(net, cards[-1])
        await net.recorded(cards[-1])
    for net, card, emoji in zip(both.nets, cards, (UP, DOWN), strict=True):
        both.discord.react(card, net.bob, emoji)
    for net, tally in zip(both.nets, (1, -1), strict=True):

        async def is_counted(net: Net = net, tally: int = tally) -> bool:
            return (await net.tallies("pins"))[0] == tally

        await both.discord.until(is_counted)
    assert [len(both.discord.messages(net.ask)) for net in both.nets] == [1, 1]
    assert [{guild.id for guild in net.bot.guilds} for net in both.nets] == [
        {net.guild.id} for net in both.nets
    ]


async def test_one_of_them_sends_the_commands(both: Both):
    asked = [m for m, path, _ in both.discord.requests if path.endswith("/commands")]
    assert asked == ["PUT"]


class TestSettings:
    @pytest.fixture(autouse=True)
    def _no_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        forget_environment(monkeypatch)

    @pytest.mark.parametrize(
        ("value", "numbers"), [("0", (0,)), (" 0-2, 5 ", (0, 1, 2, 5)), ("3,1,1", (1, 3)), ("", ())]
    )
    def test_numbers_and_ranges_of_them(
        self, monkeypatch: pytest.MonkeyPatch, value: str, numbers: tuple[int, ...]
    ):
        monkeypatch.setenv("SHARD_COUNT", "8")
        monkeypatch.setenv("SHARD_IDS", value)
        assert load_settings(_env_file=None).shard_ids == numbers

    @pytest.mark.parametrize(
        ("count", "ids", "said"),
        [
            ("", "0", "SHARD_IDS needs SHARD_COUNT"),
            ("4", "0-4", "SHARD_IDS must be from 0 to 3"),
            ("4", "3-1", "smaller number first: 1-3"),
            ("4", "one", "such as 0-3 or 0,4"),
            ("-1", "", "SHARD_COUNT: must be 0 or more"),
        ],
    )
    def test_what_they_cant_be_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, count: str, ids: str, said: str
    ):
        monkeypatch.setenv("SHARD_COUNT", count)
        monkeypatch.setenv("SHARD_IDS", ids)
        with pytest.raises(ConfigError, match=said):
            load_settings(_env_file=None)
