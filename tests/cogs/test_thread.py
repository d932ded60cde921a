"""/thread, its autocomplete, and the private pager."""

from __future__ import annotations

import pytest

from bot.models import Answer, Match, Thread, Vote
from cogs.thread import choices
from tests.kit.messages import is_disabled, items, labels, last, shown, told, vote_id
from tests.kit.world import World


async def test_question_then_answers_best_first(world: World):
    opened = await world.alice.slash(world.general, "thread", query="vote")
    page = shown(opened)
    assert page.ephemeral
    assert page.embeds[0].title == "How do I vote on an answer?"
    assert page.embeds[0].description.startswith("I see arrows")
    assert page.embeds[0].author.name == "Question"
    assert "2 answers" in page.embeds[0].footer.text
    assert labels(page) == ["Back", "Next"]
    assert is_disabled(page, "Back")
    await world.alice.click(page, label="Next")
    assert "React with" in shown(opened).embeds[0].description
    assert "answer 1 of 2" in shown(opened).embeds[0].footer.text
    assert labels(shown(opened)) == ["Back", "Next", "Helpful", "Not helpful"]
    await world.alice.click(shown(opened), label="Next")
    assert "Use the buttons" in shown(opened).embeds[0].description
    assert is_disabled(shown(opened), "Next")
    await world.alice.click(shown(opened), label="Back")
    await world.alice.click(shown(opened), label="Back")
    assert shown(opened).embeds[0].author.name == "Question"


async def test_question_that_is_its_title_alone_opens_on_its_best_answer(world: World):
    opened = await world.alice.slash(world.general, "thread", query="pins")
    assert "Open its menu and choose" in shown(opened).embeds[0].description
    assert "answer 1 of 2" in shown(opened).embeds[0].footer.text
    await world.alice.click(shown(opened), label="Back")
    assert shown(opened).embeds[0].author.name == "Question"


async def test_a_vote_is_shown_to_its_member_alone(world: World):
    opened = await world.alice.slash(world.general, "thread", query="unpin")
    await world.alice.click(shown(opened), custom_id=vote_id(shown(opened), "down"))
    again = await world.alice.slash(world.general, "thread", query="unpin")
    assert labels(shown(again))[2:] == ["Helpful", "You voted against it"]
    for other in (
        await world.bob.slash(world.general, "thread", query="unpin"),
        await world.alice.slash(world.general, "thread", query="unpin", share=True),
    ):
        assert labels(shown(other))[2:] == ["Helpful", "Not helpful"]


async def test_by_words_and_by_id(world: World):
    by_words = await world.alice.slash(world.general, "thread", query="voting on an answer, how")
    assert shown(by_words).embeds[0].title == "How do I vote on an answer?"
    thread = await world.app.answering.find("pins")
    assert thread is not None
    by_id = await world.alice.slash(world.general, "thread", query=f"#{thread.id}")
    assert shown(by_id).embeds[0].title == thread.title


async def test_unknown_thread(world: World):
    result = await world.alice.slash(world.general, "thread", query="zzz @everyone xyzzy")
    assert "I don't know that thread." in shown(result).content
    result = await world.alice.slash(world.general, "thread", query="#999")
    assert "/ask" in shown(result).content


async def test_autocomplete_offers_titles(world: World):
    for typed in ("how do i vo", "vote", "answr"):
        offers = await world.alice.autocomplete(world.general, "thread", "query", typed)
        assert offers[0] == {"name": "How do I vote on an answer?", "value": "vote"}, typed


async def test_autocomplete_that_fails_offers_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def fail(*args, **kwargs):
        raise RuntimeError("the index is gone")

    monkeypatch.setattr(world.app.answering, "complete", fail)
    assert await world.alice.autocomplete(world.general, "thread", "query", "vo") == []
    assert "autocomplete failed" in caplog.text


def test_choices_keep_within_discords_limits():
    matches = [Match(n, "k" * n, "😀" * 5 * n, 0.5) for n in range(1, 60)]
    matches[0] = Match(3, "x" * 101, "  \n ", 0.5)
    matches[1] = Match(4, "#12", "looks like an id", 0.5)
    made = choices(matches)
    assert len(made) == 25
    assert all(1 <= len(c.name) <= 100 and 1 <= len(c.value) <= 100 for c in made)
    assert [c.value for c in made[:2]] == ["#3", "#4"]
    assert all(1 <= len(c.name.encode("utf-16-le")) // 2 <= 100 for c in made)


async def test_other_answers_button(world: World):
    await world.alice.send(world.ask, "how do I vote on an answer?")
    card = last(world.ask)
    await world.restart()
    opened = await world.bob.click(card, label="Other answers (1)")
    assert shown(opened).ephemeral
    assert "Use the buttons" in shown(opened).embeds[0].description
    assert "answer 2 of 2" in shown(opened).embeds[0].footer.text
    assert not is_disabled(shown(opened), "Back")
    await world.bob.click(shown(opened), label="Back")
    assert "answer 1 of 2" in shown(opened).embeds[0].footer.text
    assert is_disabled(shown(opened), "Back")


async def test_pager_survives_a_restart(world: World):
    opened = await world.alice.slash(world.general, "thread", query="vote")
    await world.restart()
    await world.alice.click(shown(opened), label="Next")
    assert "answer 1 of 2" in shown(opened).embeds[0].footer.text


async def test_vote_buttons_change_the_tally_and_the_next_answer(world: World):
    await world.wrote(world.alice, "pins")
    opened = await world.alice.slash(world.general, "thread", query="pins")
    await world.bob.send(world.general, "…")
    page = shown(opened)
    own = await world.alice.click(page, custom_id=vote_id(page, "up"))
    assert own.followups[0].content == "You can't vote on your own answer."
    assert own.followups[0].ephemeral
    await world.alice.click(page, label="Next")
    await world.alice.click(page, custom_id=vote_id(page, "up"))
    assert "You voted for it. The answer stands at +1." in shown(opened).content
    assert "▲ 1" in shown(opened).embeds[0].footer.text
    assert labels(shown(opened))[2:] == ["You voted for it", "Not helpful"]
    assert await world.tallies("pins") == [0, 1]
    await world.bob.send(world.ask, "how can i pin a message in my channel?")
    assert last(world.ask).embeds[0].description == "Ask a moderator."
    await world.alice.click(shown(opened), custom_id=vote_id(shown(opened), "up"))
    assert "taken back" in shown(opened).content
    assert await world.tallies("pins") == [0, 0]
    assert labels(shown(opened))[2:] == ["Helpful", "Not helpful"]
    await world.alice.click(shown(opened), custom_id=vote_id(shown(opened), "down"))
    assert await world.tallies("pins") == [0, -1]


async def test_vote_buttons_carry_the_guilds_own_emoji(world: World):
    good = world.guild.create_emoji("good")
    await world.env.settle()
    for up, spelt in ((f"<:good:{good.id}>", ("good", good.id)), ("👍🏽", ("👍🏽", None))):
        await world.app.guilds.update(world.guild.id, up_emoji=up, down_emoji="👎")
        opened = await world.alice.slash(world.general, "thread", query="vote")
        await world.alice.click(shown(opened), label="Next")
        buttons = items(shown(opened))[2:]
        assert [(b["emoji"]["name"], b["emoji"].get("id")) for b in buttons] == [
            spelt,
            ("👎", None),
        ]
        assert labels(shown(opened))[2:] == ["Helpful", "Not helpful"]


async def test_vote_buttons_without_usable_emoji_have_plain_signs(
    world: World, caplog: pytest.LogCaptureFixture
):
    opened = await world.alice.slash(world.general, "thread", query="vote")
    world.env.inject_error("PATCH", "/webhooks/*/*/messages/*", status=400, code=50035)
    await world.alice.click(shown(opened), label="Next")
    assert labels(shown(opened)) == ["Back", "Next", "▲ Helpful", "▼ Not helpful"]
    assert "no buttons with" in caplog.text
    await world.app.guilds.update(world.guild.id, up_emoji="up", down_emoji="👎")
    opened = await world.alice.slash(world.general, "thread", query="vote")
    await world.alice.click(shown(opened), label="Next")
    assert labels(shown(opened)) == ["Back", "Next", "▲ Helpful", "▼ Not helpful"]


async def test_page_that_discord_does_not_take_for_another_reason(world: World):
    opened = await world.alice.slash(world.general, "thread", query="vote")
    world.env.inject_error("PATCH", "/webhooks/*/*/messages/*", status=500)
    result = await world.alice.click(shown(opened), label="Next")
    assert "did not take my reply" in told(result).content


async def test_shared_thread_is_everybodys_to_read_and_nobodys_to_turn(world: World):
    shared = await world.alice.slash(world.general, "thread", query="vote", share=True)
    message = shown(shared)
    assert not message.ephemeral
    private = await world.bob.click(message, label="Next")
    assert shown(private).ephemeral
    assert "answer 1 of 2" in shown(private).embeds[0].footer.text
    assert shown(shared).embeds[0].author.name == "Question"


async def test_page_of_a_thread_or_answer_that_is_gone(world: World):
    opened = await world.alice.slash(world.general, "thread", query="vote")
    fewer = Thread(key="vote", title="How to vote?", answers=(Answer(body="Just react."),))
    await world.alice.click(shown(opened), label="Next")
    await world.alice.click(shown(opened), label="Next")
    page = shown(opened)
    await world.app.library.add([fewer])
    result = await world.alice.click(page, custom_id=vote_id(page, "up"))
    if result.followups:
        assert "not in the library" in result.followups[0].content
    turned = await world.alice.click(shown(opened), label="Back")
    assert turned.acknowledged


async def test_thread_in_a_direct_message(world: World):
    opened = await world.alice.user.slash("thread", query="vote")
    assert shown(opened).embeds[0].title == "How do I vote on an answer?"
    await world.alice.user.click(shown(opened), label="Next")
    await world.alice.user.click(shown(opened), custom_id=vote_id(shown(opened), "up"))
    assert await world.app.answering.find("vote")
    assert await world.tallies("vote") == [2, 1]


def test_vote_values_are_what_custom_ids_say():
    assert (Vote.UP, Vote.DOWN) == (1, -1)


async def test_pager_of_a_thread_that_left_the_library(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    opened = await world.alice.slash(world.general, "thread", query="vote")

    async def gone(*args: object, **kwargs: object) -> None:
        return None

    monkeypatch.setattr(world.app.answering, "serve", gone)
    await world.alice.click(shown(opened), label="Next")
    assert shown(opened).content == "That thread is not in the library any more."
    assert shown(opened).embeds == []


async def test_vote_on_a_shared_page_is_reported_privately(world: World):
    opened = await world.alice.slash(world.general, "thread", query="pins", share=True)
    stored = world.env.backend.get_message(world.general.id, shown(opened).id)
    private = await world.bob.click(shown(opened), label="Next")
    stored.components = shown(private).components  # as if an answer had been shared
    result = await world.bob.click(shown(opened), custom_id=vote_id(shown(opened), "up"))
    assert told(result).content == "You voted for it. The answer stands at +1."
    assert told(result).ephemeral
