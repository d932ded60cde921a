"""/answer history: a line for each change, who, when and what; pages; what the bot did itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from simcord import MemberActor

from bot.curation import Action
from bot.models import Answer, Thread
from bot.services.change_log import PAGE
from bot.services.curating import Edit
from tests.cogs.curating.test_answer_commands import ASKED, find, part
from tests.cogs.curating.test_saving import answers, reply, save
from tests.kit.forums import ask, forum_with_tags
from tests.kit.messages import items, labels, last, offered, shown, told
from tests.kit.world import World


async def listed(world: World, member: MemberActor, **options: str) -> Any:
    return shown(await member.slash(world.general, "answer history", **options))


def lines(message: Any) -> list[str]:
    """What a list says, without the times and the small line at its end."""
    said = [re.sub(r"<t:\d+:R> · ", "", line) for line in message.content.splitlines()]
    return [line for line in said if not line.startswith("-# ")]


async def edit(world: World, hal: MemberActor, text: str) -> None:
    await hal.submit_modal(await part(world, hal, "Answer 1"), {"text": text})


async def edit_often(world: World, hal: MemberActor, times: int) -> None:
    """Edit the first answer, more often than somebody may in a minute."""
    thread_id: int = (await find(world, "vote")).id  # type: ignore[attr-defined]

    def to(text: str) -> Edit:
        return lambda state: state.with_pairs(
            (replace(answer, body=text) if place == 0 else answer, answer_id)
            for place, (answer, answer_id) in enumerate(state.pairs)
        )

    for number in range(times):
        text = f"Text {number}."
        await world.app.curating.edit(world.guild.id, hal.id, thread_id, to(text))


async def test_who_changed_what_and_the_way_back(world: World, hal: MemberActor):
    for text in ("First.", "Second."):
        await edit(world, hal, text)
    page = await listed(world, world.mo, thread="vote")
    assert page.content.count("<t:") == 3
    assert lines(page) == [
        f"**{ASKED}**",
        f"**edited** (answer 1) · <@{hal.id}>",
        f"**edited** (answer 1) · <@{hal.id}>",
        "**imported** · from a file",
    ]
    options = [option for item in items(page) for option in item["options"]]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d · edited \(answer 1\)", options[0]["label"])
    assert options[0]["description"] == ASKED
    looked = await world.mo.select(page, [options[1]["value"]])
    assert "First." in told(looked).embeds[0].description
    done = await world.mo.click(told(looked), label="Make it so again")
    assert shown(done).content == f"As it was then: **{ASKED}**"
    assert (await answers(world, ASKED) or "").startswith("First.")


async def test_a_merge_is_one_line(world: World, hal: MemberActor):
    await hal.slash(world.general, "answer merge", first="unpin", second="pins")
    page = await listed(world, hal)
    merged = "**merged** (with How can I unpin a message?)"
    assert lines(page) == [f"{merged} · <@{hal.id}> · **How can I pin a message in my channel?**"]


async def test_what_the_bot_did_by_itself_is_in_the_history_of_its_thread(
    world: World, hal: MemberActor
):
    forum = await forum_with_tags(world.env, world.guild, "help", "Solved")
    await world.mo.slash(world.general, "library follow", channel=forum)
    post = await ask(world, forum, "Why are my leaves yellow?", "They stand in clay.")
    await world.bob.send(post, "Water them less.")
    answer = last(post)
    await world.alice.context_menu(post, "Mark as solution", answer)
    await world.bob.edit(answer, "Water them once a week.")
    title = "**Why are my leaves yellow?**"
    assert lines(await listed(world, hal)) == [f"**solved** · <@{world.alice.id}> · {title}"]
    thread = await find(world, "why are my leaves yellow")
    page = await listed(world, hal, thread=f"#{thread.id}")  # type: ignore[attr-defined]
    assert lines(page) == [
        title,
        "**changed on Discord** (answer 1) · from \\#help",
        f"**solved** · <@{world.alice.id}>",
    ]


async def test_all_that_is_kept_can_be_reached(world: World, hal: MemberActor):
    await edit_often(world, hal, 2 * PAGE + 1)
    page = await listed(world, hal)
    assert len(lines(page)) == PAGE
    assert labels(page)[1:] == ["Older"]
    page = shown(await hal.click(page, label="Older"))
    assert labels(page)[1:] == ["Newer", "Older"]
    page = shown(await hal.click(page, label="Older"))
    assert len(lines(page)) == 1
    assert labels(page)[1:] == ["Newer"]
    (oldest,) = offered(page).values()
    looked = told(await hal.select(page, [oldest]))
    assert "Text 0." in looked.embeds[0].description
    page = shown(await hal.click(page, label="Newer"))
    assert len(lines(page)) == PAGE
    page = await listed(world, hal, thread="vote")
    page = shown(await hal.click(page, label="Older"))
    page = shown(await hal.click(page, label="Older"))
    assert lines(page)[-1] == "**imported** · from a file"


async def test_pages_are_for_helpers(world: World, hal: MemberActor):
    await edit_often(world, hal, PAGE + 1)
    page = await listed(world, hal)
    await world.app.guilds.update(world.guild.id, helper_role_ids=())
    refused = await hal.click(page, label="Older")
    assert told(refused).content.startswith("Only helpers of this server")


async def test_any_changed_thread_can_be_named(world: World, hal: MemberActor):
    scope = world.guild.id
    for number in range(30):
        thread = Thread(key=f"k{number}", title=f"Rake {number}", answers=(Answer(body="Yes."),))
        await world.app.curating.add(scope, hal.id, thread)
    choices = await hal.autocomplete(world.general, "answer history", "thread", "RAKE 3")
    assert [choice["name"] for choice in choices] == ["Rake 3"]
    choices = await hal.autocomplete(world.general, "answer history", "thread", "")
    assert len(choices) == 25


async def test_undo_says_what_it_did(world: World, hal: MemberActor):
    saved = told(await save(world, hal, await reply(world), title="Where is the key?"))
    title = "**Where is the key?**"
    said = [shown(await hal.click(saved, label="Undo")).content for _ in range(2)]
    assert said == [f"Taken out of the library again: {title}", f"In the library again: {title}"]
    assert lines(await listed(world, hal))[:2] == [
        f"**undone** (brought back) · <@{hal.id}> · {title}",
        f"**undone** (taken out) · <@{hal.id}> · {title}",
    ]
    thread = await find(world, "Where is the key?")
    thread_id: int = thread.id  # type: ignore[attr-defined]
    opened = await part(world, hal, "Answer 1", thread=f"#{thread_id}")
    edited = told(await hal.submit_modal(opened, {"text": "In the pot."}))
    said = [shown(await hal.click(edited, label="Undo")).content for _ in range(4)]
    assert said == 2 * [
        f"Undone; it is as before its last change: {title}",
        f"The undoing is undone; the change is there again: {title}",
    ]
    assert (await find(world, "Where is the key?")).answers[0].body == "In the pot."


async def test_undo_of_a_version_and_of_a_merge(world: World, hal: MemberActor):
    edited = told(await hal.submit_modal(await part(world, hal, "Answer 1"), {"text": "New."}))
    said = [shown(await hal.click(edited, label="Undo")).content for _ in range(2)]
    assert said == [
        f"As in the shared library again: **{ASKED}**",
        f"Your server's own version again: **{ASKED}**",
    ]
    merged = told(await hal.slash(world.general, "answer merge", first="unpin", second="pins"))
    pin = "**How can I pin a message in my channel?**"
    said = [shown(await hal.click(merged, label="Undo")).content for _ in range(2)]
    assert said == [
        f"As in the shared library again: {pin}",
        f"Your server's own version again: {pin}",
    ]


async def test_two_own_threads_are_two_again(world: World, hal: MemberActor):
    ids = []
    for key in ("rake", "hoe"):
        thread = Thread(
            key=key, title=f"Where is the {key}?", answers=(Answer(body=f"By the {key}s."),)
        )
        ids.append((await world.app.curating.add(world.guild.id, hal.id, thread)).thread_id)
    first, second = (f"#{thread_id}" for thread_id in ids)
    merged = told(await hal.slash(world.general, "answer merge", first=first, second=second))
    said = [shown(await hal.click(merged, label="Undo")).content for _ in range(2)]
    title = "**Where is the rake?**"
    assert said == [f"Two threads again: {title}", f"One thread again: {title}"]
    page = await listed(world, hal)
    assert [line.split(" · ")[0] for line in lines(page)] == [
        "**undone** (1 answer more)",
        "**undone** (1 answer fewer)",
        "**merged** (with Where is the hoe?)",
        "**added**",
        "**added**",
    ]


async def test_a_proposal_is_taken_over(world: World, hal: MemberActor):
    message = await reply(world)
    await save(world, hal, message, title="Where is the key?")
    await world.bob.edit(message, "Under the mat.")
    page = await listed(world, hal)
    proposed = "**the source says something new** · from \\#general · **Where is the key?**"
    assert lines(page)[0] == proposed
    looked = await hal.select(page, [next(iter(offered(page).values()))])
    done = await hal.click(told(looked), label="Take this over")
    assert shown(done).content == "Taken over from its source: **Where is the key?**"
    assert (await find(world, "Where is the key?")).answers[0].body == "Under the mat."


async def test_of_whom_is_forgotten_it_is_somebody(world: World, hal: MemberActor):
    await edit(world, hal, "First.")
    await world.app.authors.forget_user(hal.id)
    assert lines(await listed(world, hal)) == [f"**edited** (answer 1) · somebody · **{ASKED}**"]
    page = await world.app.change_log.page(world.guild.id)
    assert page.entries[0].revision.action is Action.EDITED


async def test_a_thread_of_few_answers_has_one_menu_and_nothing_more(
    world: World, hal: MemberActor
):
    menu = shown(await hal.slash(world.general, "answer edit", thread=ASKED))
    assert menu.content == f"**{ASKED}**"
    assert len(items(menu)) == 1


async def test_a_thread_of_many_answers_has_several_menus(world: World, hal: MemberActor):
    given = tuple(Answer(body=f"Answer of member {n}.") for n in range(1, 131))
    thread = Thread(key="many", title="Which rake is best?", answers=given)
    done = await world.app.curating.add(world.guild.id, hal.id, thread)
    menu = shown(await hal.slash(world.general, "answer edit", thread=f"#{done.thread_id}"))
    assert menu.content == "**Which rake is best?**\n… and 7 more"
    fourth = items(menu)[3]
    assert fourth["placeholder"] == "Further answers (Answer 74 …)"
    value = next(o["value"] for o in fourth["options"] if o["label"] == "Answer 98")
    opened = await hal.select(menu, [value], custom_id=fourth["custom_id"])
    await hal.submit_modal(opened, {"text": "Mended."})
    assert (await find(world, "which rake is best?")).answers[97].body == "Mended."
