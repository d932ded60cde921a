"""Channels made for asking: quiet suggestions, marks, several questions in one message."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.errors import StoreBusy
from bot.message_records import UnansweredQuestion
from bot.models import Answer, Mode, Thread
from cogs.ask import quiet_suggestions, unanswered_marks
from tests.kit.messages import confirm, items, labels, last, shown, size, told
from tests.kit.simcord import say_meanwhile, user_thread
from tests.kit.waiting import until
from tests.kit.world import World

EGG = "how long do eggs boil?"
VOTE = "how do I vote on an answer?"
UNPIN = "how can I unpin a message?"


def marks(message: Any) -> list[str]:
    return [str(reaction.emoji) for reaction in message.reactions]


def message_of(channel: Any, message: Any) -> Any:
    return next(m for m in channel.history() if m.id == message.id)


@pytest.fixture
async def unsure(world: World) -> World:
    """A server in which the bot is never sure."""
    await world.app.guilds.update(world.guild.id, answer_threshold=1.0, suggest_threshold=0.2)
    return world


async def busy(*_given: object) -> None:
    raise StoreBusy("the database is busy")


class TestQuietSuggestions:
    async def test_are_one_line_without_a_notification(self, unsure: World) -> None:
        await unsure.alice.send(unsure.ask, "pin a message")
        quiet = last(unsure.ask)
        assert quiet.content.startswith("-# Did you mean")
        assert quiet.embeds == []
        assert quiet.flags.suppress_notifications
        assert 1 <= len(items(quiet)) <= 3
        assert "How can I pin a message in my channel?" in labels(quiet)

    async def test_a_press_of_the_asker_shows_the_answer(self, unsure: World) -> None:
        await unsure.alice.send(unsure.ask, "pin a message")
        quiet = last(unsure.ask)
        pins = next(i for i in items(quiet) if "pin a message in" in i["label"])
        await unsure.alice.click(quiet, custom_id=pins["custom_id"])
        assert await unsure.key_of(last(unsure.ask)) == "pins"
        assert last(unsure.ask).content == ""
        posting = await unsure.app.postings.get(last(unsure.ask).id)
        assert posting is not None
        assert len(posting.alternatives) == len(items(quiet)) - 1
        assert await unsure.app.temporary_messages.every() == []

    async def test_a_press_of_another_shows_it_privately(self, unsure: World) -> None:
        await unsure.alice.send(unsure.ask, "pin a message")
        quiet = last(unsure.ask)
        result = await unsure.bob.click(quiet, custom_id=items(quiet)[0]["custom_id"])
        assert result.followups[-1].ephemeral if result.followups else shown(result).ephemeral
        assert last(unsure.ask).id == quiet.id
        assert len(await unsure.app.temporary_messages.every()) == 1

    async def test_untouched_go_after_a_while(
        self, unsure: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(quiet_suggestions, "UNTOUCHED_SECONDS", 0.01)
        question = await unsure.alice.send(unsure.ask, "pin a message")
        await until(lambda: last(unsure.ask).id == question.id)
        assert await unsure.app.temporary_messages.every() == []

    async def test_untouched_go_after_a_restart_too(
        self, unsure: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        question = await unsure.alice.send(unsure.ask, "pin a message")
        (kept,) = await unsure.app.temporary_messages.every()
        await unsure.app.temporary_messages.drop(kept.message_id)
        await unsure.app.temporary_messages.note(
            kept.message_id, kept.channel_id, kept.guild_id, 0.0
        )
        await unsure.restart()
        await until(lambda: last(unsure.ask).id == question.id)

    async def test_untouched_go_though_they_were_not_recorded(
        self, unsure: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(unsure.app.temporary_messages, "note", busy)
        monkeypatch.setattr(quiet_suggestions, "UNTOUCHED_SECONDS", 0.01)
        question = await unsure.alice.send(unsure.ask, "pin a message")
        await until(lambda: last(unsure.ask).id == question.id)

    async def test_a_press_counts_though_it_is_not_recorded(
        self, unsure: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await unsure.alice.send(unsure.ask, "pin a message")
        quiet, drop = last(unsure.ask), unsure.app.temporary_messages.drop
        pins = next(i for i in items(quiet) if "pin a message in" in i["label"])
        monkeypatch.setattr(unsure.app.temporary_messages, "drop", busy)
        await unsure.alice.click(quiet, custom_id=pins["custom_id"])
        monkeypatch.setattr(unsure.app.temporary_messages, "drop", drop)
        await unsure.env.advance_time(quiet_suggestions.UNTOUCHED_SECONDS + 1)
        assert await unsure.app.temporary_messages.every() == []
        assert await unsure.key_of(last(unsure.ask)) == "pins"

    async def test_addressed_the_bot_asks_aloud(self, unsure: World) -> None:
        await unsure.alice.send(unsure.ask, f"{unsure.me} pin a message")
        assert not last(unsure.ask).flags.suppress_notifications


class TestMarks:
    async def test_a_question_it_has_nothing_on_is_marked(self, world: World) -> None:
        question = await world.alice.send(world.ask, EGG)
        assert marks(last(world.ask)) == ["👀"]
        kept = await world.app.unanswered.get(question.id)
        assert kept is not None
        assert (kept.asker_id, kept.guild_id) == (world.alice.id, world.guild.id)

    async def test_with_the_servers_own_sign_or_none(self, world: World) -> None:
        result = await world.mo.slash(world.general, "settings unanswered", emoji="🕰️")
        assert "🕰️" in shown(result).content
        await world.alice.send(world.ask, EGG)
        assert marks(last(world.ask)) == ["🕰️"]
        result = await world.mo.slash(world.general, "settings unanswered", emoji="Off")
        assert "don't mark" in shown(result).content
        await world.bob.send(world.ask, "how tall is a giraffe?")
        assert marks(last(world.ask)) == []

    async def test_no_word_is_a_sign(self, world: World) -> None:
        result = await world.mo.slash(world.general, "settings unanswered", emoji="eyes")
        assert "not an emoji" in told(result).content
        assert len(world.env.errors) == 1
        world.env.errors.clear()

    async def test_the_next_message_of_another_takes_it_away(self, world: World) -> None:
        question = await world.alice.send(world.ask, EGG)
        await world.alice.send(world.ask, "in a small pot")
        assert marks(message_of(world.ask, question)) == ["👀"]
        await world.bob.send(world.ask, "thanks")
        assert marks(message_of(world.ask, question)) == ["👀"]
        await world.bob.send(world.ask, "seven minutes or so")
        assert marks(message_of(world.ask, question)) == []
        assert await world.app.unanswered.get(question.id) is None

    async def test_a_reply_to_another_question_leaves_it(self, world: World) -> None:
        first = await world.alice.send(world.ask, EGG)
        second = await world.bob.send(world.ask, "how tall is a giraffe, roughly?")
        assert marks(message_of(world.ask, first)) == []  # the next message
        await world.mo.send(world.ask, "five metres", reply_to=second)
        assert marks(message_of(world.ask, second)) == []

    async def test_a_later_message_takes_nothing_away(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        question = await world.alice.send(world.ask, EGG)
        monkeypatch.setattr(unanswered_marks, "ANSWER_SECONDS", 0.0)
        await world.bob.send(world.ask, "what a nice day it is")
        assert marks(message_of(world.ask, question)) == ["👀"]
        await world.bob.send(world.ask, "seven minutes", reply_to=question)  # but a reply does
        assert marks(message_of(world.ask, question)) == []

    async def test_the_asker_takes_it_away_and_nobody_else(self, world: World) -> None:
        question = await world.alice.send(world.ask, EGG)
        await world.bob.react(question, "👀")
        assert "👀" in marks(message_of(world.ask, question))
        assert await world.app.unanswered.get(question.id) is not None
        await world.alice.react(question, "👀")
        assert await world.app.unanswered.get(question.id) is None
        (sign,) = message_of(world.ask, question).reactions
        assert not sign.me

    async def test_a_deleted_question_is_forgotten(self, world: World) -> None:
        question = await world.alice.send(world.ask, EGG)
        await world.alice.delete(question)
        assert await world.app.unanswered.get(question.id) is None

    async def test_forget_me_forgets_the_question(self, world: World) -> None:
        question = await world.alice.send(world.ask, EGG)
        await confirm(world.alice, world.general, "forget-me", "Delete it")
        assert await world.app.unanswered.get(question.id) is None

    async def test_after_a_restart_an_answer_still_takes_it_away(self, world: World) -> None:
        question = await world.alice.send(world.ask, EGG)
        await world.restart()
        await world.bob.send(world.ask, "seven minutes or so")
        assert await world.app.unanswered.get(question.id) is None

    async def test_an_answer_while_the_mark_is_made_leaves_none(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked_for, kept = asyncio.Event(), world.app.unanswered
        record, look = kept.note, kept.get

        async def answered_first(question: UnansweredQuestion) -> None:
            say_meanwhile(world.env, world.bob, world.ask, "seven minutes or so")
            await looked_for.wait()
            await record(question)

        async def noticed(message_id: int) -> UnansweredQuestion | None:
            found = await look(message_id)
            looked_for.set()
            return found

        monkeypatch.setattr(kept, "note", answered_first)
        monkeypatch.setattr(kept, "get", noticed)
        question = await world.alice.send(world.ask, EGG)
        assert marks(message_of(world.ask, question)) == []
        assert await world.app.unanswered.get(question.id) is None

    @pytest.mark.parametrize("broken", ["get", "drop"])
    async def test_what_the_record_loses_costs_no_answer(
        self,
        world: World,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        broken: str,
    ) -> None:
        question = await world.alice.send(world.ask, EGG)

        monkeypatch.setattr(world.app.unanswered, broken, busy)
        await world.bob.send(world.ask, VOTE)
        assert await world.key_of(last(world.ask)) == "vote"
        await world.alice.react(question, "👀")
        if broken == "drop":
            await world.alice.delete(question)
        assert world.env.errors == []
        assert "the database is busy" in caplog.text

    async def test_what_is_no_question_gets_none(self, world: World) -> None:
        async def marked(actor: Any, said: str, reply_to: Any = None) -> bool:
            sent = await actor.send(world.ask, said, reply_to=reply_to)
            return marks(message_of(world.ask, sent)) != []

        assert not await marked(world.alice, "hello everyone!")
        assert not await marked(world.mo, EGG)  # who manages the server helps
        helpers = world.guild.create_role("Helpers")
        helper = world.guild.add_member(world.env.create_user("helga"), roles=[helpers])
        await world.app.guilds.update(world.guild.id, helper_role_ids=(helpers.id,))
        assert not await marked(helper, EGG)
        question = await world.alice.send(world.ask, EGG)
        assert not await marked(world.bob, "seven minutes should do", reply_to=question)
        assert not await marked(world.bob, "and salt in the water")  # who just answered
        assert not await marked(world.alice, "how long do they cool?")  # one in two minutes

    async def test_later_messages_in_a_thread_get_none(self, world: World) -> None:
        thread = await user_thread(world.env, world.alice, world.ask, "eggs")
        await world.alice.send(thread, EGG)
        assert marks(last(thread)) == []

    async def test_no_other_mode_marks(self, world: World) -> None:
        await world.app.guilds.set_mode(world.guild.id, world.general.id, Mode.QUESTIONS)
        await world.alice.send(world.general, EGG)
        assert marks(last(world.general)) == []


class TestSeveralQuestions:
    async def test_both_are_answered_if_both_are_sure(self, world: World) -> None:
        await world.alice.send(world.ask, f"Hi! {VOTE} And {UNPIN}")
        first, second = world.ask.history()[-2:]
        assert [await world.key_of(m) for m in (first, second)] == ["vote", "unpin"]
        assert first.content == f"-# on: {VOTE[0]}{VOTE[1:]}"
        assert "left the rest" not in first.content + second.content

    async def test_one_is_answered_and_the_rest_is_named(self, world: World) -> None:
        await world.alice.send(world.ask, f"{EGG} {VOTE}")
        assert await world.key_of(last(world.ask)) == "vote"
        assert "left the rest of your message" in last(world.ask).content
        assert size(world.ask) == 2

    async def test_small_talk_is_none_of_them(self, world: World) -> None:
        thread = Thread(key="how", title="How are you?", answers=(Answer(body="Well."),))
        await world.app.library.add([thread])
        await world.alice.send(world.ask, f"Hi! How are you? {VOTE} {UNPIN}")
        first, second = world.ask.history()[-2:]
        assert [await world.key_of(m) for m in (first, second)] == ["vote", "unpin"]

    async def test_a_command_answers_the_first(self, world: World) -> None:
        result = await world.alice.slash(
            world.general, "ask", question=f"{VOTE} {UNPIN}", share=True
        )
        assert "left the rest" in shown(result).content
        assert await world.key_of(shown(result)) == "vote"

    async def test_none_sure_is_taken_as_one(self, world: World) -> None:
        await world.alice.send(world.ask, f"{EGG} how tall is a giraffe?")
        assert marks(last(world.ask)) == ["👀"]
