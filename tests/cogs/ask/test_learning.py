"""Phrasings that teach: whose sign teaches what, who profits, and what takes it back."""

from __future__ import annotations

from typing import Any

import pytest

from bot.app import App
from bot.client import ThreadBot
from bot.models import SHARED
from tests.kit.messages import confirm, last, offered, shown, size, vote_id
from tests.kit.simcord import clear_reactions, join_guild, join_now, muted, offline
from tests.kit.world import World

STICK = "how do I stick a note to the top of my channel?"
"""Words in which no thread is put; the bot can only guess what they mean."""

PIN = "How can I pin a message in my channel?"
SLOPPY = "pin a mesage in the chanel of the club, how?"
"""Words by which the bot finds PIN, though it isn't as sure as of PIN itself."""


async def learned(world: World, guild_id: int | None = None) -> list[tuple[str, str]]:
    """The (key, text) pairs that a guild has learned, newest first."""
    found = await world.app.learning.phrasings(guild_id or world.guild.id)
    return [(phrasing.key, phrasing.text) for phrasing in found]


async def ask(world: World, who: Any, channel: Any, question: str) -> Any:
    """Ask the bot by name, and return what it said."""
    await who.send(channel, f"{world.me} {question}")
    return last(channel)


@pytest.fixture
async def menu(world: World) -> Any:
    """Alice asked something, and the bot can only suggest."""
    await world.app.guilds.update(world.guild.id, suggest_threshold=0.0)
    message = await ask(world, world.alice, world.ask, STICK)
    assert PIN in offered(message)
    return message


@pytest.fixture
async def chosen(world: World, menu: Any) -> Any:
    """... and she chose what she meant."""
    await world.alice.select(menu, [offered(menu)[PIN]])
    return last(world.ask)


@pytest.fixture
async def confirmed(world: World, chosen: Any) -> Any:
    """... as did bob, so that it counts for everybody."""
    menu = await ask(world, world.bob, world.general, STICK)
    await world.bob.select(menu, [offered(menu)[PIN]])
    return last(world.general)


@pytest.fixture
async def card(world: World) -> Any:
    """Bob asked in words of his own and got the right answer: one by alice."""
    message = await ask(world, world.bob, world.ask, SLOPPY)
    assert await world.key_of(message) == "pins"
    return message


@pytest.fixture
async def taught(world: World, card: Any) -> Any:
    """... and he voted for it."""
    await world.bob.react(card, "⬆️")
    assert await learned(world) == [("pins", SLOPPY)]
    return card


class TestTeaching:
    async def test_a_choice_teaches_and_who_chose_is_answered(
        self, world: World, menu: Any
    ) -> None:
        before = await ask(world, world.alice, world.general, STICK)
        assert await world.key_of(before) is None
        await world.alice.select(menu, [offered(menu)[PIN]])
        assert await learned(world) == [("pins", STICK)]
        after = await ask(
            world, world.alice, world.general, "How do I STICK a note to the top of my channel"
        )
        assert await world.key_of(after) == "pins"

    async def test_all_are_answered_after_a_second_choice(self, world: World, chosen: Any) -> None:
        menu = await ask(world, world.bob, world.general, STICK)
        assert await world.key_of(menu) is None
        await world.bob.select(menu, [offered(menu)[PIN]])
        assert await learned(world) == [("pins", STICK)]
        other = world.guild.create_text_channel("other")
        after = await ask(world, world.mo, other, "How do I STICK a note to the top of my channel")
        assert await world.key_of(after) == "pins"

    async def test_the_choice_of_a_new_member_is_theirs_alone(
        self, world: World, chosen: Any
    ) -> None:
        eve = join_now(world.env, world.guild, "eve")
        menu = await ask(world, eve, world.general, STICK)
        await eve.select(menu, [offered(menu)[PIN]])
        assert await world.key_of(last(world.general)) == "pins"
        assert await world.key_of(await ask(world, world.bob, world.ask, STICK)) is None
        other = world.guild.create_text_channel("other")
        assert await world.key_of(await ask(world, eve, other, STICK)) == "pins"

    async def test_the_vote_of_a_second_member_confirms_it(self, world: World, chosen: Any) -> None:
        async def known_to_bob(channel: str) -> bool:
            other = world.guild.create_text_channel(channel)
            return await world.key_of(await ask(world, world.bob, other, STICK)) == "pins"

        eve = join_now(world.env, world.guild, "eve")
        await world.alice.react(chosen, "⬆️")
        await eve.react(chosen, "⬆️")
        assert not await known_to_bob("one")
        await world.mo.react(chosen, "⬆️")
        assert await known_to_bob("two")
        await world.mo.unreact(chosen, "⬆️")
        assert not await known_to_bob("three")
        await world.mo.react(chosen, "⬆️")
        await confirm(world.alice, world.general, "forget-me", "Delete it")
        assert await learned(world) == []

    async def test_similar_words_are_offered_it(self, world: World, confirmed: Any) -> None:
        other = world.guild.create_text_channel("other")
        message = await ask(world, world.mo, other, "how can I stick my note to the top?")
        assert await world.key_of(message) is None
        assert next(iter(offered(message))) == PIN

    async def test_the_askers_vote_teaches(self, world: World, card: Any) -> None:
        await world.bob.react(card, "⬆️")
        assert await learned(world) == [("pins", SLOPPY)]
        await world.app.guilds.update(world.guild.id, answer_threshold=0.95)
        assert await world.key_of(await ask(world, world.mo, world.general, SLOPPY)) is None
        answer = await ask(world, world.bob, world.general, SLOPPY)
        assert await world.key_of(answer) == "pins"

    async def test_without_it_the_bot_is_less_sure(self, world: World, card: Any) -> None:
        await world.app.guilds.update(world.guild.id, answer_threshold=0.95)
        assert await world.key_of(await ask(world, world.mo, world.general, SLOPPY)) is None

    async def test_a_question_asked_in_an_ask_channel(self, world: World) -> None:
        await world.bob.send(world.ask, SLOPPY)
        await world.bob.react(last(world.ask), "⬆️")
        assert await learned(world) == [("pins", SLOPPY)]

    async def test_a_question_asked_by_command(self, world: World) -> None:
        result = await world.bob.slash(world.ask, "ask", question=SLOPPY)
        await world.bob.react(shown(result), "⬆️")
        assert await learned(world) == [("pins", SLOPPY)]

    async def test_the_askers_vote_by_a_button_of_the_pager(self, world: World, card: Any) -> None:
        pager = shown(await world.bob.click(card, label="Other answers (1)"))
        await world.bob.click(pager, custom_id=vote_id(pager, "up"))
        assert await learned(world) == []  # that was the other answer, which is now the first
        await world.bob.click(pager, label="Next")
        await world.bob.click(pager, custom_id=vote_id(pager, "up"))
        assert await learned(world) == [("pins", SLOPPY)]

    async def test_what_is_said_in_a_title_already_is_not_learned(self, world: World) -> None:
        message = await ask(world, world.bob, world.ask, "how can i PIN a message in my channel")
        await world.bob.react(message, "⬆️")
        assert await world.tallies("pins") == [1, 0]
        assert await learned(world) == []

    async def test_mentions_and_markup_are_not_learned(self, world: World) -> None:
        said = f"{SLOPPY} {world.mo.mention} https://example.org/secret"
        await world.bob.react(await ask(world, world.bob, world.ask, said), "⬆️")
        assert await learned(world) == [("pins", SLOPPY)]

    async def test_the_same_words_twice_are_one_phrasing(self, world: World, taught: Any) -> None:
        again = await ask(world, world.mo, world.general, SLOPPY.upper())
        await world.mo.react(again, "⬆️")
        assert await learned(world) == [("pins", SLOPPY)]

    async def test_a_choice_after_not_my_question_teaches(self, world: World) -> None:
        await world.app.guilds.update(world.guild.id, suggest_threshold=0.0)
        card = await ask(world, world.bob, world.ask, SLOPPY)
        await world.bob.click(card, label="Not my question")
        menu = last(world.ask)
        unpin = "How can I unpin a message?"
        await world.bob.select(menu, [offered(menu)[unpin]])
        assert await learned(world) == [("unpin", SLOPPY)]
        answer = await ask(world, world.bob, world.general, SLOPPY)
        assert await world.key_of(answer) == "unpin"


class TestNobodyElseTeaches:
    async def test_votes_of_others(self, world: World, card: Any) -> None:
        await world.mo.react(card, "⬆️")
        assert await world.tallies("pins") == [1, 0]
        assert await learned(world) == []

    async def test_choices_of_others(self, world: World, menu: Any) -> None:
        await world.bob.select(menu, [offered(menu)[PIN]])
        assert await learned(world) == []

    async def test_the_answers_own_author(self, world: World) -> None:
        await world.wrote(world.alice, "pins")
        message = await ask(world, world.alice, world.ask, SLOPPY)
        await world.alice.react(message, "⬆️")
        assert await learned(world) == []

    async def test_a_question_that_somebody_else_had_written(self, world: World) -> None:
        said = await world.mo.send(world.general, SLOPPY)
        result = await world.bob.context_menu(world.general, "Find an answer", said)
        await world.bob.react(shown(result), "⬆️")
        assert await world.tallies("pins") == [1, 0]
        assert await learned(world) == []

    @pytest.mark.parametrize("who", ["bob", "mo"])
    async def test_a_bare_mention_under_a_question(self, world: World, who: str) -> None:
        said = await getattr(world, who).send(world.general, SLOPPY)
        await world.bob.send(world.general, world.me, reply_to=said)
        assert await world.key_of(last(world.general)) == "pins"
        await world.bob.react(last(world.general), "⬆️")
        assert await learned(world) == ([("pins", SLOPPY)] if who == "bob" else [])

    async def test_ones_own_question_found_by_the_menu(self, world: World) -> None:
        said = await world.bob.send(world.general, SLOPPY)
        result = await world.bob.context_menu(world.general, "Find an answer", said)
        await world.bob.react(shown(result), "⬆️")
        assert await learned(world) == [("pins", SLOPPY)]

    async def test_direct_messages(self, world: World) -> None:
        await world.bob.send_dm(SLOPPY)
        card = last(world.bob.user.dm_channel)
        assert await world.key_of(card) == "pins"
        await world.bob.user.set_reaction(card, "⬆️", reacted=True)
        thread = await world.app.answering.find("pins")
        assert thread is not None
        assert [answer.tally for answer in thread.answers] == [1, 0]  # it counts as a vote
        assert await world.app.learning.phrasings(SHARED) == []
        assert world.app.learning.question(card.id) == ""

    async def test_a_server_that_does_not_want_it(self, world: World) -> None:
        await world.app.guilds.update(world.guild.id, learn_phrasings=False)
        card = await ask(world, world.bob, world.ask, SLOPPY)
        assert world.app.learning.question(card.id) == ""
        await world.bob.react(card, "⬆️")
        assert await learned(world) == []


class TestTakingBack:
    async def test_the_asker_takes_the_vote_away(self, world: World, taught: Any) -> None:
        await world.bob.unreact(taught, "⬆️")
        assert await learned(world) == []
        await world.bob.react(taught, "⬆️")
        assert await learned(world) == [("pins", SLOPPY)]

    async def test_others_take_their_votes_away(self, world: World, taught: Any) -> None:
        await world.mo.react(taught, "⬆️")
        await world.mo.unreact(taught, "⬆️")
        assert await learned(world) == [("pins", SLOPPY)]

    async def test_the_asker_votes_down(self, world: World, taught: Any) -> None:
        await world.bob.react(taught, "⬇️")
        assert await learned(world) == []

    async def test_anybody_votes_down(self, world: World, taught: Any) -> None:
        await world.mo.react(taught, "⬇️")
        assert await learned(world) == []

    async def test_a_down_vote_that_is_taken_away_brings_nothing_back(
        self, world: World, taught: Any
    ) -> None:
        await world.mo.react(taught, "⬇️")
        await world.mo.unreact(taught, "⬇️")
        await world.mo.react(taught, "⬆️")
        assert await learned(world) == []

    async def test_a_down_vote_where_the_same_words_were_asked(
        self, world: World, confirmed: Any
    ) -> None:
        other = world.guild.create_text_channel("other")
        wrong = await ask(world, world.mo, other, STICK.upper())
        assert await world.key_of(wrong) == "pins"
        await world.mo.react(wrong, "⬇️")
        assert await learned(world) == []
        assert await world.key_of(await ask(world, world.bob, world.general, STICK)) is None

    async def test_a_down_vote_where_other_words_were_asked(
        self, world: World, taught: Any
    ) -> None:
        other = await ask(world, world.mo, world.general, PIN)
        await world.mo.react(other, "⬇️")
        assert await learned(world) == [("pins", SLOPPY)]

    @pytest.mark.parametrize("who", ["alice", "mo"])
    async def test_not_my_question(self, world: World, chosen: Any, who: str) -> None:
        await getattr(world, who).click(chosen, label="Not my question")
        assert await learned(world) == []

    async def test_not_my_question_by_the_next_person(self, world: World, confirmed: Any) -> None:
        other = world.guild.create_text_channel("other")
        wrong = await ask(world, world.mo, other, STICK)
        await world.mo.click(wrong, label="Not my question")
        assert await learned(world) == []

    async def test_a_choice_stays_when_a_vote_comes_and_goes(self, world: World, menu: Any) -> None:
        unpin = "How can I unpin a message?"
        await world.alice.select(menu, [offered(menu)[unpin]])
        await world.alice.react(last(world.ask), "⬆️")
        await world.alice.unreact(last(world.ask), "⬆️")
        assert await learned(world) == [("unpin", STICK)]

    async def test_a_moderator_clears_the_reactions(self, world: World, taught: Any) -> None:
        await clear_reactions(world.env, taught)
        assert await learned(world) == []

    @pytest.mark.parametrize("way", ["up", "down"])
    async def test_buttons_of_the_pager(self, world: World, card: Any, way: str) -> None:
        pager = shown(await world.bob.click(card, label="Other answers (1)"))
        await world.bob.click(pager, label="Back")
        await world.bob.click(pager, custom_id=vote_id(pager, "up"))
        assert await learned(world) == [("pins", SLOPPY)]
        await world.bob.click(pager, custom_id=vote_id(pager, way))
        assert await learned(world) == []

    async def test_what_happened_while_the_connection_was_down(
        self, world: World, taught: Any
    ) -> None:
        async with offline(world.env):
            await world.mo.react(taught, "⬇️")
        assert await learned(world) == []

    async def test_a_posting_that_is_deleted_leaves_what_it_taught(
        self, world: World, taught: Any
    ) -> None:
        await taught.delete()
        await world.env.settle()
        assert await learned(world) == [("pins", SLOPPY)]
        assert world.app.learning.question(taught.id) == ""

    async def test_none_of_these_ends_it(self, world: World, menu: Any) -> None:
        assert world.app.learning.question(menu.id) == STICK
        await world.alice.click(menu, label="None of these")
        assert world.app.learning.question(menu.id) == ""


class TestIsolation:
    async def test_another_server_learns_nothing(self, world: World, chosen: Any) -> None:
        other = await join_guild(world.env, "Other club", ["ask"])
        member = other.add_member(world.env.create_user("eve"))
        await world.app.guilds.update(other.id, suggest_threshold=0.0)
        message = await ask(world, member, other.channels["ask"], STICK)
        assert await world.key_of(message) is None
        assert await learned(world, other.id) == []

    async def test_direct_messages_know_nothing_of_it(self, world: World, chosen: Any) -> None:
        await world.alice.send_dm(STICK)
        assert await world.key_of(last(world.alice.user.dm_channel)) is None

    async def test_switched_off_it_is_not_used(self, world: World, chosen: Any) -> None:
        await world.app.guilds.update(world.guild.id, learn_phrasings=False)
        assert await world.key_of(await ask(world, world.alice, world.general, STICK)) is None
        await world.app.guilds.update(world.guild.id, learn_phrasings=True)
        assert await world.key_of(await ask(world, world.alice, world.general, STICK)) == "pins"

    async def test_titles_are_completed_without_doubles(self, world: World, taught: Any) -> None:
        for typed in ("", "pin", "pin a mesage"):
            choices = await world.bob.autocomplete(world.ask, "thread", "query", typed)
            values = [choice["value"] for choice in choices]
            assert values.count("pins") == 1, typed
            assert len(values) == len(set(values))


class TestRestart:
    """A new process: another application on the same data folder, and a bot on it."""

    @staticmethod
    async def reopened(world: World) -> App:
        again = await App.open(world.app.settings)
        await world.env.restart_bot(ThreadBot(again, shard_count=1))
        return again

    async def test_what_was_learned_lasts(self, world: World, chosen: Any) -> None:
        app = await self.reopened(world)
        message = await ask(world, world.alice, world.general, STICK)
        assert message.embeds[0].title == PIN
        await app.close()

    async def test_an_old_posting_teaches_nothing(self, world: World, card: Any) -> None:
        app = await self.reopened(world)
        await world.bob.react(card, "⬆️")
        assert await world.tallies("pins") == [1, 0]
        assert await learned(world) == []
        await app.close()

    async def test_an_old_posting_can_be_taken_back(self, world: World, taught: Any) -> None:
        app = await self.reopened(world)
        await world.bob.unreact(taught, "⬆️")
        assert await learned(world) == []
        await app.close()

    async def test_a_vote_taken_away_while_the_bot_was_away(
        self, world: World, taught: Any
    ) -> None:
        with muted(world.env):
            await world.bob.unreact(taught, "⬆️")
        app = await self.reopened(world)
        assert await learned(world) == []
        await app.close()


async def test_forget_me_deletes_what_a_member_taught(world: World, taught: Any) -> None:
    await ask(world, world.mo, world.general, "how can I unpin a mesage please")
    await world.mo.react(last(world.general), "⬆️")
    left = await confirm(world.bob, world.general, "forget-me", "Delete it")
    assert "1 vote and 1 phrasing of yours deleted" in left.content
    assert [key for key, _ in await learned(world)] == ["unpin"]
    assert world.app.learning.question(taught.id) == ""


async def test_what_is_asked_and_not_confirmed_is_nowhere_on_the_disk(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "how can I pin a message that says xylophonic?"
    before = size(world.ask)
    await ask(world, world.bob, world.ask, secret)
    assert size(world.ask) > before + 1
    folder = world.app.settings.data_dir
    assert not [f for f in folder.rglob("*") if f.is_file() and b"xylophon" in f.read_bytes()]
    assert "xylophon" not in caplog.text
