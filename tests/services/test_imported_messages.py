"""Exports of Discord: what authors chose holds for imports, and what they choose later."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import post_threads
from bot.app import App
from bot.curation import AuthorChoice, Origin, ThreadState
from bot.models import SHARED, StoredThread, Thread
from bot.services.import_pipeline import ImportReport
from bot.services.uploads import Upload
from bot.sources import SourceReport, discord_export, read
from bot.store import origins
from tests.sources.test_discord_export import (
    FORUM,
    FUSE,
    GUILD,
    KIM,
    LEE,
    MAX,
    POST,
    QUESTION,
    TICKED,
    export,
    message,
    reaction,
    write,
)

ELSEWHERE, HELPER = 987, 9
KEY = f"discord:{FORUM}/{POST}"
LIKED = message(2, LEE, "Ask Kim, I mean <@2>.", reactions=[reaction("👍", MAX, KIM)])
LIKED["mentions"] = [{"id": "2", "name": "kim", "nickname": "Kim", "isBot": False}]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "post.json", export(QUESTION, TICKED, LIKED))


async def take_in(app: App, file: Path, scope: int = GUILD) -> ImportReport:
    return await app.library.import_paths([file], scope=scope)


async def thread(app: App, scope: int = GUILD) -> StoredThread | None:
    return await app.answering.find(KEY, guild_id=scope)


async def said(app: App, scope: int = GUILD) -> dict[str, str | None]:
    found = await thread(app, scope)
    return {} if found is None else {a.body: a.author for a in found.answers}


async def test_messages_are_known_as_those_of_followed_posts_are(app: App, file: Path) -> None:
    await take_in(app, file)
    found = await thread(app)
    assert found is not None
    async with app.database.read() as connection:
        question = await origins.of_thread(connection, found.id, GUILD)
        given = await origins.of_answers(connection, [a.id for a in found.answers])
        author = await origins.author_of(connection, found.answers[0].id)
    assert question == Origin(channel_id=POST, message_id=POST, author_id=MAX)
    assert sorted((one.message_id, one.author_id) for one in given.values()) == [
        (POST + 1, KIM),
        (POST + 2, LEE),
    ]
    assert author.is_member(KIM)


async def test_a_message_that_was_deleted_takes_its_answer_out(app: App, file: Path) -> None:
    await take_in(app, file)
    assert await app.authors.answers_among(GUILD, [POST + 1]) == [POST + 1]
    await app.authors.gone(GUILD, POST + 1)
    assert [*await said(app)] == ["Ask Kim, I mean @Kim."]
    await take_in(app, file)  # what helpers and authors did stays
    assert [*await said(app)] == ["Ask Kim, I mean @Kim."]


async def test_of_another_server_nothing_is_followed_and_authors_count(
    app: App, file: Path
) -> None:
    await take_in(app, file, ELSEWHERE)
    found = await thread(app, ELSEWHERE)
    assert found is not None
    given = await app.database.reading(origins.of_answers, [a.id for a in found.answers])
    assert {one.channel_id for one in given.values()} == {0}
    later = 2**62
    for answer_id in given:
        assert await app.database.reading(origins.unchecked, answer_id, later) is None
    assert await app.authors.gone(GUILD, POST + 1) == []
    assert len(await said(app, ELSEWHERE)) == 2
    await app.authors.choose(KIM, AuthorChoice.LEAVE_OUT)
    assert [*await said(app, ELSEWHERE)] == ["Ask Kim, I mean @Kim."]


class TestChosenBefore:
    async def test_who_asked_and_wants_nothing_kept(self, app: App, file: Path) -> None:
        await app.authors.choose(MAX, AuthorChoice.LEAVE_OUT)
        report = await take_in(app, file)
        assert (report.total, report.ok) == (0, True)
        assert dict(report.passed_over) == {"posts that their authors want left out": 1}
        assert await thread(app) is None

    async def test_whose_solution_it_is(self, app: App, file: Path) -> None:
        await app.authors.choose(KIM, AuthorChoice.LEAVE_OUT)
        report = await take_in(app, file)
        assert (report.total, sum(report.passed_over.values())) == (0, 1)

    async def test_whose_further_answer_it_is(self, app: App, file: Path) -> None:
        await app.authors.choose(LEE, AuthorChoice.LEAVE_OUT)
        await take_in(app, file)
        assert [*await said(app)] == [FUSE["content"]]

    async def test_who_wants_no_name(self, app: App, file: Path) -> None:
        await app.authors.choose(KIM, AuthorChoice.WITHOUT_NAME)
        await take_in(app, file)
        assert await said(app) == {
            FUSE["content"]: "somebody",
            "Ask Kim, I mean @somebody.": "Lee",
        }

    async def test_also_where_a_moderator_sends_the_file(self, app: App, file: Path) -> None:
        await app.authors.choose(LEE, AuthorChoice.LEAVE_OUT)
        data = file.read_bytes()

        async def fetch() -> bytes:
            return data

        await app.uploads.take_in(GUILD, Upload(file.name, len(data), fetch))
        assert [*await said(app)] == [FUSE["content"]]
        await app.authors.choose(KIM, AuthorChoice.LEAVE_OUT)
        assert await said(app) == {}


class TestChosenAfterwards:
    @pytest.mark.parametrize("scope", [GUILD, ELSEWHERE, SHARED])
    async def test_words_go_for_good(self, app: App, file: Path, scope: int) -> None:
        await take_in(app, file, scope)
        assert await app.authors.count(KIM) == 1
        await app.authors.choose(KIM, AuthorChoice.LEAVE_OUT)
        assert [*await said(app, scope)] == ["Ask Kim, I mean @Kim."]
        await take_in(app, file, scope)
        assert FUSE["content"] not in await said(app, scope)
        await app.authors.choose(MAX, AuthorChoice.LEAVE_OUT)
        assert await thread(app, scope) is None

    @pytest.mark.parametrize("who", [KIM, MAX])
    async def test_words_go_from_a_servers_own_version_of_a_shared_thread(
        self, app: App, file: Path, who: int
    ) -> None:
        await take_in(app, file, SHARED)
        shared = await thread(app)
        assert shared is not None

        def edit(state: ThreadState) -> ThreadState:
            return replace(state, thread=replace(state.thread, title="Which fuse is it?"))

        own_id = (await app.curating.edit(GUILD, HELPER, shared.id, edit)).thread_id
        await app.authors.choose(who, AuthorChoice.LEAVE_OUT)
        own = await app.answering.serve(own_id, guild_id=GUILD)
        left = None if own is None else [a.body for a in own.answers]
        assert left == (["Ask Kim, I mean @Kim."] if who == KIM else None)

    async def test_a_name_goes(self, app: App, file: Path) -> None:
        await take_in(app, file)
        await app.authors.choose(KIM, AuthorChoice.WITHOUT_NAME)
        assert (await said(app))[FUSE["content"]] is None

    @pytest.mark.parametrize("choice", AuthorChoice)
    async def test_while_the_import_reads(
        self, app: App, file: Path, choice: AuthorChoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loop, begun = asyncio.get_running_loop(), post_threads.thread_of

        def chosen_meanwhile(*given: Any) -> Any:
            asyncio.run_coroutine_threadsafe(app.authors.choose(KIM, choice), loop).result(60)
            return begun(*given)

        monkeypatch.setattr(discord_export, "thread_of", chosen_meanwhile)
        await take_in(app, file)
        left_out = choice is AuthorChoice.LEAVE_OUT
        assert (await said(app)).get(FUSE["content"], "out") == ("out" if left_out else None)

    async def test_while_the_import_reads_words_left_out_are_not_searched(
        self, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another thread is indexed already, so that the index isn't made anew."""
        await app.library.add([Thread(key="k", title="Where is the fuse box?")], scope=GUILD)
        file = write(tmp_path / "post.json", export(QUESTION, TICKED))
        chosen = AuthorChoice.LEAVE_OUT
        loop, begun = asyncio.get_running_loop(), post_threads.thread_of

        def chosen_meanwhile(*given: Any) -> Any:
            for author in (MAX, KIM, LEE):
                made = app.authors.choose(author, chosen)
                asyncio.run_coroutine_threadsafe(made, loop).result(60)
            return begun(*given)

        monkeypatch.setattr(discord_export, "thread_of", chosen_meanwhile)
        await take_in(app, file)
        title = QUESTION["content"]
        assert await thread(app) is None
        assert KEY not in {m.key for m in app.engine.search(title, GUILD, 5)}
        assert app.engine.complete(title[:6], GUILD, 5) == []


def test_without_choices_a_file_gives_the_same_thread(file: Path) -> None:
    (found,) = read(file, SourceReport())
    assert found.made_of is not None
    assert found.made_of.guild_id == GUILD
    assert found.made_of.author_ids == {MAX, KIM, LEE}
    assert not found.made_of.nameless
