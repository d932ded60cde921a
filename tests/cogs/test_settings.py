"""/settings: what moderators can change, what they are told, and what is refused."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from simcord import SetupError

from bot.emoji_form import is_unicode_emoji
from bot.guild_settings import GuildSettings, preset
from bot.models import Mode, Policy
from bot.search.background import Background, Outcomes
from bot.ui import confirmations
from bot.ui.emoji import key
from tests.kit.messages import confirm, labels, last, shown, told
from tests.kit.simcord import delete_channel
from tests.kit.world import World

MEANING = "What that means here"


async def shown_field(world: World, name: str) -> Any:
    result = await world.mo.slash(world.general, "settings show")
    return {f.name: f.value for f in shown(result).embeds[0].fields}.get(name)


async def test_show(world: World):
    await world.app.guilds.set_mode(world.guild.id, world.ask.id, Mode.ASK)
    result = await world.mo.slash(world.general, "settings show")
    assert shown(result).ephemeral
    fields = {f.name: f.value for f in shown(result).embeds[0].fields}
    assert "60 %" in fields["Thresholds"]
    assert fields["Channels"] == f"<#{world.ask.id}>: ask"
    assert fields["Voting"] == "⬆️ ⬇️"


async def test_show_names_the_channels_that_listen_because_of_their_name(world: World):
    role = world.guild.roles["TestBot"]
    mute = discord.PermissionOverwrite(send_messages=False)
    named = world.guild.create_text_channel("Ask", overwrites={role: mute})
    world.guild.create_category("ask")
    await world.app.guilds.set_mode(world.guild.id, world.general.id, Mode.MENTION)
    await world.env.settle()
    result = await world.mo.slash(world.general, "settings show")
    fields = {f.name: f.value for f in shown(result).embeds[0].fields}
    assert fields["Channels"].splitlines() == [
        f"<#{world.general.id}>: mention",
        f"<#{world.ask.id}>: ask, by its name",
        f"<#{named.id}>: ask, by its name",
    ]
    assert fields["Mind"].startswith(f"In <#{named.id}> I lack these permissions: Send Messages")


async def test_show_where_all_is_as_usual(world: World):
    await delete_channel(world.env, world.ask)
    result = await world.mo.slash(world.general, "settings show")
    fields = {f.name: f.value for f in shown(result).embeds[0].fields}
    assert fields["Channels"] == "all as usual: I answer when I'm mentioned"


async def test_channel_mode(world: World):
    async def set_mode(mode: str) -> str:
        result = await world.mo.slash(
            world.general, "settings channel", channel=world.general, mode=mode
        )
        assert shown(result).ephemeral
        return str(shown(result).content)

    assert "questions" in await set_mode("questions")
    await world.alice.send(world.general, "how do I vote on an answer?")
    assert await world.key_of(last(world.general)) == "vote"
    await set_mode("default")
    assert await world.app.guilds.modes(world.guild.id) == {}


async def test_channel_where_the_bot_lacks_permissions(world: World):
    role = world.guild.roles["TestBot"]
    mute = discord.PermissionOverwrite(send_messages=False)
    quiet = world.guild.create_text_channel("quiet", overwrites={role: mute})
    await world.env.settle()
    result = await world.mo.slash(world.general, "settings channel", channel=quiet, mode="ask")
    assert "I lack these permissions: Send Messages" in shown(result).content
    settings = await world.mo.slash(world.general, "settings show")
    assert any("Send Messages" in f.value for f in shown(settings).embeds[0].fields)


async def test_thresholds(world: World):
    result = await world.mo.slash(world.general, "settings thresholds", answer=0.9, suggest=0.5)
    assert "90 %" in shown(result).content
    now = await world.app.guilds.settings(world.guild.id)
    assert (now.answer_threshold, now.suggest_threshold) == (0.9, 0.5)
    wrong = await world.mo.slash(world.general, "settings thresholds", answer=0.1)
    assert "must not be above" in told(wrong).content
    nothing = await world.mo.slash(world.general, "settings thresholds")
    assert "Give me a number" in told(nothing).content
    assert len(world.env.errors) == 2
    assert (await world.app.guilds.settings(world.guild.id)).answer_threshold == 0.9


async def test_presets(world: World):
    async def thresholds(**given: object) -> tuple[float, float]:
        await world.mo.slash(world.general, "settings thresholds", **given)
        now = await world.app.guilds.settings(world.guild.id)
        return now.answer_threshold, now.suggest_threshold

    assert (await shown_field(world, "Thresholds")).startswith("**balanced**")
    assert await thresholds(preset="cautious") == (0.75, 0.4)
    assert (await shown_field(world, "Thresholds")).startswith("**cautious**\nanswers from 75 %")
    assert await thresholds(preset="talkative") == (0.45, 0.2)
    assert await thresholds(preset="cautious", answer=0.8) == (0.8, 0.4)
    assert (await shown_field(world, "Thresholds")).startswith("**own**\nanswers from 80 %")
    assert await thresholds(preset="balanced") == (0.6, 0.3)


def test_balanced_is_what_holds_where_nothing_was_set():
    assert preset(GuildSettings()) == "balanced"


async def test_numbers_that_were_set_before_stay_and_are_own(world: World):
    await world.app.guilds.update(world.guild.id, answer_threshold=0.7)
    assert await shown_field(world, "Thresholds") == (
        "**own**\nanswers from 70 % confidence\nsuggests from 30 %"
    )
    assert (await world.app.guilds.settings(world.guild.id)).answer_threshold == 0.7


async def test_show_tells_what_the_threshold_means_here(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    assert await shown_field(world, MEANING) is None  # words alone
    outcomes = Outcomes.of([0.9, 0.9, 0.65, 0.0], [0.1, 0.1, 0.1, 0.1, 0.65])
    measured = Background(0.2, 0.3, outcomes=outcomes)
    monkeypatch.setattr(world.app.engine, "background", lambda guild_id: measured)
    said = await shown_field(world, MEANING)
    assert "I answer 75 % rightly" in said
    assert "no answer here, I answer 20 %" in said
    assert said.endswith("to compare presets by: members ask otherwise.")
    await world.mo.slash(world.general, "settings thresholds", preset="cautious")
    said = await shown_field(world, MEANING)
    assert "I answer 50 % rightly" in said
    assert "no answer here, I answer 0 %" in said
    monkeypatch.setattr(world.app.engine, "background", lambda guild_id: None)
    assert await shown_field(world, MEANING) is None  # to be measured anew


async def test_policy(world: World):
    result = await world.mo.slash(world.general, "settings policy", policy="score")
    assert "score" in shown(result).content
    assert (await world.app.guilds.settings(world.guild.id)).answer_policy is Policy.SCORE


async def test_emoji(world: World):
    own = world.guild.create_emoji("yes")
    await world.env.settle()
    spelt = f"<:yes:{own.id}>"
    result = await world.mo.slash(world.general, "settings emoji", up=spelt, down="👎🏽")
    assert spelt in shown(result).content
    await world.alice.send(world.ask, "how do I vote on an answer?")
    assert [str(r.emoji) for r in last(world.ask).reactions] == [spelt, "👎🏽"]


@pytest.mark.parametrize(
    ("up", "down", "said"),
    [
        ("👍", "👍\ufe0f", "must differ"),
        ("yes", "👎", "not an emoji"),
        ("@everyone", "👎", "not an emoji"),
        ("👍👍", "👎", "not an emoji"),
        ("<:other:123456789012345678>", "👎", "those of this server"),
    ],
)
async def test_emoji_that_will_not_do(world: World, up: str, down: str, said: str):
    result = await world.mo.slash(world.general, "settings emoji", up=up, down=down)
    assert said in told(result).content
    assert told(result).ephemeral
    assert len(world.env.errors) == 1
    assert (await world.app.guilds.settings(world.guild.id)).up_emoji == "⬆️"


async def test_reset(world: World):
    await world.app.guilds.set_mode(world.guild.id, world.ask.id, Mode.OFF)
    await world.app.guilds.update(world.guild.id, answer_threshold=0.9, up_emoji="✅")
    asked = await world.mo.slash(world.general, "settings reset")
    assert shown(asked).ephemeral
    assert labels(shown(asked)) == ["Reset everything", "Cancel"]
    await world.mo.click(shown(asked), label="Cancel")
    assert shown(asked).content == "All stays as it is."
    assert await world.app.guilds.modes(world.guild.id) == {world.ask.id: Mode.OFF}
    left = await confirm(world.mo, world.general, "settings reset", "Reset everything")
    assert left.content.startswith("Everything in this server is back to default.")
    assert await world.app.guilds.modes(world.guild.id) == {}
    defaults = world.app.settings.guild_defaults
    assert await world.app.guilds.settings(world.guild.id) == defaults


async def test_reset_is_confirmed_by_whoever_may_and_asked_for_it(world: World):
    """As if the private message had been seen by others, or its member had lost the permission."""
    await world.app.guilds.set_mode(world.guild.id, world.ask.id, Mode.OFF)
    await world.alice.send(world.general, f"{world.me} how do I vote on an answer?")
    stored = world.env.backend.get_message(world.general.id, last(world.general).id)
    for asker in (world.alice, world.mo):
        view = confirmations.reset_card(asker.id).view
        assert view is not None
        stored.components = view.to_components()
        refused = await world.alice.click(last(world.general), label="Reset everything")
        assert "Manage Server" in told(refused).content
    moderators = world.guild.roles["Moderators"]
    boss = world.guild.add_member(world.env.create_user("boss"), roles=[moderators])
    refused = await boss.click(last(world.general), label="Reset everything")
    assert told(refused).content == "Only the person who asked for this can decide it."
    assert await world.app.guilds.modes(world.guild.id) == {world.ask.id: Mode.OFF}


async def test_members_may_not(world: World):
    with pytest.raises(SetupError):
        await world.alice.slash(world.general, "settings show")


async def test_members_may_not_even_if_discord_lets_them(world: World):
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "settings")
    world.guild.set_command_permissions(command, {world.alice: True})
    result = await world.alice.slash(world.general, "settings reset")
    assert shown(result).ephemeral
    assert "Manage Server" in shown(result).content
    assert len(world.env.errors) == 1


@pytest.mark.simcord(approved_intents=discord.Intents.default())
async def test_missing_intent_is_reported_to_moderators(world: World):
    result = await world.mo.slash(
        world.general, "settings channel", channel=world.general, mode="questions"
    )
    assert "message content intent" in shown(result).content
    settings = await world.mo.slash(world.general, "settings show")
    assert any("message content intent" in f.value for f in shown(settings).embeds[0].fields)


@pytest.mark.simcord(approved_intents=discord.Intents.default())
async def test_missing_intent_matters_where_the_name_makes_the_bot_listen(world: World):
    settings = await world.mo.slash(world.general, "settings show")
    assert any("message content intent" in f.value for f in shown(settings).embeds[0].fields)


@pytest.mark.parametrize(
    "emoji",
    [
        "👍",
        "⬆️",
        "⬆",
        "✅",
        "👎🏽",
        "🇩🇪",
        "1️⃣",
        "❤️",
        "👨‍👩‍👧",
        "🏳️‍🌈",
        "ℹ️",
        "‼️",
        "➕",
        "🔼",
        "▶️",
        "🫨",
        "↩️",
        "㊗️",
    ],
)
def test_emoji_are_recognised(emoji: str):
    assert is_unicode_emoji(emoji)


@pytest.mark.parametrize(
    "text",
    ["", "a", "up", ":+1:", "👍👎", "1", "\u200d", "é", "字", "<", "👍a", *"∑→℃▲"],
)
def test_what_is_no_emoji(text: str):
    assert not is_unicode_emoji(text)


def test_spellings_of_one_emoji():
    assert key("⬆️") == key("⬆") == key(" ⬆️ ")
    assert key("<:up:123456789012345678>") == key("<a:renamed:123456789012345678>")


async def test_an_emoji_that_was_deleted_is_named_and_the_usual_one_used_meanwhile(world: World):
    made = world.guild.create_emoji("yes")
    await world.app.guilds.update(world.guild.id, up_emoji=f"<:yes:{made.id}>", down_emoji="👎")
    await world.alice.send(world.ask, "how can i pin a message in my channel?")
    card = last(world.ask)
    assert {str(r.emoji) for r in card.reactions} == {f"<:yes:{made.id}>", "👎"}
    world.env.backend.delete_emoji(world.guild.id, made.id)
    await world.env.settle()
    await world.alice.send(world.ask, "how can I unpin a message?")
    card = last(world.ask)
    assert {str(r.emoji) for r in card.reactions} == {"⬆️", "👎"}
    await world.bob.react(card, "⬆️")
    assert await world.tallies("unpin") == [4]
    result = await world.mo.slash(world.general, "settings show")
    assert any("The emoji `:yes:` is gone" in f.value for f in shown(result).embeds[0].fields)
