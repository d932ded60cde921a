"""In which channels the bot listens: by decorated names, categories, voice and stage, threads."""

from __future__ import annotations

import pytest
from simcord import ChannelHandle

from bot.models import Mode
from tests.kit.messages import last, shown, size
from tests.kit.simcord import news_thread, user_thread
from tests.kit.world import World

VOTE = "how do I vote on an answer?"


async def answers(world: World, channel: ChannelHandle) -> bool:
    """Return whether a question of nobody in particular is answered in a channel."""
    before = size(channel)
    await world.alice.send(channel, VOTE)
    return size(channel) == before + 2 and await world.key_of(last(channel)) == "vote"


@pytest.mark.parametrize("name", ["💬・ask", "┃ask┃", "ask❓"])
async def test_channels_are_known_by_their_names_under_decorations(world: World, name: str):
    assert await answers(world, world.guild.create_text_channel(name))


async def test_a_category_sets_the_mode_of_its_channels(world: World):
    category = world.guild.create_category("Help")
    text = world.guild.create_text_channel("chat", category=category)
    voice = world.guild.create_voice_channel("talk", category=category)
    assert not await answers(world, text)
    result = await world.mo.slash(
        world.general, "settings channel", channel=category, mode="questions"
    )
    assert "**questions**" in shown(result).content
    for channel in (text, voice, await user_thread(world.env, world.alice, text, "a chat")):
        assert await answers(world, channel)
    await world.app.guilds.set_mode(world.guild.id, text.id, Mode.OFF)
    assert not await answers(world, text)
    assert not await answers(world, world.general)


async def test_a_category_is_shown_with_its_mode(world: World):
    category = world.guild.create_category("Help")
    inside = world.guild.create_text_channel("ask", category=category)
    await world.mo.slash(world.general, "settings channel", channel=category, mode="mention")
    result = await world.mo.slash(world.general, "settings show")
    fields = " ".join(field.value for field in shown(result).embeds[0].fields)
    assert f"<#{category.id}>" in fields
    assert f"<#{inside.id}>" not in fields  # it has no mode by its name any more


@pytest.mark.parametrize("kind", ["voice", "stage", "news"])
async def test_voice_stage_and_news_channels_follow_their_mode(world: World, kind: str):
    channel = getattr(world.guild, f"create_{kind}_channel")("room")
    assert not await answers(world, channel)
    await world.mo.slash(world.general, "settings channel", channel=channel, mode="questions")
    assert await answers(world, channel)


async def test_threads_of_news_follow_their_channel(world: World):
    news = world.guild.create_news_channel("news")
    await world.app.guilds.set_mode(world.guild.id, news.id, Mode.QUESTIONS)
    assert await answers(world, await news_thread(world.env, world.alice, news, "on the news"))
