"""Exports of Discord: what authors chose holds for imports, and what they choose later."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from bot import post_threads
from bot.app import App
from bot.curation import AuthorChoice, Origin, ThreadState
from bot.models import SHARED, Answer, StoredThread, Thread
from bot.services.import_pipeline import ImportReport
from bot.services.uploads import Upload
from bot.sources import SourceReport, discord_export, read
from bot.store import origins, revisions
from bot.store.tables import answers
from tests.kit.revisions import kept
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


class TestProposed:
    """Lee's answer is in a newer export only, and a helper had edited the thread by then."""

    @pytest.fixture(params=[GUILD, ELSEWHERE, SHARED])
    def scope(self, request: pytest.FixtureRequest) -> int:
        return int(request.param)

    @pytest.fixture
    def guild(self, scope: int) -> int:
        """The server whose helpers edit: of a shared thread, it has a version of its own."""
        return scope or GUILD

    @pytest.fixture
    async def own_id(self, app: App, tmp_path: Path, scope: int, guild: int) -> int:
        await take_in(app, write(tmp_path / "post.json", export(QUESTION, TICKED)), scope)
        found = await thread(app, guild)
        assert found is not None

        def edit(state: ThreadState) -> ThreadState:
            own = Answer(body="Ask Kim, I mean @Kim, please.")
            thread = replace(
                state.thread, title="Which fuse?", answers=(*state.thread.answers, own)
            )
            return replace(state, thread=thread, answer_ids=(*state.answer_ids, None))

        done = await app.curating.edit(guild, HELPER, found.id, edit)
        await take_in(app, write(tmp_path / "post.json", export(QUESTION, TICKED, LIKED)), scope)
        return done.thread_id

    async def proposed(self, app: App, guild: int) -> dict[str, str | None]:
        (proposal,) = await kept(app, guild, proposed=True)
        return {answer.body: answer.author for answer in proposal.state.thread.answers}

    async def take_over(self, app: App, guild: int) -> None:
        (proposal,) = await kept(app, guild, proposed=True)
        await app.curating.restore(guild, HELPER, proposal.id)

    async def in_force(self, app: App, guild: int, own_id: int) -> dict[str, str | None]:
        found = await app.answering.serve(own_id, guild_id=guild)
        assert found is not None
        return {answer.body: answer.author for answer in found.answers}

    async def stored(self, app: App) -> int:
        async with app.database.read() as connection:
            return int(await connection.scalar(select(func.count()).select_from(answers)) or 0)

    async def test_it_is_not_shown_before_it_is_taken_over(
        self, app: App, guild: int, own_id: int
    ) -> None:
        assert {*await self.proposed(app, guild)} == {FUSE["content"], "Ask Kim, I mean @Kim."}
        shown = {*await self.in_force(app, guild, own_id)}
        assert shown == {FUSE["content"], "Ask Kim, I mean @Kim, please."}

    async def test_words_left_out_are_proposed_no_more(
        self, app: App, guild: int, own_id: int, file: Path, scope: int
    ) -> None:
        await app.authors.choose(LEE, AuthorChoice.LEAVE_OUT)
        assert [*await self.proposed(app, guild)] == [FUSE["content"]]
        shown = {*await self.in_force(app, guild, own_id)}
        assert shown == {FUSE["content"], "Ask Kim, I mean @Kim, please."}  # the helper's stays
        await take_in(app, file, scope)
        assert [*await self.proposed(app, guild)] == [FUSE["content"]]
        await self.take_over(app, guild)
        assert [*await self.in_force(app, guild, own_id)] == [FUSE["content"]]

    async def test_words_left_out_go_though_taken_over(
        self, app: App, guild: int, own_id: int
    ) -> None:
        await self.take_over(app, guild)
        assert {*await self.in_force(app, guild, own_id)} == {
            FUSE["content"],
            "Ask Kim, I mean @Kim.",
        }
        await app.authors.choose(LEE, AuthorChoice.LEAVE_OUT)
        assert [*await self.in_force(app, guild, own_id)] == [FUSE["content"]]
        states = [revision.state.thread for revision in await kept(app, guild)]
        texts = {answer.body for state in states for answer in state.answers}
        assert "Ask Kim, I mean @Kim." not in texts

    @pytest.mark.parametrize("first", [True, False])
    async def test_a_name_goes(self, app: App, guild: int, own_id: int, first: bool) -> None:
        if first:
            await app.authors.choose(LEE, AuthorChoice.WITHOUT_NAME)
            assert (await self.proposed(app, guild))["Ask Kim, I mean @Kim."] is None
        await self.take_over(app, guild)
        if not first:
            await app.authors.choose(LEE, AuthorChoice.WITHOUT_NAME)
        assert (await self.in_force(app, guild, own_id))["Ask Kim, I mean @Kim."] is None

    async def test_importing_it_again_adds_nothing(
        self, app: App, guild: int, own_id: int, file: Path, scope: int
    ) -> None:
        (before,), stored = await kept(app, guild, proposed=True), await self.stored(app)
        for _ in range(10):
            await take_in(app, file, scope)
        (after,) = await kept(app, guild, proposed=True)
        assert (after.id, await self.stored(app)) == (before.id, stored)

    async def test_other_words_of_the_message_are_the_same_answer(
        self, app: App, guild: int, own_id: int, tmp_path: Path, scope: int
    ) -> None:
        stored = await self.stored(app)
        for words in ("Nobody knows.", "It burnt out."):
            now = export(QUESTION, TICKED, LIKED | {"content": words})
            await take_in(app, write(tmp_path / "post.json", now), scope)
            assert {*await self.proposed(app, guild)} == {FUSE["content"], words}
        assert await self.stored(app) == stored
        await app.authors.choose(LEE, AuthorChoice.LEAVE_OUT)
        assert [*await self.proposed(app, guild)] == [FUSE["content"]]

    @pytest.mark.parametrize("scope", [GUILD, ELSEWHERE])
    async def test_a_proposal_of_an_earlier_release_is_made_anew(
        self, app: App, guild: int, own_id: int, file: Path, scope: int
    ) -> None:
        """Its new answers had no ids."""
        async with app.database.write() as connection:
            await connection.execute(delete(answers).where(answers.c.key == str(POST + 2)))
            await revisions.rewrite(
                connection,
                [own_id],
                lambda state, _: state.with_pairs(
                    (answer, None if answer.key == str(POST + 2) else i)
                    for answer, i in state.pairs
                ),
            )
        await take_in(app, file, scope)
        await app.authors.choose(LEE, AuthorChoice.LEAVE_OUT)
        assert [*await self.proposed(app, guild)] == [FUSE["content"]]


def test_without_choices_a_file_gives_the_same_thread(file: Path) -> None:
    (found,) = read(file, SourceReport())
    assert found.made_of is not None
    assert found.made_of.guild_id == GUILD
    assert found.made_of.author_ids == {MAX, KIM, LEE}
    assert not found.made_of.nameless
