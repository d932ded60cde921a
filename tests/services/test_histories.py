"""Histories in exports: asked for, of one server alone, and undone where they are imported."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.app import App
from bot.curation import Action, Revision
from bot.errors import StoreError
from bot.models import SHARED, Answer, Thread, Vote
from bot.services.import_pipeline import ImportReport
from bot.sources.writers import OneFile
from bot.store import histories, revisions
from bot.store.curation_tables import revisions as revision_table
from bot.store.tables import answers, threads
from bot.worker import in_thread
from tests.kit.library import BREAD, HERE, THERE, another_at
from tests.kit.votes import press_button

HELPER = 987_009
CAKE = Thread(
    key="cake",
    title="How long does a cake keep?",
    answers=(Answer(body="Three days.", key="a"), Answer(body="Until it is eaten.", key="b")),
)
PIE = replace(CAKE, key="pie", title="How long can a pie be kept?")
OTHERS = Thread(key="x", title="A secret of another server", answers=(Answer(body="Hush."),))


async def add(app: App, thread: Thread, guild: int = HERE) -> int:
    return (await app.curating.add(guild, HELPER, thread)).thread_id


async def title(app: App, thread_id: int, new: str, guild: int = HERE) -> int:
    done = await app.curating.edit(
        guild, HELPER, thread_id, lambda s: replace(s, thread=replace(s.thread, title=new))
    )
    return done.thread_id


async def written(app: App, file: Path, *, history: bool = True) -> Path:
    file.write_text(await _export(app, HERE, history=history))
    return file


async def _export(app: App, guild: int, *, history: bool = True) -> str:
    out = io.StringIO()
    await app.library.export(OneFile(out).write, scope=guild)
    if history:
        await app.library.export_history(out.write, scope=guild)
    return out.getvalue()


async def opened(folder: Path, file: Path, guild: int = HERE) -> tuple[App, ImportReport]:
    """A new library that has the file's threads, and how that went."""
    app = await App.open(another_at(folder))
    return app, await app.library.import_paths([file], scope=guild)


def told(history: list[Revision]) -> list[tuple[object, ...]]:
    """What two libraries must agree on: ids are each one's own."""
    return [
        (r.action, r.made_at, r.state.retired, len(r.state.merged), replace(r.state.thread, key=""))
        for r in history
    ]


async def history(app: App, thread_id: int) -> list[Revision]:
    """The states of a thread, newest first."""
    return await app.database.reading(revisions.of_thread, HERE, thread_id)


async def everything(app: App, guild: int = HERE) -> list[Revision]:
    return await app.database.reading(histories.page, guild, 0, 999)


async def bodies(app: App, key: str, guild: int = HERE) -> list[str] | None:
    thread = await app.answering.find(key, guild_id=guild)
    if thread is None or thread.key != key:  # what the words find
        return None
    return sorted(answer.body for answer in thread.answers)


async def busy(app: App) -> tuple[int, int]:
    """Two threads that were edited and merged; returns the kept one, and the other."""
    cake = await add(app, CAKE)
    pie = await add(app, replace(PIE, answers=(*PIE.answers, Answer(body="Two days."))))
    await title(app, cake, "How long may a cake be kept?")
    await app.curating.edit(
        HERE, HELPER, cake, lambda s: s.with_pairs([p for p in s.pairs if p[0].key != "b"])
    )
    assert (await app.curating.merge(HERE, HELPER, cake, pie)).thread_id == cake
    return cake, pie


async def test_they_come_back_in_an_empty_library(app: App, tmp_path: Path) -> None:
    cake, pie = await busy(app)
    file = await written(app, tmp_path / "ours.jsonl")
    other, report = await opened(tmp_path / "other", file)
    assert (report.added, report.states, report.ok) == (1, 6, True)
    assert not report.passed_over
    for mine, theirs in ((cake, 1), (pie, 2)):
        here = await history(app, mine)
        there = await history(other, theirs)
        assert told(there) == told(here)
        assert {r.user_id for r in there} == {0}
    assert told(await everything(other)) == told(await everything(app))
    await other.close()


async def test_undoing_does_there_what_it_does_here(app: App, tmp_path: Path) -> None:
    cake, _ = await busy(app)
    other, _ = await opened(tmp_path / "other", await written(app, tmp_path / "ours.jsonl"))
    named = await other.database.reading(histories.named, HERE, 0, 9)
    (mine,) = [one.thread_id for one in named if one.key == "cake"]
    for _ in range(2):
        for library, thread_id in ((app, cake), (other, mine)):
            await library.curating.undo(HERE, HELPER, thread_id)
        for key in ("cake", "pie"):
            assert await bodies(other, key) == await bodies(app, key), key
    await app.curating.undo(HERE, HELPER, cake)
    await other.curating.undo(HERE, HELPER, mine)
    assert (
        await bodies(app, "pie")
        == await bodies(other, "pie")
        == [
            "Three days.",
            "Two days.",
            "Until it is eaten.",
        ]
    )
    first = (await history(other, mine))[-1]
    await other.curating.restore(HERE, HELPER, first.id)
    assert await bodies(other, "cake") == ["Three days.", "Until it is eaten."]
    await other.close()


async def test_merged_threads_whose_answers_have_one_key_are_read_again(
    app: App, tmp_path: Path
) -> None:
    both = [await add(app, replace(CAKE, key=key)) for key in ("one", "two")]
    other = replace(CAKE.answers[0], body="Not long.")
    await app.curating.edit(
        HERE, HELPER, both[1], lambda s: s.with_pairs([(other, s.answer_ids[0])])
    )
    await app.curating.merge(HERE, HELPER, *both)
    library, report = await opened(tmp_path / "other", await written(app, tmp_path / "ours.jsonl"))
    assert (report.added, report.rejected) == (1, [])
    assert await bodies(library, "one") == ["Not long.", "Three days.", "Until it is eaten."]
    await library.close()


async def test_nothing_of_another_server_and_nobodys_id_is_in_it(app: App, tmp_path: Path) -> None:
    await busy(app)
    await title(app, await add(app, OTHERS, THERE), "Another secret", THERE)
    text = (await written(app, tmp_path / "ours.jsonl")).read_text()
    assert "secret" not in text
    assert "Hush" not in text
    assert str(HELPER) not in text


async def test_they_are_kept_out_unless_they_are_asked_for(app: App, tmp_path: Path) -> None:
    await busy(app)
    lines = (await written(app, tmp_path / "ours.jsonl", history=False)).read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["cake"]
    assert "history" not in "".join(lines)


async def test_into_the_shared_library_they_are_not_taken(app: App, tmp_path: Path) -> None:
    await busy(app)
    file = await written(app, tmp_path / "ours.jsonl")
    other, report = await opened(tmp_path / "other", file, SHARED)
    assert (report.added, report.states, report.ok) == (1, 0, True)
    assert any("--guild" in hint for hint in report.hints)
    await other.close()


async def test_a_history_that_is_there_stays(app: App, tmp_path: Path) -> None:
    cake, _ = await busy(app)
    file = await written(app, tmp_path / "ours.jsonl")
    before = told(await history(app, cake))
    report = await app.library.import_paths([file], scope=HERE)
    assert (report.states, report.ok) == (0, True)
    assert [*report.passed_over.values()] == [2]
    assert told(await history(app, cake)) == before


async def test_changes_of_two_servers_in_one_library_stay_apart(app: App, tmp_path: Path) -> None:
    cake, _ = await busy(app)
    file = await written(app, tmp_path / "ours.jsonl")
    await app.library.import_paths([file], scope=THERE)
    mine = {r.change for r in await everything(app)}
    theirs = {r.change for r in await everything(app, THERE)}
    assert mine & theirs <= {0}
    await app.curating.undo(HERE, HELPER, cake)
    assert await bodies(app, "pie", THERE) is None
    assert await bodies(app, "pie") is not None


async def test_a_version_of_a_shared_thread_is_one_again(app: App, tmp_path: Path) -> None:
    await app.library.add([BREAD])
    await press_button(app.voting, answer_id=1, guild_id=HERE, user_id=1, value=Vote.UP)
    await title(app, 1, "Why is my bread flat?")
    file = await written(app, tmp_path / "ours.jsonl")
    other = await App.open(another_at(tmp_path / "other"))
    await other.library.add([BREAD])
    assert (await other.library.import_paths([file], scope=HERE)).states == 3
    for library in (app, other):
        matches = await library.answering.complete("", guild_id=HERE, limit=9)
        assert [match.title for match in matches] == ["Why is my bread flat?"]
    own = (await other.answering.find("bread", guild_id=HERE)).id  # type: ignore[union-attr]
    await other.curating.undo(HERE, HELPER, own)
    await other.curating.undo(HERE, HELPER, own)
    await other.curating.undo(HERE, HELPER, own)
    thread = await other.answering.find("bread", guild_id=HERE)
    assert thread is not None
    assert (thread.scope, sum(answer.votes for answer in thread.answers)) == (SHARED, 1)
    await other.close()


async def test_a_line_that_is_wrong_is_named_and_the_others_are_read(
    app: App, tmp_path: Path
) -> None:
    await busy(app)
    file = await written(app, tmp_path / "ours.jsonl")
    lines = file.read_text().splitlines()
    bad = [
        '{"history": 5}',
        '{"history": {"thread": "x", "id": "k", "title": "t", "answers": []}}',
        '{"history": {"thread": 1, "action": "dreamt", "at": "2024-01-01", "change": 1, '
        '"proposed": false, "retired": false, "merged": [], "answers": [], '
        '"state": {"id": "k", "title": "t"}}}',
    ]
    file.write_text("\n".join([*lines, *bad]) + "\n")
    other, report = await opened(tmp_path / "other", file)
    assert report.states == 6
    assert [problem.reason for problem in report.rejected] == [
        "history must be an object, it is 5",
        'history.thread must be a whole number, it is "x"',
        "history.action must be one of saved, added, imported, answered, edited, overridden, "
        'merged, restored, solved, reopened, followed, it is "dreamt"',
    ]
    await other.close()


def named(number: int, key: str, *, merged_into: int | None = None, answers: list[int]) -> str:
    row = {"thread": number, "id": key, "title": f"What is {key}?", "answers": answers}
    return json.dumps({"history": row | {"merged_into": merged_into}}) + "\n"


def state(number: int, key: str, answers: list[int], *, retired: bool = True) -> str:
    said = [{"body": f"That is {n}."} for n in answers]
    row = {"thread": number, "action": "edited", "at": "2024-01-01", "change": number}
    row |= {"proposed": False, "retired": retired, "merged": [], "answers": answers}
    row |= {"state": {"id": key, "title": f"What is {key}?", "answers": said}}
    return json.dumps({"history": row}) + "\n"


async def test_threads_that_are_merged_into_each_other_are_merged_into_none(tmp_path: Path) -> None:
    file = tmp_path / "forged.jsonl"
    lines = [named(n, key, merged_into=3 - n, answers=[]) for n, key in ((1, "a"), (2, "b"))]
    lines += [named(5, "self", merged_into=5, answers=[])]
    lines += [state(n, key, [n]) for n, key in ((1, "a"), (2, "b"), (5, "self"))]
    file.write_text("".join(lines))
    other, report = await opened(tmp_path / "other", file)
    assert (report.states, report.ok) == (3, True)
    async with asyncio.timeout(20):
        for thread_id in (1, 2, 3):
            await other.curating.undo(HERE, HELPER, thread_id)
    await other.close()


async def test_a_thread_of_a_file_that_is_cut_off_is_not_served_without_answers(
    tmp_path: Path,
) -> None:
    file = tmp_path / "cut.jsonl"
    file.write_text(named(1, "a", answers=[]) + '{"history": {"thread": 1, "act')
    other, report = await opened(tmp_path / "other", file)
    assert not report.ok
    assert await other.answering.find("a", guild_id=HERE) is None
    await other.close()


async def test_numbers_that_are_twice_in_a_list_and_deep_lines_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "forged.jsonl"
    deep = '{"history": ' + "[" * 100_000 + "]" * 100_000 + "}\n"
    bad = [state(1, "a", [7, 7]), named(2, "b", answers=[8, 8]), deep]
    file.write_text("".join([named(1, "a", answers=[]), *bad, state(1, "a", [7])]))
    other, report = await opened(tmp_path / "other", file)
    assert report.states == 1
    refused = {problem.reason for problem in report.rejected}
    assert "history.answers must be a list of different numbers, it is a list" in refused
    assert "this line of a history can't be read" in refused
    await other.close()


class Stopped(BaseException):
    """The program is gone after a transaction: that is what a kill leaves in the database."""


async def stopped_after(
    app: App, file: Path, guild: int, transactions: int, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Import the file, and stop after so many transactions; False if it has fewer."""
    write, left = app.database.write, transactions

    @asynccontextmanager
    async def counted() -> AsyncIterator[AsyncConnection]:
        nonlocal left
        async with write() as connection:
            yield connection
        left -= 1
        if not left:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(app.database, "write", counted)
        try:
            await app.library.import_paths([file], scope=guild)
        except Stopped:
            return True
    return False


async def exported(app: App, guild: int) -> list[str]:
    """A guild's export with histories; numbers that hold in it alone are put in their order."""
    text = await _export(app, guild)
    numbers: dict[tuple[str, int], int] = {}

    def number(kind: str, value: int | None) -> int | None:
        return None if value is None else numbers.setdefault((kind, value), len(numbers))

    lines = []
    for line in map(json.loads, text.splitlines()):
        if history := line.get("history"):
            for key, kind in (
                ("thread", "thread"),
                ("merged_into", "thread"),
                ("change", "change"),
            ):
                history[key] = number(kind, history.get(key))
            for key, kind in (("answers", "answer"), ("merged", "thread")):
                history[key] = [number(kind, value) for value in history.get(key, ())]
        lines.append(json.dumps(line, sort_keys=True))
    return lines


async def rows_of(app: App, guild: int) -> tuple[int, int]:
    """How many answers a guild's threads have, with those that are out, and how many revisions."""
    async with app.database.read() as connection:
        mine = (
            select(func.count()).select_from(answers.join(threads)).where(threads.c.scope == guild)
        )
        ours = select(func.count()).where(revision_table.c.guild_id.in_((guild, -guild)))
        return await connection.scalar(mine) or 0, await connection.scalar(ours) or 0


@pytest.mark.both_databases
async def test_one_that_was_killed_is_completed_by_the_next(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await app.library.add([BREAD])
    cake, _ = await busy(app)
    await title(app, 1, "Why is my bread flat?")
    await app.curating.undo(HERE, HELPER, cake)
    file = await written(app, tmp_path / "ours.jsonl")
    monkeypatch.setattr("bot.services.histories.AT_ONCE", 2)
    assert not await stopped_after(app, file, THERE, 999, monkeypatch)
    whole, rows = await exported(app, THERE), await rows_of(app, THERE)
    stopped = 0
    for guild in range(1000, 1100):
        if not await stopped_after(app, file, guild, stopped + 1, monkeypatch):
            break
        stopped += 1
        if stopped % 2:  # once, or twice
            await stopped_after(app, file, guild, stopped, monkeypatch)
        report = await app.library.import_paths([file], scope=guild)
        assert report.ok
        assert await exported(app, guild) == whole
        assert await rows_of(app, guild) == rows
    assert stopped > 6
    assert await rows_of(app, guild) == rows


@pytest.fixture
async def busy_export(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The export of a busy server, of which two lines are taken in a transaction."""
    monkeypatch.setattr("bot.services.histories.AT_ONCE", 2)
    await busy(app)
    return await written(app, tmp_path / "ours.jsonl")


async def test_of_two_imports_at_once_the_later_one_goes_on(
    app: App, busy_export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, begin, begun = histories.take_state, histories.begin, asyncio.Event()
    others = list[asyncio.Task[ImportReport]]()

    async def overtaken(*about: Any) -> None:
        await take(*about)
        if not others:
            others.append(asyncio.create_task(app.library.import_paths([busy_export], scope=THERE)))

    async def noted(*about: Any) -> None:
        await begin(*about)
        if others:
            begun.set()

    async def read(*about: Any) -> Any:
        if others:  # between two transactions of the first
            await begun.wait()
        return await in_thread(*about)

    monkeypatch.setattr(histories, "take_state", overtaken)
    monkeypatch.setattr(histories, "begin", noted)
    monkeypatch.setattr("bot.services.histories.in_thread", read)
    with pytest.raises(StoreError, match="another import"):
        await app.library.import_paths([busy_export], scope=THERE)
    assert (await others[0]).states == 6
    await app.library.import_paths([busy_export], scope=999)
    assert await exported(app, THERE) == await exported(app, 999)


async def test_what_a_killed_one_has_left_changes_nothing_for_helpers(
    app: App, busy_export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await app.library.add([CAKE], scope=THERE)
    take = histories.take_state

    async def killed(*about: Any) -> None:
        await take(*about)
        if about[-1].states == 5:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(histories, "take_state", killed)
        with pytest.raises(Stopped):
            await app.library.import_paths([busy_export], scope=THERE)
    assert not [line for line in await exported(app, THERE) if "history" in line]
    found = await app.answering.find("cake", guild_id=THERE)
    assert found is not None
    await title(app, found.id, "Cake?", THERE)
    kept = await app.database.reading(revisions.of_thread, THERE, found.id)
    assert [r.action for r in kept] == [Action.EDITED, Action.IMPORTED]
    await app.curating.undo(THERE, HELPER, found.id)
    again = await app.answering.find("cake", guild_id=THERE)
    assert again is not None
    assert again.title == found.title


@pytest.mark.both_databases
async def test_what_helpers_change_meanwhile_stays(
    app: App, busy_export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_is_latest, edited = histories.check_is_latest, list[int]()

    async def edit() -> None:
        found = await app.answering.find("cake", guild_id=THERE)
        assert found is not None
        edited.append(await title(app, found.id, "Cake?", THERE))

    turns = list[int]()

    async def slow(*about: Any) -> None:
        await check_is_latest(*about)
        turns.append(1)
        if len(turns) == 2:
            tasks.append(asyncio.create_task(edit()))

    async def read(*about: Any) -> Any:
        if tasks:
            await tasks[0]
        return await in_thread(*about)

    tasks = list[asyncio.Task[None]]()
    monkeypatch.setattr(histories, "check_is_latest", slow)
    monkeypatch.setattr("bot.services.histories.in_thread", read)
    report = await app.library.import_paths([busy_export], scope=THERE)
    assert len(turns) > 4
    kept = await app.database.reading(revisions.of_thread, THERE, edited[0])
    assert [r.action for r in kept] == [Action.EDITED, Action.IMPORTED]
    assert [*report.passed_over.values()] == [1]
    await app.curating.undo(THERE, HELPER, edited[0])
    found = await app.answering.find("cake", guild_id=THERE)
    assert found is not None
    assert found.title == "How long may a cake be kept?"


FORGED = {
    "named twice": (
        [named(1, "a", merged_into=2, answers=[]), named(2, "a", answers=[])],
        [state(1, "a", [1]), state(2, "a", [2])],
    ),
    "two names": (
        [named(1, "a", answers=[]), named(1, "b", answers=[])],
        [state(1, "a", [1])],
    ),
    "no name": ([], [state(1, "a", [1])]),
    "another form of a key": ([named(1, " a\u2060 ", answers=[])], [state(1, "a", [1])]),
    "spaces": (
        [named(1, "a", answers=[]).replace("{", "{" + " " * 30, 1)],
        [state(1, "a", [1]).replace("{", "{" + " " * 30, 1)],
    ),
}


@pytest.mark.parametrize(
    ("what", "states", "left"),
    [
        ("named twice", 1, [1]),
        ("two names", 1, [1]),
        ("no name", 0, [1]),
        ("another form of a key", 1, []),
        ("spaces", 1, []),
    ],
)
async def test_a_thread_has_one_name_and_no_state_is_lost_in_silence(
    tmp_path: Path, what: str, states: int, left: list[int]
) -> None:
    names, lines = FORGED[what]
    (tmp_path / "forged.jsonl").write_text("".join([*names, *lines]))
    other, report = await opened(tmp_path / "other", tmp_path / "forged.jsonl")
    assert (report.states, [*report.passed_over.values()]) == (states, left)
    async with other.database.read() as connection:
        rows = (await connection.execute(select(threads.c.key, threads.c.merged_into))).all()
    assert [tuple(row) for row in rows] == [("a", None)][:states]
    await other.close()


async def test_a_state_without_a_number_is_refused(app: App, tmp_path: Path) -> None:
    lines = [named(1, "a", answers=[]), state(1, "a", [1]).replace('"change": 1', '"change": 0')]
    (tmp_path / "forged.jsonl").write_text("".join(lines))
    report = await app.library.import_paths([tmp_path / "forged.jsonl"], scope=HERE)
    assert [problem.reason for problem in report.rejected] == [
        "history.change must be another number unless it is what a thread was at first, it is 0"
    ]


async def test_a_state_without_a_number_is_on_no_page(app: App) -> None:
    """Another version may have taken one in, proposed ones as well."""
    cake = await add(app, CAKE)
    kept = (await history(app, cake))[0].state
    for proposed in (False, True):
        async with app.database.write() as connection:
            await revisions.record(
                connection,
                HERE,
                cake,
                kept,
                action=Action.EDITED,
                user_id=0,
                change=0,
                proposed=proposed,
            )
    page = await app.change_log.page(HERE)
    assert [entry.revision.action for entry in page.entries] == [Action.ADDED]
