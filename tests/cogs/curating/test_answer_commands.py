"""/answer add, edit, merge, undo, history: forms, files, conflicts, other servers."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from simcord import MemberActor

from bot.models import Thread
from cogs.voting.tally_updater import PAUSE
from tests.cogs.curating.test_saving import answers, form
from tests.kit.messages import labels, last, offered, shown, told
from tests.kit.simcord import join_guild
from tests.kit.world import World

ASKED = "How do I vote on an answer?"


async def part(world: World, member: MemberActor, label: str, thread: str = "vote") -> Any:
    """The form of a part of a thread, opened from the menu."""
    menu = await member.slash(world.general, "answer edit", thread=thread)
    return await member.select(shown(menu), [offered(shown(menu))[label]])


async def find(world: World, key: str, guild_id: int | None = None) -> Thread:
    thread = await world.app.answering.find(key, guild_id=guild_id or world.guild.id)
    assert thread is not None
    return thread


async def test_add_opens_a_form_and_the_answer_is_found(world: World, hal: MemberActor):
    opened = await hal.slash(world.general, "answer add")
    values = {"title": "When is the next flea market?", "answer": "In May.", "tags": "dates"}
    sent = await hal.submit_modal(opened, values)
    assert told(sent).content.startswith(
        "Added, and found from now on: **When is the next flea market?**"
    )
    assert (await answers(world, "when is the next flea market?") or "").startswith("In May.")
    thread = await find(world, "when is the next flea market?")
    assert thread.answers[0].author == "hal"


@pytest.mark.parametrize("command", ["answer add", "answer history"])
async def test_members_are_refused(world: World, command: str):
    refused = await world.alice.slash(world.general, command)
    assert shown(refused).content.startswith("Only helpers of this server")
    assert len(world.env.errors) == 1


async def test_an_answer_is_edited_here_and_not_elsewhere(world: World, hal: MemberActor):
    await world.alice.send(world.ask, ASKED)
    card = last(world.ask)
    opened = await part(world, hal, "Answer 1")
    assert form(opened)["text"]["value"] == "React with **⬆️** or ⬇️."
    sent = await hal.submit_modal(opened, {"text": "Press the arrow."})
    assert told(sent).content == f"Edited: **{ASKED}**"
    assert (await find(world, "vote")).answers[0].body == "Press the arrow."
    await world.env.advance_time(PAUSE * 2)
    drawn = next(m for m in world.ask.history() if m.id == card.id)
    assert (drawn.embeds[0].description or "").startswith("Press the arrow.")
    other = await join_guild(world.env, channels=("ask",))
    carl = other.add_member(world.env.create_user("carl"))
    await carl.send(other.channels["ask"], ASKED)
    assert last(other.channels["ask"]).embeds[0].description.startswith("React with")


async def test_an_answer_is_added_to_what_is_there_and_undone(world: World, hal: MemberActor):
    opened = await part(world, hal, "Add an answer")
    assert form(opened)["answer"].get("value", "") == ""
    sent = await hal.submit_modal(opened, {"answer": "Ask a friend to do it."})
    assert ASKED in told(sent).content
    thread = await find(world, "vote")
    assert [(a.body, a.author, a.accepted) for a in thread.answers][-1] == (
        "Ask a friend to do it.",
        "hal",
        False,
    )
    assert len(thread.answers) == 3
    await hal.click(told(sent), label="Undo")
    assert len((await find(world, "vote")).answers) == 2


async def test_the_question_is_edited(world: World, hal: MemberActor):
    opened = await part(world, hal, "The question, and its tags")
    await hal.submit_modal(opened, {"title": "What are arrows for?", "text": "", "tags": "a, b"})
    thread = await find(world, "what are arrows for?")
    assert (thread.title, thread.body, thread.tags) == ("What are arrows for?", "", ("a", "b"))


async def test_an_empty_answer_is_taken_out_and_undone(world: World, hal: MemberActor):
    await world.alice.send(world.ask, ASKED)
    card = last(world.ask)
    sent = await hal.submit_modal(await part(world, hal, "Answer 1"), {"text": ""})
    assert [a.body for a in (await find(world, "vote")).answers] == [
        "Use the buttons of the pager."
    ]
    await world.env.advance_time(PAUSE * 2)
    drawn = next(m for m in world.ask.history() if m.id == card.id)
    assert drawn.embeds[0].description == "This answer was taken out of the library."
    await hal.click(told(sent), label="Undo")
    assert len((await find(world, "vote")).answers) == 2
    await world.env.advance_time(PAUSE * 2)
    drawn = next(m for m in world.ask.history() if m.id == card.id)
    assert (drawn.embeds[0].description or "").startswith("React with")


async def test_the_second_of_two_is_shown_what_the_first_did(world: World, hal: MemberActor):
    mine, theirs = await part(world, hal, "Answer 1"), await part(world, world.mo, "Answer 1")
    await world.mo.submit_modal(theirs, {"text": "By mo."})
    sent = await hal.submit_modal(mine, {"text": "By hal."})
    assert f"<@{world.mo.id}>" in told(sent).content
    (kept,) = told(sent).attachments
    assert (await answers(world, ASKED) or "").startswith("By mo.")
    file = (kept.filename, b"By hal and mo.")
    again = await hal.slash(world.general, "answer edit", thread="vote", file=file)
    assert told(again).content == f"Edited: **{ASKED}**"
    assert (await find(world, "vote")).answers[0].body == "By hal and mo."


async def test_a_long_text_is_edited_as_a_file(world: World, hal: MemberActor):
    sent = await part(world, hal, "Answer 1", thread="backup")
    assert "too long for a form" in told(sent).content
    (kept,) = told(sent).attachments
    whole = (await find(world, "backup")).answers[0].body
    file = (kept.filename, whole.replace("Paragraph 0", "Section 0").encode())
    await hal.slash(world.general, "answer edit", thread="backup", file=file)
    changed = (await find(world, "backup")).answers[0].body
    assert changed == whole.replace("Paragraph 0", "Section 0").strip()


@pytest.mark.parametrize("name", ["notes.md", "answer-1-zz.md"])
async def test_a_file_of_another_name_is_refused(world: World, hal: MemberActor, name: str):
    refused = await hal.slash(
        world.general, "answer edit", thread="vote", file=(name, b"Something.")
    )
    assert "Leave the name as it was" in told(refused).content
    assert len(world.env.errors) == 1


async def test_a_file_that_is_no_text_is_refused(world: World, hal: MemberActor):
    sent = await part(world, hal, "Answer 1", thread="backup")
    name = told(sent).attachments[0].filename
    refused = await hal.slash(
        world.general, "answer edit", thread="backup", file=(name, b"\xff\xfe\x00")
    )
    assert "no text" in told(refused).content
    assert len(world.env.errors) == 1


async def test_two_threads_are_merged_and_undone(world: World, hal: MemberActor):
    sent = await hal.slash(world.general, "answer merge", first="unpin", second="pins")
    assert told(sent).content.startswith(
        "Merged, with the answers of both: **How can I pin a message in my channel?**"
    )
    assert len((await find(world, "pins")).answers) == 3
    await hal.click(told(sent), label="Undo")
    assert len((await find(world, "pins")).answers) == 2
    assert len((await find(world, "unpin")).answers) == 1


async def test_threads_of_other_servers_are_not_offered(world: World, hal: MemberActor):
    opened = await hal.slash(world.general, "answer add")
    await hal.submit_modal(opened, {"title": "Where is the secret shed?", "answer": "Here."})
    other = await join_guild(world.env, channels=("ask",))
    everything = other.create_role("Mods", permissions=discord.Permissions(manage_guild=True))
    moderator = other.add_member(world.env.create_user("carl"), roles=[everything])
    for option, command in (("thread", "answer edit"), ("thread", "answer history")):
        choices = await moderator.autocomplete(
            other.channels["ask"], command, option, "secret shed"
        )
        assert "Where is the secret shed?" not in [c["name"] for c in choices]
    thread = await find(world, "where is the secret shed?")
    refused = await moderator.slash(
        other.channels["ask"],
        "answer edit",
        thread=f"#{thread.id}",  # type: ignore[attr-defined]
    )
    assert "not in the library" in told(refused).content
    assert len(world.env.errors) == 1
    assert "Where is the secret shed?" in [
        c["name"]
        for c in await hal.autocomplete(world.general, "answer edit", "thread", "secret shed")
    ]


async def test_members_are_offered_nothing(world: World):
    for command in ("answer edit", "answer undo"):
        offered_here = await world.alice.autocomplete(world.general, command, "thread", "vote")
        assert offered_here == []


async def test_buttons_work_after_a_restart(world: World, hal: MemberActor):
    sent = await hal.submit_modal(await part(world, hal, "Answer 1"), {"text": "New."})
    assert labels(told(sent)) == ["Undo"]
    await world.restart()
    await hal.click(told(sent), label="Undo")
    first = (await find(world, "vote")).answers[0]
    assert first.body.startswith("React with")
