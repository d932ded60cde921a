"""Members have a say in what they wrote: without their name, out for good; edits and deletions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from simcord import MemberActor
from sqlalchemy import select, update

from bot.curation import Action
from bot.store.curation_tables import answer_messages, author_choices, revisions
from cogs.voting.tally_updater import PAUSE
from tests.cogs.curating.test_saving import ANSWER, QUESTION, answers, reply, save
from tests.kit.messages import labels, last, shown, told
from tests.kit.revisions import kept
from tests.kit.simcord import muted
from tests.kit.world import World


@pytest.fixture
async def saved(world: World, hal: MemberActor) -> Any:
    """Bob's message, saved by hal as the answer to alice's question."""
    message = await reply(world)
    await save(world, hal, message)
    return message


async def choose(world: World, member: MemberActor, label: str) -> str:
    asked = await member.slash(world.general, "forget-me")
    return str(told(await member.click(shown(asked), label=label)).content)


async def everything_kept(world: World) -> str:
    """All states of all threads, as the database has them."""
    async with world.app.database.read() as connection:
        # As JSON: a row's own representation leaves out the middle of what is long.
        return json.dumps((await connection.scalars(select(revisions.c.state))).all())


async def test_everybody_is_asked_and_told_how_much_there_is(world: World, saved: Any):
    asked = shown(await world.bob.slash(world.general, "forget-me"))
    assert "The library has 1 text that you wrote on Discord." in asked.content
    assert labels(asked) == ["Delete it", "Take my name off", "Take my words out", "Cancel"]
    asked = shown(await world.mo.slash(world.general, "forget-me"))
    assert "The library has" not in asked.content


async def test_the_name_goes_and_the_words_stay(world: World, hal: MemberActor, saved: Any):
    said = await choose(world, world.bob, "Take my name off")
    assert said == "Done: your name is off 1 text, and off whatever is saved from now on."
    thread = await world.app.answering.find(QUESTION, guild_id=world.guild.id)
    assert thread is not None
    (answer,) = thread.answers
    assert (answer.author, answer.body) == (None, ANSWER)
    assert "bob" not in await everything_kept(world)
    await world.app.curating.undo(world.guild.id, hal.id, thread.id)
    await world.app.curating.undo(world.guild.id, hal.id, thread.id)
    again = await world.app.answering.find(QUESTION, guild_id=world.guild.id)
    assert again is not None
    assert again.answers[0].author is None


async def test_the_words_go_for_good(world: World, hal: MemberActor, saved: Any):
    await world.bob.send(world.ask, "does anybody hear me?")
    said = await choose(world, world.bob, "Take my words out")
    assert said == "Done: 1 text of yours is deleted, and nothing of yours is saved from now on."
    assert await answers(world) is None
    assert ANSWER not in await everything_kept(world)
    refused = await hal.context_menu(world.general, "Save as answer", await reply(world))
    assert shown(refused).content.startswith("Whoever wrote that message asked me")


async def test_of_two_answers_the_other_stays(world: World, hal: MemberActor, saved: Any):
    thread = await world.app.answering.find(QUESTION, guild_id=world.guild.id)
    assert thread is not None
    other = await world.mo.send(world.general, "Ask the gardener.")
    await save(world, hal, other, title="Who has the key of the shed?")
    second = await world.app.answering.find("Who has the key of the shed?", guild_id=world.guild.id)
    assert second is not None
    await world.app.curating.merge(world.guild.id, hal.id, thread.id, second.id)
    await choose(world, world.bob, "Take my words out")
    left = await world.app.answering.find(QUESTION, guild_id=world.guild.id)
    assert left is not None
    assert [answer.body for answer in left.answers] == ["Ask the gardener."]


async def test_an_asker_takes_the_question_out(world: World, saved: Any):
    said = await choose(world, world.alice, "Take my words out")
    assert "1 text" in said
    assert await answers(world) is None
    assert QUESTION not in await everything_kept(world)


async def test_it_can_be_taken_back(world: World, hal: MemberActor):
    await choose(world, world.bob, "Take my words out")
    said = await choose(world, world.bob, "My words may be kept")
    assert said.startswith("Noted")
    async with world.app.database.read() as connection:
        assert (await connection.execute(select(author_choices))).all() == []
    await save(world, hal, await reply(world))
    assert (await answers(world) or "").startswith(ANSWER)


async def test_forgetting_takes_the_helper_off_what_they_changed(world: World, hal: MemberActor):
    await save(world, hal, await reply(world))
    asked = await hal.slash(world.general, "forget-me")
    await hal.click(shown(asked), label="Delete it")
    (revision,) = await kept(world.app, world.guild.id)
    assert (revision.action, revision.user_id) == (Action.SAVED, 0)


async def test_deleting_the_message_takes_the_answer_out(world: World, saved: Any):
    await world.alice.send(world.ask, QUESTION)
    card = last(world.ask)
    await world.bob.delete(saved)
    await world.env.advance_time(PAUSE * 2)
    drawn = next(m for m in world.ask.history() if m.id == card.id)
    assert drawn.embeds[0].description == "This answer was taken out of the library."
    thread = await world.app.answering.find(QUESTION, guild_id=world.guild.id)
    assert thread is None or thread.title != QUESTION


async def test_an_edit_is_proposed_and_replaces_nothing(world: World, hal: MemberActor, saved: Any):
    await world.bob.edit(saved, "It is under the mat now.")
    assert (await answers(world) or "").startswith(ANSWER)
    (proposed,) = await kept(world.app, world.guild.id, proposed=True)
    listed = shown(await hal.slash(world.general, "answer history"))
    assert "the source says something new" in listed.content
    await world.app.curating.restore(world.guild.id, hal.id, proposed.id)
    thread = await world.app.answering.find(QUESTION, guild_id=world.guild.id)
    assert thread is not None
    assert thread.answers[0].body == "It is under the mat now."


async def age(world: World) -> None:
    """Have all messages looked at so long ago that they are looked at again."""
    async with world.app.database.write() as connection:
        await connection.execute(update(answer_messages).values(checked_at=0))


@pytest.fixture
def looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The messages that Discord is asked for, by id."""
    asked, fetch = list[int](), world.bot.http.get_message

    def get_message(channel_id: int, message_id: int) -> Any:
        asked.append(message_id)
        return fetch(channel_id, message_id)

    monkeypatch.setattr(world.bot.http, "get_message", get_message)
    return asked


async def test_what_was_deleted_while_away_is_noticed_before_it_is_shown(
    world: World, saved: Any, looked_at: list[int]
):
    await world.bot.remove_cog("SourceMessages")  # as if the bot were away
    await world.bob.delete(saved)
    await age(world)
    assert await answers(world) is None
    thread = await world.app.answering.find(QUESTION, guild_id=world.guild.id)
    assert thread is None or thread.title != QUESTION


class TestNoticedWhileAway:
    """Nothing shows an answer whose message was deleted while the bot was away."""

    @pytest.fixture
    async def gone(self, world: World, hal: MemberActor, saved: Any, looked_at: list[int]) -> Any:
        """The thread of a message that was deleted, with another answer of a message."""
        other = await world.mo.send(world.general, "Ask the gardener.")
        await save(world, hal, other, title="Who has the key of the shed?")
        found = world.app.answering.find
        pair = [
            await found(title, guild_id=world.guild.id)
            for title in (QUESTION, "Who has the key of the shed?")
        ]
        first, second = (thread.id for thread in pair if thread is not None)
        done = await world.app.curating.merge(world.guild.id, hal.id, first, second)
        await world.bot.remove_cog("SourceMessages")  # as if the bot were away
        await world.bob.delete(saved)
        await age(world)
        return done

    async def test_in_the_pager(self, world: World, gone: Any):
        page = shown(await world.alice.slash(world.general, "thread", query=f"#{gone.thread_id}"))
        assert "Ask the gardener." in page.embeds[0].description
        assert "answer 1 of 1" in page.embeds[0].footer.text

    async def test_by_ask(self, world: World, gone: Any):
        card = shown(await world.alice.slash(world.general, "ask", question=QUESTION))
        assert "Ask the gardener." in card.embeds[0].description

    async def test_by_the_menu(self, world: World, gone: Any):
        asked = await world.alice.send(world.general, QUESTION)
        card = shown(await world.alice.context_menu(world.general, "Find an answer", asked))
        assert "Ask the gardener." in card.embeds[0].description

    async def test_when_it_is_shared(self, world: World, gone: Any):
        card = shown(await world.alice.slash(world.general, "ask", question=QUESTION))
        backend = world.env.backend
        (message,) = [m for m in world.general.history() if m.content == "Ask the gardener."]
        with muted(world.env):
            backend.delete_message(world.general.id, message.id)
        await age(world)
        refused = await world.alice.click(card, label="Share")
        assert told(refused).content == "That thread is not in the library any more."

    async def test_when_it_is_chosen(self, world: World, gone: Any):
        await world.app.guilds.update(world.guild.id, answer_threshold=1.0, suggest_threshold=0.0)
        await world.alice.send(world.general, f"{world.me} {QUESTION}")
        await world.alice.click(last(world.general), label="Yes, that one")
        assert "Ask the gardener." in last(world.general).embeds[0].description

    async def test_if_nothing_is_left(
        self, world: World, hal: MemberActor, saved: Any, looked_at: list[int]
    ):
        thread = await world.app.answering.find(QUESTION, guild_id=world.guild.id)
        assert thread is not None
        await world.bot.remove_cog("SourceMessages")
        await world.bob.delete(saved)
        await age(world)
        page = shown(await world.alice.slash(world.general, "thread", query=f"#{thread.id}"))
        assert page.content == "That thread is not in the library any more."


async def test_a_message_is_looked_at_once_a_day(world: World, saved: Any, looked_at: list[int]):
    await answers(world)
    assert looked_at == []  # it was there when it was saved
    await age(world)
    for member in (world.alice, world.bob):
        await member.send(world.general, f"{world.me} {QUESTION}")
    assert looked_at == [saved.id]
