"""/phrasings: what moderators see of what members taught, and what they can remove."""

from __future__ import annotations

import re
from typing import Any

import discord
import pytest
from simcord import SetupError

from bot.phrasings import LearnedPhrasing
from bot.store import learned
from bot.store.learned import NewPhrasing
from bot.ui import limits, moderator_cards, text
from tests.kit.messages import confirm, labels, last, shown, told
from tests.kit.simcord import join_guild
from tests.kit.world import World

PINS, UNPIN = 2, 3  # thread ids


async def teach(
    world: World, thread_id: int, said: str, guild_id: int | None = None, who: Any = None
) -> int:
    """Have bob, or whoever is named, teach the guild a phrasing; returns its number."""
    lesson = NewPhrasing(
        guild_id=guild_id or world.guild.id,
        thread_id=thread_id,
        text=said,
        wording=said.casefold(),
        user_id=(who or world.bob).id,
        message_id=1,
        chosen=False,
    )
    async with world.app.database.write() as connection:
        number = await learned.add(connection, lesson, 20)
    assert number is not None
    return number


async def texts(world: World) -> list[str]:
    return [p.text for p in await world.app.learning.phrasings(world.guild.id)]


async def refused(world: World, *arguments: Any, **options: Any) -> str:
    """What bob is told, whom Discord lets use the command though he is no moderator."""
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "phrasings")
    world.guild.set_command_permissions(command, {world.bob: True})
    result = await world.bob.slash(world.general, *arguments, **options)
    assert shown(result).ephemeral
    assert len(world.env.errors) == 1
    return str(shown(result).content)


def lines(result: Any) -> list[str]:
    """The lines of a list, with "who" and "when" in place of ids and times."""
    description = str(shown(result).embeds[0].description)
    seen = re.sub(r"<@\d+>", "who", description)
    return re.sub(r"<t:\d+:R>", "when", seen).splitlines()


async def test_list_shows_number_words_thread_who_and_when_what_nobody_kept_first(world: World):
    older = await teach(world, PINS, "stick a note to the top")
    newer = await teach(world, UNPIN, "loosen a note")
    kept = await teach(world, PINS, "nail a note down")
    await world.app.learning.keep(world.guild.id, kept)
    by_two = await teach(world, UNPIN, "let go of a note", who=world.alice)
    latest = await teach(world, UNPIN, "free a note", who=world.alice)
    for number, who in ((latest, world.bob), (by_two, world.bob), (by_two, world.mo)):
        said = {latest: "free a note", by_two: "let go of a note"}[number]
        await teach(world, UNPIN, said, who=who)
    result = await world.mo.slash(world.general, "phrasings list")
    assert shown(result).ephemeral
    assert lines(result) == [
        f"`{by_two}` let go of a note",
        "-# for: How can I unpin a message? · who, who, … when · counts already",
        f"`{latest}` free a note",
        "-# for: How can I unpin a message? · who, who when · counts already",
        f"`{newer}` loosen a note",
        "-# for: How can I unpin a message? · who when · new",
        f"`{older}` stick a note to the top",
        "-# for: How can I pin a message in my channel? · who when · new",
        f"`{kept}` nail a note down",
        "-# for: How can I pin a message in my channel? · who when",
    ]
    assert labels(shown(result)) == [
        f"{way} {number}"
        for number in (by_two, latest, newer, older)
        for way in ("Keep", "Take back")
    ]
    assert shown(result).embeds[0].footer.text.splitlines() == [
        "One that counts already goes when a member votes against it, unless you keep it.",
        "A new one counts for the member who taught it alone, until another confirms it or you "
        "keep it.",
    ]


async def test_list_of_one_thread(world: World):
    number = await teach(world, PINS, "stick a note to the top")
    await teach(world, UNPIN, "loosen a note")
    choices = await world.mo.autocomplete(world.general, "phrasings list", "thread", "can i PIN")
    assert [choice["name"] for choice in choices] == ["How can I pin a message in my channel?"]
    for thread in (choices[0]["value"], "pins", "How can I pin a message in my channel?"):
        result = await world.mo.slash(world.general, "phrasings list", thread=thread)
        (embed,) = shown(result).embeds
        assert embed.title == "How can I pin a message in my channel?"
        assert lines(result) == [f"`{number}` stick a note to the top · who when · new"]
    result = await world.mo.slash(world.general, "phrasings list", thread="vote")
    assert "no phrasing of that thread" in shown(result).content


class TestJudging:
    """*Keep* and *Take back* under the list, and the same by command."""

    async def answers(self, world: World) -> str | None:
        """What alice, who taught nothing, is answered."""
        channel = world.guild.create_text_channel("another")
        await world.alice.send(channel, f"{world.me} loosen a note")
        return await world.key_of(last(channel))

    async def test_keep(self, world: World):
        number = await teach(world, UNPIN, "loosen a note")
        assert await self.answers(world) is None
        page = shown(await world.mo.slash(world.general, "phrasings list"))
        page = shown(await world.mo.click(page, label=f"Keep {number}"))
        assert page.content == "Kept: loosen a note"
        assert labels(page) == []
        assert "new" not in page.embeds[0].description
        assert await self.answers(world) == "unpin"

    async def test_take_back(self, world: World):
        await teach(world, PINS, "stick a note to the top")
        number = await teach(world, UNPIN, "loosen a note")
        page = shown(await world.mo.slash(world.general, "phrasings list", thread="unpin"))
        page = shown(await world.mo.click(page, label=f"Take back {number}"))
        assert "Taken back: loosen a note" in page.content
        assert "no phrasing of that thread" in page.content
        assert await texts(world) == ["stick a note to the top"]

    async def test_keep_by_command(self, world: World):
        number = await teach(world, UNPIN, "loosen a note")
        typed = await world.mo.autocomplete(world.general, "phrasings keep", "phrasing", "loos")
        assert typed == [{"name": "loosen a note", "value": str(number)}]
        result = await world.mo.slash(world.general, "phrasings keep", phrasing=str(number))
        assert shown(result).content == "Kept: loosen a note"
        assert await self.answers(world) == "unpin"

    async def test_new_ones_have_buttons_five_at_a_time(self, world: World):
        numbers = [await teach(world, UNPIN, f"loosen note {n}") for n in range(7)]
        page = shown(await world.mo.slash(world.general, "phrasings list"))
        for number in reversed(numbers):
            assert len(labels(page)) == 2 * min(5, number - numbers[0] + 1)
            page = shown(await world.mo.click(page, label=f"Keep {number}"))
        assert all(p.confirmed for p in await world.app.learning.phrasings(world.guild.id))

    async def test_the_permission_is_looked_at_when_a_button_is_pressed(self, world: World):
        number = await teach(world, UNPIN, "loosen a note")
        page = shown(await world.mo.slash(world.general, "phrasings list"))
        world.env.backend.guilds[world.guild.id].members[world.mo.id].role_ids.clear()
        for name in ("Keep", "Take back"):
            result = await world.mo.click(page, label=f"{name} {number}")
            assert "Manage Server" in told(result).content
        (phrasing,) = await world.app.learning.phrasings(world.guild.id)
        assert not phrasing.confirmed

    async def test_helpers_may_once_moderators_let_them_see_the_command(self, world: World):
        number = await teach(world, UNPIN, "loosen a note")
        command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "phrasings")
        role = world.guild.create_role("Helpers")
        world.guild.set_command_permissions(command, {role: True})
        fern = world.guild.add_member(world.env.create_user("fern"), roles=[role])
        result = await fern.slash(world.general, "phrasings list")
        assert "Manage Server" in told(result).content
        assert len(world.env.errors) == 1
        assert await fern.autocomplete(world.general, "phrasings keep", "phrasing", "") == []
        await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
        assert await fern.autocomplete(world.general, "phrasings keep", "phrasing", "") != []
        page = shown(await fern.slash(world.general, "phrasings list"))
        page = shown(await fern.click(page, label=f"Keep {number}"))
        assert page.content == "Kept: loosen a note"
        assert await self.answers(world) == "unpin"

    @pytest.mark.parametrize("way", ["keep", "back"])
    @pytest.mark.parametrize("number", ["0", "9" * 20, "that of another server"])
    async def test_forged_ids_reach_nothing(self, world: World, way: str, number: str):
        other = await join_guild(world.env, "Other club")
        theirs = await teach(world, UNPIN, "loosen a note", other.id)
        await teach(world, UNPIN, "free a note")
        forged = discord.ui.View(timeout=None)
        number = number if number.isdecimal() else str(theirs)
        custom_id = f"tw:phrasing:{way}:{number}:0"
        forged.add_item(discord.ui.Button(label="forged", custom_id=custom_id))
        channel: Any = world.bot.get_channel(world.general.id)
        message = await channel.send("a card", view=forged)
        result = await world.mo.click(message, label="forged")
        assert "no such phrasing" in told(result).content
        for guild_id, words in ((other.id, "loosen a note"), (world.guild.id, "free a note")):
            (phrasing,) = await world.app.learning.phrasings(guild_id)
            assert (phrasing.text, phrasing.confirmed) == (words, False)


async def test_list_where_nothing_was_learned(world: World):
    result = await world.mo.slash(world.general, "phrasings list")
    assert "learned nothing yet" in shown(result).content
    assert await world.mo.autocomplete(world.general, "phrasings list", "thread", "") == []


async def test_what_members_wrote_can_neither_ping_nor_leave_its_line(world: World):
    await teach(world, PINS, "@everyone **look** [here](https://example.org) `now`")
    result = await world.mo.slash(world.general, "phrasings list")
    description = shown(result).embeds[0].description
    assert "@everyone" not in description
    assert "**look**" not in description
    assert "](https" not in description
    assert len(description.splitlines()) == 2


async def test_remove_by_what_was_typed(world: World):
    await teach(world, PINS, "stick a note to the top")
    number = await teach(world, UNPIN, "loosen a note")
    choices = await world.mo.autocomplete(
        world.general, "phrasings remove", "phrasing", "Note LOOS"
    )
    assert choices == [{"name": "loosen a note", "value": str(number)}]
    result = await world.mo.slash(world.general, "phrasings remove", phrasing=str(number))
    assert shown(result).ephemeral
    assert shown(result).content == "Forgotten: loosen a note"
    assert await texts(world) == ["stick a note to the top"]


async def test_a_removed_phrasing_answers_nobody(world: World):
    number = await teach(world, UNPIN, "loosen a note")
    await world.bob.send(world.ask, f"{world.me} loosen a note")
    assert await world.key_of(last(world.ask)) == "unpin"
    await world.mo.slash(world.general, "phrasings remove", phrasing=str(number))
    await world.bob.send(world.general, f"{world.me} loosen a note")
    assert await world.key_of(last(world.general)) is None


@pytest.mark.parametrize("said", ["999", "loosen", "²", "9" * 30])
async def test_remove_what_is_not_there(world: World, said: str):
    await teach(world, UNPIN, "loosen a note")
    result = await world.mo.slash(world.general, "phrasings remove", phrasing=said)
    assert "no such phrasing" in told(result).content or "Choose one" in told(result).content
    assert len(world.env.errors) == 1
    assert await texts(world) == ["loosen a note"]


async def test_another_servers_phrasings_are_out_of_reach(world: World):
    other = await join_guild(world.env, "Other club")
    number = await teach(world, UNPIN, "loosen a note", other.id)
    result = await world.mo.slash(world.general, "phrasings list")
    assert "learned nothing yet" in shown(result).content
    typed = await world.mo.autocomplete(world.general, "phrasings remove", "phrasing", "loosen")
    assert typed == []
    result = await world.mo.slash(world.general, "phrasings remove", phrasing=str(number))
    assert "no such phrasing" in told(result).content
    assert len(world.env.errors) == 1
    assert len(await world.app.learning.phrasings(other.id)) == 1


async def test_members_may_not(world: World):
    with pytest.raises(SetupError):
        await world.bob.slash(world.general, "phrasings list")


async def test_members_may_not_list_even_if_discord_lets_them(world: World):
    await teach(world, UNPIN, "loosen a note")
    assert "Manage Server" in await refused(world, "phrasings list")


async def test_members_may_not_remove_even_if_discord_lets_them(world: World):
    number = await teach(world, UNPIN, "loosen a note")
    assert "Manage Server" in await refused(world, "phrasings remove", phrasing=str(number))
    assert await texts(world) == ["loosen a note"]


async def test_members_read_nothing_by_autocomplete(world: World):
    await teach(world, UNPIN, "loosen a note")
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "phrasings")
    world.guild.set_command_permissions(command, {world.bob: True})
    for name, option in (("list", "thread"), ("remove", "phrasing")):
        command_name = f"phrasings {name}"
        assert await world.mo.autocomplete(world.general, command_name, option, "") != []
        assert await world.bob.autocomplete(world.general, command_name, option, "") == []


async def test_autocomplete_that_fails_offers_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def broken(*arguments: object) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(world.app.learning, "find", broken)
    assert await world.mo.autocomplete(world.general, "phrasings list", "thread", "") == []
    assert "autocomplete failed: no disk" in caplog.text


async def test_many_phrasings_fit(world: World):
    for number in range(30):
        await teach(world, PINS + number % 2, f"{number} " + "*long* words " * 22)
    choices = await world.mo.autocomplete(world.general, "phrasings remove", "phrasing", "")
    assert len(choices) == limits.CHOICES
    assert all(text.width(choice["name"]) <= limits.CHOICE_TEXT for choice in choices)
    result = await world.mo.slash(world.general, "phrasings list")
    description = shown(result).embeds[0].description
    assert text.width(description) <= limits.EMBED_DESCRIPTION
    assert description.splitlines()[-1].startswith("… and ")


def test_all_phrasings_of_one_thread_fit():
    found = [
        LearnedPhrasing(
            id=10**12 + number,
            guild_id=1,
            thread_id=1,
            key="k",
            title="t",
            text=f"{number} " + "word " * 60,
            user_id=1,
            message_id=1,
        )
        for number in range(20)
    ]
    embed = moderator_cards.phrasings_card(found, "t").embed
    assert embed is not None
    assert len((embed.description or "").splitlines()) == 20


async def test_learning_can_be_switched_off_and_on(world: World):
    for learn, said, value in (("off", "learn nothing", False), ("on", "I learn how", True)):
        result = await world.mo.slash(world.general, "settings learning", learn=learn)
        assert said in shown(result).content
        assert (await world.app.guilds.settings(world.guild.id)).learn_phrasings is value
        card = await world.mo.slash(world.general, "settings show")
        fields = {f.name: f.value for f in shown(card).embeds[0].fields}
        assert fields["Learning"] == ("from votes and choices" if value else "off")
    await world.mo.slash(world.general, "settings learning", learn="off")
    await confirm(world.mo, world.general, "settings reset", "Reset everything")
    assert (await world.app.guilds.settings(world.guild.id)).learn_phrasings
