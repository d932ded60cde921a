"""/library: what moderators bring in, look at, take out and bring back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest
from simcord import SetupError

from bot.models import Answer, Thread, Vote
from bot.services.uploads import Uploads
from bot.ui import import_cards, limits, moderator_cards, text
from cogs.library import import_task
from tests.kit.messages import labels, last, shown, told
from tests.kit.simcord import join_guild
from tests.kit.votes import press_button
from tests.kit.world import THREADS, World
from tests.ui.test_cards import check

PAGE = b"How warm is the compost?\nscore:3\nAccepted answer\nWarmer than the soup.\n"

OWN = [
    Thread(
        key=f"own{n}",
        title=f"Where is the shed of member number {n}?",
        source="sheds" if n < 3 else "other",
        answers=(Answer(body="Behind the hedge."), Answer(body="Nobody knows.")),
    )
    for n in range(4)
]
SHED = "where is the shed of member number 1?"


@pytest.fixture
async def own(world: World) -> World:
    """The world, in which the guild has four threads of its own."""
    await world.app.library.add(OWN, scope=world.guild.id)
    return world


def jsonl(*rows: dict[str, Any]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


async def bring(world: World, name: str, data: bytes) -> Any:
    """Import a file as mo; returns the last message shown."""
    result = await world.mo.slash(world.general, "library import", file=(name, data))
    assert shown(result).ephemeral
    return told(result)


async def titles(world: World, guild_id: int | None = None) -> list[str]:
    guild_id = world.guild.id if guild_id is None else guild_id
    found = await world.app.answering.complete("", guild_id=guild_id, limit=99)
    return sorted(m.title for m in found)


async def press(world: World, result: Any, label: str) -> Any:
    return await world.mo.click(shown(result), label=label)


async def remove(world: World, **what: str) -> Any:
    """Have mo remove something, and say yes."""
    asked = await world.mo.slash(world.general, "library remove", **what)
    (yes, _) = labels(shown(asked))
    return await press(world, asked, str(yes))


class TestImport:
    async def test_a_file_is_answered_from_here_and_nowhere_else(self, world: World):
        card = await bring(world, "compost.txt", PAGE)
        (embed,) = card.embeds
        assert embed.title == "compost.txt"
        assert embed.description == "**1** added · **0** updated · **0** unchanged"
        await world.bob.send(world.ask, "how warm is the compost?")
        assert await world.key_of(last(world.ask)) == "compost"
        other = await join_guild(world.env, "Other club")
        assert "How warm is the compost?" not in await titles(world, other.id)
        assert "How warm is the compost?" not in await titles(world, 0)

    async def test_what_is_wrong_is_reported_in_words(self, world: World):
        bad = jsonl(*({"id": str(n), "title": ""} for n in range(8)))
        (embed,) = (await bring(world, "faq.jsonl", jsonl({"id": "a", "title": "Q?"}) + bad)).embeds
        assert "**1** added" in embed.description
        assert "**8** rejected" in embed.description
        (field,) = embed.fields
        assert field.value.splitlines()[0] == "- line 2: title must not be empty"
        assert field.value.splitlines()[-1] == "… and 3 more"

    async def test_threads_without_an_answer_are_reported(self, world: World):
        (embed,) = (await bring(world, "faq.jsonl", jsonl({"id": "a", "title": "Q?"}))).embeds
        assert embed.description.splitlines()[1].startswith("threads that have no answer yet")

    async def test_what_was_changed_on_the_way_is_reported(self, world: World):
        table = "question,answer,date\nIs it?,Yes.,the day before\n"
        (embed,) = (await bring(world, "faq.csv", table.encode())).embeds
        assert embed.description.startswith("**1** added")
        assert embed.fields[0].name == "Changed on the way"

    async def test_what_was_passed_over_is_reported(self, world: World):
        table = "question,answer\nIs it?,Yes.\nIs it?,Yes.\n"
        (embed,) = (await bring(world, "faq.csv", table.encode())).embeds
        assert embed.fields[0].name == "Passed over"
        assert embed.fields[0].value == "- 1 repeated answer"

    async def test_names_and_problems_can_neither_ping_nor_leave_their_place(self, world: World):
        bad = jsonl({"id": "@everyone **x**", "title": "t", "answers": "<@1>"})
        (embed,) = (await bring(world, "@everyone*x*.jsonl", bad)).embeds
        everything = f"{embed.title} {embed.description} {embed.fields[0].value}"
        assert "@everyone" not in everything
        assert "<@1>" not in everything
        assert "**x**" not in everything

    async def test_progress_is_shown_on_the_way(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(import_task, "EVERY", 0.0)
        many = jsonl(*({"id": str(n), "title": f"Row {n} of the beds?"} for n in range(1_200)))
        card = await bring(world, "beds.jsonl.gz", gzip.compress(many))
        assert "**1,200** added" in card.embeds[0].description
        edits = [r.json for r in world.env.http_requests if r.method == "PATCH"]
        lines = [str(edit.get("content")) for edit in edits if edit]
        assert "Importing **beds.jsonl.gz**\n▱▱▱▱▱▱▱▱▱▱▱▱ 0 of 1,200 threads" in lines

    @pytest.mark.parametrize(
        ("name", "data", "why"),
        [
            (
                "bomb.jsonl.gz",
                lambda: gzip.compress(b"0" * 70_000_000),
                "more than 64 MB when it is",
            ),
            ("pages.zip", lambda: b"PK\x03\x04junk", "an archive"),
            ("big.txt", lambda: b"x" * (8 * 1024**2 + 1), "I take up to 8 MB"),
        ],
    )
    async def test_hostile_files_are_refused_politely(
        self, world: World, name: str, data: Callable[[], bytes], why: str
    ):
        before = await titles(world)
        assert why in (await bring(world, name, data())).content
        assert await titles(world) == before

    async def test_an_import_that_breaks_says_so(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        async def fail(*args: object) -> None:
            raise RuntimeError("boom")

        monkeypatch.setattr(Uploads, "_import", fail)
        assert "incident" in (await bring(world, "compost.txt", PAGE)).content

    async def test_a_connection_that_breaks_on_the_way_does_not_hide_the_end(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(import_task, "EVERY", 0.0)
        works, broken = discord.Interaction.edit_original_response, iter([True])

        async def edit(self: Any, **parts: Any) -> Any:
            if "Importing" in str(parts.get("content")) and next(broken, False):
                raise aiohttp.ClientOSError(104, "Connection reset by peer")
            return await works(self, **parts)

        monkeypatch.setattr(discord.Interaction, "edit_original_response", edit)
        card = await bring(world, "compost.txt", PAGE)
        assert next(broken, None) is None
        assert "**1** added" in card.embeds[0].description

    async def test_discord_that_loses_the_file(self, world: World, monkeypatch: pytest.MonkeyPatch):
        async def lost(self: discord.Attachment) -> bytes:
            raise discord.HTTPException(SimpleNamespace(status=502, reason="gone"), "lost")  # type: ignore[arg-type]

        monkeypatch.setattr(discord.Attachment, "read", lost)
        assert "send it again" in (await bring(world, "compost.txt", PAGE)).content

    async def test_where_another_is_at_it_one_waits(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(Uploads, "busy", True)
        assert "**1** added" in (await bring(world, "compost.txt", PAGE)).embeds[0].description
        contents = [
            (r.json or {}).get("content") for r in world.env.http_requests if r.method == "PATCH"
        ]
        assert "Another file is being imported; yours is next." in contents

    async def test_after_a_quarter_of_an_hour_the_end_is_reported_directly(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        take_in = world.app.uploads.take_in

        async def slowly(*args: Any) -> Any:
            report = await take_in(*args)
            monkeypatch.setattr("discord.Interaction.is_expired", lambda self: True)
            return report

        monkeypatch.setattr(world.app.uploads, "take_in", slowly)
        await world.mo.slash(world.general, "library import", file=("compost.txt", PAGE))
        sent = [r for r in world.env.http_requests if r.method == "POST" and r.json]
        embeds = [e for r in sent for e in (r.json or {}).get("embeds", ())]
        assert [e["title"] for e in embeds] == ["compost.txt"]


class TestExport:
    async def test_only_the_servers_own_threads_as_a_file(self, own: World):
        result = await own.mo.slash(own.general, "library export")
        assert shown(result).ephemeral
        (file,) = shown(result).attachments
        assert file.filename == "library.jsonl"
        rows = [json.loads(line) for line in (await file.read()).splitlines()]
        assert [row["id"] for row in rows] == [t.key for t in OWN]
        assert "4 threads" in shown(result).content

    async def test_what_is_too_large_the_host_can_get(
        self, own: World, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(own.app.guild_library, "export", lambda *args: _none())
        result = await own.mo.slash(own.general, "library export")
        assert f"threadwise export --guild {own.guild.id}" in shown(result).content
        assert "25 MB" in shown(result).content

    async def test_where_there_is_nothing(self, world: World):
        result = await world.mo.slash(world.general, "library export")
        assert "no threads of its own" in told(result).content
        world.env.errors.clear()

    async def test_what_is_exported_can_be_imported(self, own: World):
        result = await own.mo.slash(own.general, "library export")
        data = await shown(result).attachments[0].read()
        card = await bring(own, "library.jsonl", data)
        assert "**4** unchanged" in card.embeds[0].description


async def _none() -> None:
    return None


async def test_stats_tell_what_there_is(own: World):
    await bring(own, "compost.txt", PAGE)
    thread = await own.app.answering.find("own0", guild_id=own.guild.id)
    assert thread is not None
    await press_button(
        own.app.voting,
        answer_id=thread.answers[0].id,
        guild_id=own.guild.id,
        user_id=own.bob.id,
        value=Vote.UP,
    )
    result = await own.mo.slash(own.general, "library stats")
    assert shown(result).ephemeral
    fields = {f.name: f.value for f in shown(result).embeds[0].fields}
    assert fields["This server's own"] == "**5 threads**\n9 answers\n1 accepted"
    assert fields["Shared by all"].startswith(f"**{len(THREADS)} threads**\n")
    assert fields["From members"] == "1 vote\n0 phrasings learned"
    assert fields["Last import"].startswith("**compost.txt**, <t:")
    assert fields["Threads by source"].splitlines() == [
        "unknown: 5 (shared)", "sheds: 3", "compost: 1", "other: 1",
    ]  # fmt: skip


class TestRemove:
    async def test_a_thread_is_asked_about_removed_and_brought_back(self, own: World):
        choices = await own.mo.autocomplete(own.general, "library remove", "thread", "shed of memb")
        assert len(choices) == 4
        value = next(c["value"] for c in choices if "number 1" in c["name"])
        asked = await own.mo.slash(own.general, "library remove", thread=value)
        assert shown(asked).ephemeral
        assert "Where is the shed of member number 1?" in shown(asked).embeds[0].description
        assert labels(shown(asked)) == ["Remove it", "Keep"]
        assert len(await titles(own)) == len(THREADS) + 4
        gone = await press(own, asked, "Remove it")
        assert len(await titles(own)) == len(THREADS) + 3
        assert labels(shown(gone)) == ["Undo"]
        assert "can be undone until <t:" in shown(gone).embeds[0].description
        back = await press(own, gone, "Undo")
        assert shown(back).content == "Back again: 1 thread, with the votes."
        assert labels(shown(back)) == []
        assert len(await titles(own)) == len(THREADS) + 4

    async def test_a_source_with_its_votes(self, own: World):
        thread = await own.app.answering.find("own0", guild_id=own.guild.id)
        assert thread is not None
        await press_button(
            own.app.voting,
            answer_id=thread.answers[0].id,
            guild_id=own.guild.id,
            user_id=1,
            value=Vote.UP,
        )
        (choice,) = await own.mo.autocomplete(own.general, "library remove", "source", "SHE")
        assert choice["name"] == "sheds (3 threads)"
        asked = await own.mo.slash(own.general, "library remove", source=choice["value"])
        assert shown(asked).embeds[0].description == "All of **sheds**: 3 threads with 1 vote"
        await press(own, asked, "Remove all 3")
        assert len(await titles(own)) == len(THREADS) + 1

    async def test_keep_leaves_everything(self, own: World):
        asked = await own.mo.slash(own.general, "library remove", source="sheds")
        kept = await press(own, asked, "Keep")
        assert shown(kept).content == "Nothing was removed."
        assert labels(shown(kept)) == []
        assert len(await titles(own)) == len(THREADS) + 4

    async def test_a_source_that_grew_meanwhile_is_asked_about_again(self, own: World):
        asked = await own.mo.slash(own.general, "library remove", source="sheds")
        more = replace(OWN[0], key="own9", title="Where is the newest shed?")
        await own.app.library.add([more], scope=own.guild.id)
        again = await press(own, asked, "Remove all 3")
        assert labels(shown(again)) == ["Remove all 4", "Keep"]
        assert len(await titles(own)) == len(THREADS) + 5

    async def test_buttons_work_after_a_restart(self, own: World):
        asked = await own.mo.slash(own.general, "library remove", thread="own1")
        await own.restart()
        gone = await press(own, asked, "Remove it")
        await own.restart()
        assert "Back again" in shown(await press(own, gone, "Undo")).content

    async def test_what_is_gone_already_is_reported(self, own: World):
        asked = await own.mo.slash(own.general, "library remove", thread="own1")
        await remove(own, thread="own1")
        assert "not here any more" in told(await press(own, asked, "Remove it")).content

    @pytest.mark.parametrize("name", ["vote", "#1", "How do I vote on an answer?", "nonsense"])
    async def test_only_the_servers_own(self, own: World, name: str):
        result = await own.mo.slash(own.general, "library remove", thread=name)
        said = told(result).content
        if name in ("vote", "#1"):
            assert "Whoever hosts me" in said
        else:
            assert "no such thread" in said
        own.env.errors.clear()
        assert len(await titles(own)) == len(THREADS) + 4

    @pytest.mark.parametrize("what", [{}, {"thread": "own1", "source": "sheds"}])
    async def test_either_a_thread_or_a_source(self, own: World, what: dict[str, str]):
        result = await own.mo.slash(own.general, "library remove", **what)
        assert "either" in told(result).content
        own.env.errors.clear()

    async def test_restore_lists_what_was_removed_newest_first(self, own: World):
        await remove(own, thread="own3")
        await remove(own, source="sheds")
        choices = await own.mo.autocomplete(own.general, "library restore", "removal", "")
        assert [c["name"].rsplit(",")[0] for c in choices] == [
            "sheds (3 threads", "Where is the shed of member number 3? (1 thread",
        ]  # fmt: skip
        result = await own.mo.slash(own.general, "library restore", removal=choices[1]["value"])
        assert "1 thread" in shown(result).content
        result = await own.mo.slash(own.general, "library restore")
        assert "3 threads" in shown(result).content
        result = await own.mo.slash(own.general, "library restore")
        assert "Nothing was removed" in told(result).content
        own.env.errors.clear()

    async def test_after_a_day_there_is_no_way_back(self, own: World):
        gone = await remove(own, thread="own1")
        await own.app.guild_library.purge(datetime.now(UTC) + timedelta(days=2))
        assert "deleted for good" in told(await press(own, gone, "Undo")).content


class TestCardsOfWhatWasRemoved:
    """An answer stays on Discord when its thread goes: its buttons answer politely."""

    async def posted(self, world: World) -> Any:
        await world.bob.send(world.ask, SHED)
        card = last(world.ask)
        assert await world.key_of(card) == "own1"
        await remove(world, thread="own1")
        return card

    async def test_other_answers(self, own: World):
        card = await self.posted(own)
        opened = await own.bob.click(card, label="Other answers (1)")
        assert "not in the library any more" in shown(opened).content

    async def test_votes_wait_for_it_to_come_back(self, own: World):
        card = await self.posted(own)
        await own.bob.react(card, "⬆️")
        await own.mo.slash(own.general, "library restore")
        assert await own.tallies("own1") == [1, 0]

    async def test_not_my_question(self, own: World):
        card = await self.posted(own)
        await own.bob.click(card, label="Not my question")
        assert last(own.ask).embeds == []

    async def test_not_my_question_when_it_is_deleted_for_good(self, own: World):
        card = await self.posted(own)
        await own.app.guild_library.purge(datetime.now(UTC) + timedelta(days=2))
        result = await own.bob.click(card, label="Not my question")
        assert "not in the library any more" in told(result).content

    async def test_a_page_of_it(self, own: World):
        pages = await own.bob.slash(own.general, "thread", query="own1")
        await remove(own, thread="own1")
        turned = await own.bob.click(shown(pages), label="Next")
        assert "not in the library any more" in shown(turned).content


class TestMembers:
    @pytest.mark.parametrize("name", ["export", "stats", "restore", "remove"])
    async def test_may_not(self, own: World, name: str):
        with pytest.raises(SetupError):
            await own.bob.slash(own.general, f"library {name}")

    async def test_may_not_even_if_discord_lets_them(self, own: World):
        await self.let(own)
        for name, options in (
            ("import", {"file": ("f.txt", PAGE)}),
            ("export", {}),
            ("stats", {}),
            ("remove", {"thread": "own1"}),
            ("restore", {}),
        ):
            result = await own.bob.slash(own.general, f"library {name}", **options)
            assert "Manage Server" in shown(result).content
            assert shown(result).ephemeral
        own.env.errors.clear()
        assert len(await titles(own)) == len(THREADS) + 4

    async def test_read_nothing_by_autocomplete(self, own: World):
        await remove(own, thread="own3")
        await self.let(own)
        for name, option in (
            ("remove", "thread"), ("remove", "source"), ("restore", "removal"),
        ):  # fmt: skip
            command = f"library {name}"
            assert await own.mo.autocomplete(own.general, command, option, "") != []
            assert await own.bob.autocomplete(own.general, command, option, "") == []

    async def let(self, world: World) -> None:
        command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "library")
        world.guild.set_command_permissions(command, {world.bob: True})


async def test_who_lost_the_permission_cannot_press_any_more(own: World):
    asked = await own.mo.slash(own.general, "library remove", thread="own1")
    gone = await remove(own, thread="own3")
    member = own.env.backend.guilds[own.guild.id].members[own.mo.id]
    member.role_ids.clear()
    for result, label in ((asked, "Remove it"), (gone, "Undo")):
        pressed = await own.mo.click(shown(result), label=label)
        assert "Manage Server" in told(pressed).content
    assert len(await titles(own)) == len(THREADS) + 3


async def test_autocomplete_that_fails_offers_nothing(
    own: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(own.app.answering, "complete", broken)
    monkeypatch.setattr(own.app.guild_library, "sources", broken)
    monkeypatch.setattr(own.app.guild_library, "removals", broken)
    for name, option in (("remove", "thread"), ("remove", "source"), ("restore", "removal")):
        assert await own.mo.autocomplete(own.general, f"library {name}", option, "") == []
    assert caplog.text.count("autocomplete failed: no disk") == 3


async def test_long_names_fit(own: World):
    long = "@everyone [x](https://e.example) " + "ÅÄÖ🛶" * 400
    await own.app.library.add(
        [replace(OWN[0], key="long", title=long, source=long[:200])], scope=own.guild.id
    )
    for name, option in (("remove", "thread"), ("remove", "source")):
        for choice in await own.mo.autocomplete(own.general, f"library {name}", option, ""):
            assert text.width(choice["name"]) <= limits.CHOICE_TEXT
            assert 0 < text.width(choice["value"]) <= limits.CHOICE_TEXT
    result = await own.mo.slash(own.general, "library stats")
    assert "@everyone" not in str(shown(result).embeds[0].to_dict())
    gone = await remove(own, thread="long")
    assert "@everyone" not in shown(gone).embeds[0].description


@pytest.mark.parametrize("words", ["", "a", "@everyone **x** <@1> ](http://e)", "🛶" * 3_000])
async def test_every_card_is_within_discords_limits(words: str):
    huge, now = 10**17, datetime.now(UTC)
    button = moderator_cards.RemoveThese(huge, 10**8, whole_source=True)
    told = import_cards.Remarks([words] * 2_000, huge)
    for card in (
        import_cards.imported_card(words, {"added": huge}, told, told, told),
        import_cards.imported_card(words, {"added": 0}, *[import_cards.Remarks()] * 3),
        moderator_cards.figures_card(
            [("Own", huge, huge, huge)] * 2, huge, huge, [(words, huge, True)] * 10, (words, now)
        ),
        moderator_cards.removal_card(words, huge, huge, button),
        moderator_cards.removed_card(words, huge, huge, now),
    ):
        check(card)
    assert text.width(import_cards.progress_line(words, huge, huge)) <= limits.MESSAGE
