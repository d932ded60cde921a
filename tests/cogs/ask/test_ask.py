"""When the bot speaks, and what it says: channels, mentions, direct messages, commands."""

from __future__ import annotations

import discord
import pytest
from simcord.enums import MessageType

from bot.models import Answer, Mode, Thread
from tests.kit.messages import is_disabled, labels, last, offered, shown, size
from tests.kit.simcord import join_guild, user_thread
from tests.kit.world import World

VOTE = "how do I vote on an answer?"
EGG = "boiled eggs, anyone?"


async def test_question_in_an_ask_channel_gets_a_card(world: World):
    question = await world.alice.send(world.ask, VOTE)
    card = last(world.ask)
    embed = card.embeds[0]
    assert embed.title == "How do I vote on an answer?"
    assert embed.url == "https://example.org/vote"
    body, _, credits = embed.description.rpartition("\n\n")
    assert body == "React with **⬆️** or ⬇️."
    assert credits == (
        "— dave · [example.org](https://example.org/vote) · "
        "[CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/)"
    )
    assert embed.author.name == "Accepted answer"
    assert embed.footer.text is not None
    assert embed.footer.text == "✅ accepted · ▲ 2 · 1 other answer"
    assert labels(card) == ["Other answers (1)", "Not my question"]
    assert card.reference is not None
    assert card.reference.message_id == question.id
    assert [str(r.emoji) for r in card.reactions] == ["⬆️", "⬇️"]
    posting = await world.app.postings.get(card.id)
    assert posting is not None
    assert (posting.asker_id, posting.guild_id) == (world.alice.id, world.guild.id)


async def test_ask_channel_says_nothing_when_it_has_nothing(world: World):
    for said in (EGG, "nice weather today", "😀😀", "???", "\u200b", "hello!", "thanks"):
        before = size(world.ask)
        await world.alice.send(world.ask, said)
        assert size(world.ask) == before + 1, said


async def test_other_channels_need_a_mention(world: World):
    await world.alice.send(world.general, VOTE)
    assert size(world.general) == 1
    await world.alice.send(world.general, f"{world.me} {VOTE}")
    assert await world.key_of(last(world.general)) == "vote"


async def test_whoever_mentions_the_bot_gets_a_reply(world: World):
    await world.alice.send(world.general, f"{world.me} {EGG}")
    assert "nothing on that yet" in last(world.general).content
    await world.alice.send(world.general, world.me)
    assert "Ask me something" in last(world.general).content


async def test_direct_message_always_gets_a_reply(world: World):
    dm = world.alice.user.dm_channel
    await world.alice.send_dm(VOTE)
    assert await world.key_of(last(dm)) == "vote"
    await world.alice.send_dm(EGG)
    assert "nothing on that yet" in last(dm).content
    await world.alice.send_dm("😀")
    assert "nothing on that yet" in last(dm).content


async def test_modes_of_a_channel(world: World):
    async def says(mode: Mode | None, said: str) -> bool:
        await world.app.guilds.set_mode(world.guild.id, channel.id, mode)
        before = size(channel)
        await world.alice.send(channel, said)
        return size(channel) > before + 1

    for mode, question, statement, mention in (
        (Mode.OFF, False, False, False),
        (Mode.MENTION, False, False, True),
        (Mode.QUESTIONS, True, True, True),
        (Mode.ASK, True, True, True),
    ):
        channel = world.guild.create_text_channel(f"room-{mode}")
        assert await says(mode, "pin a message in my channel") is statement, mode
        assert await says(mode, "how can I unpin a message?") is question, mode
        assert await says(mode, f"{world.me} {VOTE}") is mention, mode


async def test_mode_ask_suggests_and_is_silent_without_a_match(world: World):
    await world.app.guilds.set_mode(world.guild.id, world.general.id, Mode.ASK)
    await world.app.guilds.update(world.guild.id, answer_threshold=1.0, suggest_threshold=0.2)
    await world.alice.send(world.general, "pin a message")
    assert "Did you mean" in last(world.general).content
    before = size(world.general)
    await world.alice.send(world.general, EGG)
    assert size(world.general) == before + 1


async def test_mode_questions_wants_more_of_what_reads_like_no_question(world: World):
    said = "pinning messages in my channel"
    found = await world.app.answering.ask(said, guild_id=world.guild.id)
    for threshold, answers in ((found.confidence, False), (found.confidence / 2, True)):
        channel = world.guild.create_text_channel("room")
        await world.app.guilds.set_mode(world.guild.id, channel.id, Mode.QUESTIONS)
        changes = {"answer_threshold": threshold, "suggest_threshold": 0.1}
        await world.app.guilds.update(world.guild.id, **changes)
        await world.alice.send(channel, said)
        assert (size(channel) == 2) is answers
        await world.alice.send(channel, f"{said}?")
        assert size(channel) == 3
        assert await world.key_of(channel.history()[1 if answers else 2]) == "pins"


async def test_mode_questions_does_not_suggest(world: World):
    await world.app.guilds.set_mode(world.guild.id, world.ask.id, Mode.QUESTIONS)
    await world.app.guilds.update(world.guild.id, answer_threshold=1.0, suggest_threshold=0.2)
    await world.alice.send(world.ask, "how can I pin a message?")
    assert size(world.ask) == 1
    await world.alice.send(world.ask, f"{world.me} how can I pin a message?")
    assert "Did you mean" in last(world.ask).content


async def test_discord_threads_follow_their_channel(world: World):
    in_ask = await user_thread(world.env, world.alice, world.ask, "a chat")
    await world.alice.send(in_ask, VOTE)
    assert await world.key_of(last(in_ask)) == "vote"
    in_general = await user_thread(world.env, world.alice, world.general, "a chat")
    await world.alice.send(in_general, VOTE)
    assert last(in_general).author.id == world.alice.id
    await world.app.guilds.set_mode(world.guild.id, world.general.id, Mode.QUESTIONS)
    await world.alice.send(in_general, VOTE)
    assert await world.key_of(last(in_general)) == "vote"


async def test_bots_webhooks_and_system_messages_are_not_heard(world: World):
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    await robot.send(world.ask, VOTE)
    await world.guild.create_webhook(world.ask).send(VOTE)
    world.guild.create_system_message(world.ask, MessageType.NEW_MEMBER, author=world.alice)
    await world.env.settle()
    assert all(not m.author.bot or m.author.name != "TestBot" for m in world.ask.history())


async def test_bare_mention_in_a_reply_asks_for_the_other_message(world: World):
    question = await world.bob.send(world.general, VOTE)
    await world.alice.send(world.general, world.me, reply_to=question)
    assert await world.key_of(last(world.general)) == "vote"


async def test_reply_to_the_bot_is_heard_when_it_asks(world: World):
    await world.alice.send(world.general, f"{world.me} {VOTE}")
    card = last(world.general)
    await world.alice.send(world.general, "thanks a lot", reply_to=card)
    assert last(world.general).content == "thanks a lot"
    await world.alice.send(world.general, "and how can I unpin a message?", reply_to=card)
    assert await world.key_of(last(world.general)) == "unpin"


async def test_same_answer_is_not_repeated_in_a_channel(world: World):
    await world.alice.send(world.ask, VOTE)
    card = last(world.ask)
    await world.bob.send(world.ask, VOTE)
    assert last(world.ask).content == VOTE
    await world.bob.send(world.ask, f"{world.me} {VOTE}")
    said = last(world.ask).content
    assert said.endswith(f"/{world.guild.id}/{world.ask.id}/{card.id}")
    assert len(last(world.ask).embeds) == 0
    await world.bob.send(world.general, f"{world.me} {VOTE}")
    assert await world.key_of(last(world.general)) == "vote"
    await card.delete()
    await world.env.settle()
    await world.bob.send(world.ask, VOTE)
    assert await world.key_of(last(world.ask)) == "vote"


async def test_slash_ask(world: World):
    result = await world.alice.slash(world.general, "ask", question=VOTE, share=True)
    assert shown(result).embeds[0].title == "How do I vote on an answer?"
    assert not shown(result).ephemeral
    assert await world.key_of(shown(result).message) == "vote"
    assert len(shown(result).message.reactions) == 2
    first = next(r for r in world.env.http_requests if "/callback" in r.path)
    assert (first.json or {})["type"] == 5  # deferred before anything is looked up
    nothing = await world.alice.slash(world.general, "ask", question=EGG)
    assert "nothing on that yet" in shown(nothing).content
    blank = await world.alice.slash(world.general, "ask", question="\u200b")
    assert "Ask me something" in shown(blank).content


async def test_slash_ask_repeats_the_question_on_every_reply(world: World):
    async def ask(question: str) -> str:
        result = await world.alice.slash(world.ask, "ask", question=question, share=True)
        assert shown(result).content == last(world.ask).content
        return str(shown(result).content)

    assert await ask(VOTE) == f"-# asked: {VOTE}"
    assert (await ask(VOTE)).startswith(f"-# asked: {VOTE}\nI answered that here a moment ago")
    assert (await ask(EGG)).startswith(f"-# asked: {EGG}\nI have nothing on that yet.")
    await world.app.guilds.update(world.guild.id, answer_threshold=1.0, suggest_threshold=0.0)
    assert (await ask(VOTE)).startswith(f"-# asked: {VOTE}\nDid you mean ")


async def test_slash_ask_repeats_a_hostile_question_harmlessly(world: World):
    said = "@everyone <@1>\n# **boiled** eggs " + "https://x.example/ " * 20
    result = await world.alice.slash(world.general, "ask", question=said)
    note, reply = shown(result).content.split("\n")
    assert len(note) <= 160
    assert "@everyone" not in note
    assert "<@1>" not in note
    assert "\\*\\*boiled" in note
    assert note.endswith("…")
    assert reply.startswith("I have nothing")


async def test_slash_ask_keeps_the_question_through_other_choices(world: World):
    note = "-# asked: how can I pin a message in my channel?"
    await world.app.guilds.update(world.guild.id, suggest_threshold=0.0)
    question = note.removeprefix("-# asked: ")
    await world.alice.slash(world.ask, "ask", question=question, share=True)
    await world.alice.click(last(world.ask), label="Not my question")
    offer = last(world.ask)
    assert offer.content == f"{note}\nTaken back.\nDid you mean one of these?"
    await world.alice.select(offer, [offered(offer)["How can I unpin a message?"]])
    assert await world.key_of(last(world.ask)) == "unpin"
    assert last(world.ask).content == note
    await world.alice.click(last(world.ask), label="Not my question")
    await world.alice.click(last(world.ask), label="None of these")
    assert last(world.ask).content.startswith(f"{note}\nTaken back. Ask again")


async def test_slash_ask_in_a_direct_message(world: World):
    result = await world.alice.user.slash("ask", question=VOTE)
    assert await world.key_of(shown(result).message) == "vote"


async def test_menu_finds_an_answer_to_a_message(world: World):
    question = await world.bob.send(world.general, VOTE)
    result = await world.alice.context_menu(world.general, "Find an answer", question)
    assert await world.key_of(shown(result).message) == "vote"
    assert question.jump_url in shown(result).content
    empty = await world.bob.send(world.general, "", attachments=[("cat.png", b"x")])
    result = await world.alice.context_menu(world.general, "Find an answer", empty)
    assert "no text" in shown(result).content
    assert shown(result).ephemeral


async def test_long_answer_is_cut_and_can_be_read_to_its_end(world: World):
    await world.alice.send(world.general, f"{world.me} where is the backup of the greenhouse plans")
    card = last(world.general)
    assert card.embeds[0].description.endswith("…")
    assert len(card.embeds[0].description) <= 1500
    assert labels(card) == ["Read the rest", "Not my question"]
    opened = await world.bob.click(card, label="Read the rest")
    assert shown(opened).ephemeral
    assert "Paragraph 0 " in shown(opened).embeds[0].description
    text = shown(opened).embeds[0].description
    page = shown(opened)
    while not is_disabled(page, "Next"):
        await world.bob.click(page, label="Next")
        page = shown(opened)
        text += page.embeds[0].description
    assert "Paragraph 39 " in text


async def test_guilds_see_the_shared_library_and_their_own_threads_only(world: World):
    own = Thread(key="club", title="Barbecue, Friday evening?", answers=(Answer(body="Friday."),))
    await world.app.library.add([own], scope=world.guild.id)
    asked = "barbecue friday evening?"
    await world.alice.send(world.ask, asked)
    assert await world.key_of(last(world.ask)) == "club"
    await world.alice.send_dm(asked)
    assert "nothing on that yet" in last(world.alice.user.dm_channel).content
    other = await join_guild(world.env, channels=("ask",))
    member = other.add_member(world.alice.user)
    await member.send(other.channels["ask"], asked)
    assert size(other.channels["ask"]) == 1
    await member.send(other.channels["ask"], VOTE)
    assert await world.key_of(last(other.channels["ask"])) == "vote"


@pytest.mark.parametrize(
    "said",
    [
        "@everyone @here <@&1> <@1> how do I vote on an answer?",
        "**how** __do__ ||I|| ~~vote~~ `on` ```an``` > answer? # [x](https://y.z)",
        "how\u200b do\u200d I vote\u2060 on an answer?\ufeff",
        "how do I vote on an answer? " * 71,
        "x" * 2000,
        "?" * 2000,
        "😀" * 500,
        "投票はどうすればいいですか？",
        "<@0> </x:1> <:a:1> <t:1:R> <id:home>",
    ],
)
async def test_hostile_messages_get_an_answer_or_silence(world: World, said: str):
    for text in (said, f"{world.me} {said}"[:2000]):
        await world.alice.send(world.ask, text)
    await world.alice.send_dm(said)
    for request in world.env.http_requests:
        if request.method == "POST" and request.path.endswith("/messages"):
            assert (request.json or {})["allowed_mentions"]["parse"] == []


async def test_question_of_6000_characters_by_command(world: World):
    result = await world.alice.slash(world.general, "ask", question=("how to vote? " * 500)[:6000])
    result = await world.alice.slash(world.general, "ask", question="?" * 6000)
    assert "nothing on that yet" in shown(result).content


@pytest.mark.simcord(approved_intents=discord.Intents.default(), shard_count=1)
async def test_without_the_message_content_intent(world: World):
    await world.alice.send(world.ask, VOTE)
    assert size(world.ask) == 1
    await world.alice.send(world.ask, f"{world.me} {VOTE}")
    assert await world.key_of(last(world.ask)) == "vote"
    await world.alice.send_dm(VOTE)
    assert await world.key_of(last(world.alice.user.dm_channel)) == "vote"


async def test_bare_mention_under_a_message_that_is_gone(world: World):
    question = await world.bob.send(world.general, VOTE)
    reply = {"message_id": str(question.id), "channel_id": str(world.general.id)}
    world.env.backend.create_message(world.general.id, world.alice.id, world.me, reference=reply)
    world.env.backend.delete_message(world.general.id, question.id)
    await world.env.settle()
    assert last(world.general).author.id != world.alice.id


async def test_carried_into_a_foreign_server_it_knows_the_shared_library_only(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    own = Thread(key="club", title="Barbecue, Friday evening?", answers=(Answer(body="Yes."),))
    await world.app.library.add([own], scope=world.guild.id)
    monkeypatch.setattr(world.bot, "get_guild", lambda guild_id: None)
    result = await world.alice.slash(world.general, "ask", question="barbecue friday evening?")
    assert "nothing on that yet" in shown(result).content
    result = await world.alice.slash(world.general, "ask", question=VOTE)
    posting = await world.app.postings.get(shown(result).id)
    assert posting is not None
    assert posting.guild_id == 0
    assert shown(result).message.reactions == []
    assert "▲ Helpful" in labels(shown(result))
    refused = await world.mo.slash(world.general, "settings show")
    assert shown(refused).content == "This works only in a server."
    assert len(world.env.errors) == 1
