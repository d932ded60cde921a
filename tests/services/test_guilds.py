"""Settings of servers and channels."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from bot.app import App
from bot.errors import ConfigError, StoreBusy
from bot.models import Mode, Policy
from bot.services import guilds as guilds_module
from bot.services.guilds import Guilds
from bot.settings import Settings
from bot.store import guilds as table
from tests.kit.library import HERE, THERE
from tests.kit.waiting import until


@pytest.fixture
def guilds(app: App) -> Guilds:
    return app.guilds


def fresh(app: App) -> Guilds:
    """Return the settings as a restarted program reads them."""
    return Guilds(app.database, app.settings)


class TestSettings:
    async def test_are_the_hosts_by_default(self, guilds: Guilds, settings: Settings) -> None:
        assert await guilds.settings(HERE) == settings.guild_defaults

    @pytest.mark.parametrize(
        "changes",
        [
            {"answer_threshold": 0.9},
            {"answer_threshold": 1.0, "suggest_threshold": 0.0},
            {"suggest_threshold": 0.6, "answer_threshold": 0.6},
            {"answer_policy": Policy.SCORE},
            {"answer_policy": "score"},
            {"up_emoji": "👍", "down_emoji": "👎"},
            {"up_emoji": "<:up:123456789012345678>"},
        ],
    )
    async def test_are_changed_for_one_guild_and_kept(
        self, app: App, guilds: Guilds, changes: Mapping[str, Any]
    ) -> None:
        changed = await guilds.update(HERE, **changes)
        assert {name: getattr(changed, name) for name in changes} == changes
        assert isinstance(changed.answer_policy, Policy)
        assert await guilds.settings(HERE) == await fresh(app).settings(HERE) == changed
        assert await guilds.settings(THERE) == app.settings.guild_defaults

    async def test_one_change_leaves_the_others(self, guilds: Guilds) -> None:
        await guilds.update(HERE, answer_policy=Policy.SCORE)
        changed = await guilds.update(HERE, answer_threshold=0.8)
        assert (changed.answer_policy, changed.answer_threshold) == (Policy.SCORE, 0.8)

    async def test_none_goes_back_to_the_default_also_a_later_one(
        self, app: App, guilds: Guilds, settings: Settings
    ) -> None:
        await guilds.update(HERE, answer_policy=Policy.SCORE, answer_threshold=0.9)
        await guilds.update(HERE, answer_threshold=None)
        assert (await guilds.update(HERE, answer_policy=None)) == settings.guild_defaults
        changed = settings.model_copy(update={"answer_threshold": 0.7})
        assert (await Guilds(app.database, changed).settings(HERE)).answer_threshold == 0.7

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"answer_threshold": 1.1}, "Thresholds are numbers from 0 to 1"),
            ({"suggest_threshold": -0.1}, "Thresholds are numbers from 0 to 1"),
            ({"answer_threshold": float("nan")}, "Thresholds are numbers from 0 to 1"),
            ({"suggest_threshold": 0.9}, "must not be above the one for answers"),
            ({"answer_threshold": 0.1}, r"suggestions \(0\.\d+\) must not .* answers \(0\.1\)"),
            ({"up_emoji": "⬇️"}, "two voting emoji must differ"),
            ({"up_emoji": "⬇"}, "two voting emoji must differ"),
            ({"answer_policy": "best"}, "The answer policy is accepted or score"),
        ],
    )
    async def test_that_make_no_sense_are_refused_and_change_nothing(
        self, app: App, guilds: Guilds, changes: Mapping[str, Any], text: str
    ) -> None:
        before = await guilds.update(HERE, answer_policy=Policy.SCORE)
        with pytest.raises(ConfigError, match=text):
            await guilds.update(HERE, **changes)
        assert await guilds.settings(HERE) == await fresh(app).settings(HERE) == before

    async def test_are_read_once(self, app: App, guilds: Guilds) -> None:
        first = await guilds.settings(HERE), await guilds.modes(HERE)
        await app.database.close()
        app.database.path = None  # reading again would take another way, and fail
        assert (await guilds.settings(HERE), await guilds.modes(HERE)) == first


class TestModes:
    async def test_depend_on_the_channels_name_at_first(self, guilds: Guilds) -> None:
        modes = [await guilds.mode(HERE, 1, name) for name in ("ask", "ASK", "general", "ask-me")]
        assert modes == [Mode.ASK, Mode.ASK, Mode.MENTION, Mode.MENTION]

    async def test_follow_the_hosts_ask_channels(self, app: App) -> None:
        changed = app.settings.model_copy(update={"ask_channels": ("Help", "faq")})
        guilds = Guilds(app.database, changed)
        modes = [await guilds.mode(HERE, 1, name) for name in ("help", "faq", "ask")]
        assert modes == [Mode.ASK, Mode.ASK, Mode.MENTION]

    @pytest.mark.parametrize(
        "name",
        ["💬・ask", "ask💬", "┃Ask┃", "『ask』", "❓-ask", "1️⃣ask", "𝗮𝘀𝗸", "ＡＳＫ", "--ask--"],
    )
    async def test_by_name_leave_decorations_out(self, guilds: Guilds, name: str) -> None:
        assert await guilds.mode(HERE, 1, name) is Mode.ASK

    @pytest.mark.parametrize("name", ["💬・task", "ask-me", "asks", "💬", "", "a・s・k"])
    async def test_by_name_are_no_others(self, guilds: Guilds, name: str) -> None:
        assert await guilds.mode(HERE, 1, name) is Mode.MENTION

    async def test_of_the_hosts_names_leave_decorations_out_too(self, app: App) -> None:
        changed = app.settings.model_copy(update={"ask_channels": ("💬・hilfe",)})
        assert await Guilds(app.database, changed).mode(HERE, 1, "hilfe") is Mode.ASK

    async def test_of_a_channel_are_its_categorys(self, guilds: Guilds) -> None:
        await guilds.set_mode(HERE, 7, Mode.QUESTIONS)
        assert await guilds.mode(HERE, 1, "chat", category_id=7) is Mode.QUESTIONS
        assert await guilds.mode(HERE, 9, "chat", 1, category_id=7) is Mode.QUESTIONS
        await guilds.set_mode(HERE, 1, Mode.OFF)
        assert await guilds.mode(HERE, 1, "chat", category_id=7) is Mode.OFF
        assert await guilds.mode(HERE, 9, "chat", 1, category_id=7) is Mode.OFF
        assert await guilds.mode(THERE, 1, "ask", category_id=7) is Mode.ASK

    @pytest.mark.parametrize("mode", Mode)
    async def test_are_set_for_a_channel_and_kept(
        self, app: App, guilds: Guilds, mode: Mode
    ) -> None:
        await guilds.set_mode(HERE, 1, mode)
        assert await guilds.mode(HERE, 1, "ask") is mode
        assert await fresh(app).modes(HERE) == {1: mode}
        assert await guilds.modes(THERE) == {}
        assert await guilds.mode(HERE, 2, "ask") is Mode.ASK

    async def test_of_a_discord_thread_are_its_channels(self, guilds: Guilds) -> None:
        await guilds.set_mode(HERE, 1, Mode.ASK)
        assert await guilds.mode(HERE, 9, "ask", parent_id=1) is Mode.ASK
        await guilds.set_mode(HERE, 9, Mode.OFF)
        assert await guilds.mode(HERE, 9, "ask", parent_id=1) is Mode.OFF
        assert await guilds.mode(HERE, 8, "ask", parent_id=2) is Mode.ASK

    async def test_none_goes_back_to_the_default(self, app: App, guilds: Guilds) -> None:
        await guilds.set_mode(HERE, 1, Mode.OFF)
        await guilds.set_mode(HERE, 1, Mode.ASK)
        await guilds.set_mode(HERE, 1, None)
        await guilds.set_mode(HERE, 1, None)
        assert await guilds.mode(HERE, 1, "ask") is Mode.ASK
        assert await fresh(app).modes(HERE) == {}

    async def test_that_are_handed_out_cant_be_changed_by_accident(self, guilds: Guilds) -> None:
        (await guilds.modes(HERE))[1] = Mode.OFF
        assert await guilds.modes(HERE) == {}


async def test_the_hash_of_the_command_tree_is_remembered(app: App) -> None:
    assert await app.guilds.tree_hash() is None
    for value in ("a1", "b2"):
        await app.guilds.set_tree_hash(value)
        assert await fresh(app).tree_hash() == value


@pytest.mark.both_databases
class TestOfAnotherProcess:
    @pytest.fixture(autouse=True)
    def _looks_often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(guilds_module, "POLL_SECONDS", 0.01)

    async def test_changes_are_noticed(self, app: App, second: App) -> None:
        app.follow()
        before = await app.guilds.settings(HERE), await app.guilds.modes(HERE)
        changed = await second.guilds.update(HERE, answer_policy=Policy.SCORE)
        await second.guilds.set_mode(HERE, 1, Mode.OFF)
        assert before != (changed, {1: Mode.OFF})

        async def are_seen() -> bool:
            return (changed, {1: Mode.OFF}) == (
                await app.guilds.settings(HERE),
                await app.guilds.modes(HERE),
            )

        await until(are_seen)

    @pytest.mark.parametrize("what", ["settings", "modes"])
    async def test_what_was_read_before_a_change_is_not_kept(
        self, app: App, second: App, monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        """It was read, then changed and noticed, and only then arrived."""
        reading, seen = app.database.reading, await app.guilds._notice(-1)

        async def slow(*about: Any) -> Any:
            found = await reading(*about)
            monkeypatch.undo()
            await second.guilds.update(HERE, answer_policy=Policy.SCORE)
            await second.guilds.set_mode(HERE, 1, Mode.OFF)
            assert await app.guilds._notice(seen) == seen + 2
            return found

        monkeypatch.setattr(app.database, "reading", slow)
        old = await getattr(app.guilds, what)(HERE)
        assert await getattr(app.guilds, what)(HERE) != old

    async def test_looks_that_fail_are_logged_once_and_tried_again(
        self, app: App, second: App, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        real, failures = table.version, [StoreBusy("locked") for _ in range(3)]

        async def fails(connection: Any) -> int:
            if failures:
                raise failures.pop()
            return await real(connection)

        assert await app.guilds.modes(HERE) == {}
        await second.guilds.set_mode(HERE, 1, Mode.OFF)
        monkeypatch.setattr(table, "version", fails)
        running = asyncio.create_task(app.guilds.run())

        async def is_seen() -> bool:
            return bool(await app.guilds.modes(HERE))

        await until(is_seen)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert not failures
        assert caplog.text.count("settings could not be looked at") == 1


async def test_what_is_dropped_while_it_is_read_is_still_told(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have forgotten the guild just then."""
    real = table.modes

    async def dropping(*about: Any) -> Any:
        found = await real(*about)
        asyncio.get_running_loop().call_soon(app.guilds._modes.clear)
        return found

    monkeypatch.setattr(table, "modes", dropping)
    assert await app.guilds.modes(42) == {}
