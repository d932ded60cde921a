"""Files that members send: what is taken in, what is refused, and who has to wait."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.app import App
from bot.models import SHARED, Answer, Thread
from bot.services import import_reader, upload_check, upload_limits, uploads
from bot.services.uploads import Refused, Stopped, Upload, Uploads, safe_name
from bot.store import stats, threads
from tests.kit.library import BREAD, HERE, THERE, titles
from tests.kit.waiting import HANG

PAGE = b"How warm is the compost?\nAccepted answer\nWarmer than the soup.\n"


def lines(*rows: dict[str, Any]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


MANY = lines(*({"id": f"k{n}", "title": f"Number {n} of the questions"} for n in range(1_234)))


def sent(data: bytes, name: str = "faq.jsonl") -> Upload:
    async def fetch() -> bytes:
        return data

    return Upload(name, len(data), fetch)


def limited(app: App, **settings: int) -> Uploads:
    changed = app.settings.model_copy(update=settings)
    return Uploads(app.database, app.library, changed)


async def test_a_file_goes_into_the_guilds_own_scope(app: App) -> None:
    report = await app.uploads.take_in(HERE, sent(PAGE, "compost.txt"))
    assert (report.added, report.ok) == (1, True)
    assert await titles(app, HERE) == ["How warm is the compost?"]
    assert await titles(app, THERE) == await titles(app, SHARED) == []
    thread = await app.answering.find("compost", guild_id=HERE)
    assert thread is not None
    assert (thread.source, thread.scope) == ("compost", HERE)


async def test_the_same_file_again_changes_nothing(app: App) -> None:
    await app.uploads.take_in(HERE, sent(PAGE, "compost.txt"))
    report = await app.uploads.take_in(HERE, sent(PAGE, "compost.txt"))
    assert (report.added, report.unchanged) == (0, 1)


async def test_a_packed_file_is_unpacked(app: App) -> None:
    told: list[tuple[int, int]] = []
    upload = sent(gzip.compress(MANY), "many.jsonl.gz")
    report = await app.uploads.take_in(HERE, upload, lambda *now: told.append(now))
    assert report.added == 1_234
    assert told == [(0, 1_234), (1_000, 1_234), (1_234, 1_234)]


async def test_a_file_of_which_nothing_is_wanted_says_what_was_passed_over(app: App) -> None:
    export = {
        "guild": {"id": "7"},
        "channel": {"id": "9", "type": "GuildTextChat", "name": "tools"},
        "messages": [],
    }
    report = await app.uploads.take_in(HERE, sent(json.dumps(export).encode(), "tools.json"))
    assert (report.added, report.passed_over) == (0, {"files of whole channels": 1})


async def test_what_is_wrong_is_reported_with_its_line_and_without_a_path(app: App) -> None:
    row = {"id": "a", "title": "Is it?", "colour": "red", "answers": []}
    report = await app.uploads.take_in(HERE, sent(lines(row) + b"{oops\n"))
    assert report.added == 1
    assert [str(p) for p in report.rejected] == [
        "line 2: it is not JSON: Expecting property name enclosed in double quotes at character 2"
    ]
    assert report.unknown_keys == {"colour": 1}


async def test_what_a_table_was_read_as_is_reported_without_an_option(app: App) -> None:
    data = "question;answer\nГде лежит ключ?;Он висит у двери.\n".encode("cp1251")
    report = await app.uploads.take_in(HERE, sent(data, "shop.csv"))
    assert await titles(app, HERE) == ["Где лежит ключ?"]
    assert [problem.reason for problem in report.warned] == [
        "read as Windows-1251, for it is not UTF-8 text; if letters are wrong, save it as UTF-8 "
        "and send it again"
    ]
    data = "question;answer\nΠού είναι το κλειδί;Δίπλα στην πόρτα.\n".encode("cp1253")
    report = await app.uploads.take_in(HERE, sent(data, "shop.csv"))
    assert report.rejected[0].reason.endswith("; save it as UTF-8 and send it again")


async def test_rows_name_their_own_source(app: App) -> None:
    row = {"id": "a", "title": "Is it?", "source": "example.org"}
    await app.uploads.take_in(HERE, sent(lines(row)))
    thread = await app.answering.find("a", guild_id=HERE)
    assert thread is not None
    assert thread.source == "example.org"


async def test_votes_cannot_be_brought_along(app: App) -> None:
    answer = {"body": "Yes.", "votes": {str(HERE): 99}, "tallies": [[HERE, 99]]}
    await app.uploads.take_in(HERE, sent(lines({"id": "a", "title": "Q?", "answers": [answer]})))
    thread = await app.answering.find("a", guild_id=HERE)
    assert thread is not None
    assert [a.tally for a in thread.answers] == [0]


REFUSED = {
    "bomb": (gzip.compress(b"0" * 9_000_000), "more than 8 MB when it is unpacked"),
    "packed twice": (gzip.compress(gzip.compress(b"0" * 9_000)), "packed twice"),
    "archive": (b"PK\x03\x04" + PAGE, "an archive"),
    "archive in gzip": (gzip.compress(b"7z\xbc\xaf'\x1c" + PAGE), "packed twice"),
    "nothing but mistakes": (b"x\n" * 50_000, "over 1000 mistakes"),
    "empty": (gzip.compress(b""), "it"),
    "cut off": (gzip.compress(MANY)[:500], "cut off"),
    "damaged": (b"\x1f\x8b" + b"junk" * 100, "damaged"),
}


@pytest.mark.parametrize(("data", "why"), REFUSED.values(), ids=REFUSED)
async def test_hostile_files_are_refused(app: App, data: bytes, why: str) -> None:
    small = limited(app, library_file_mb=1)
    said = ""
    try:
        report = await small.take_in(HERE, sent(data, "faq.jsonl.gz"))
        said = str(report.rejected[0])
    except Refused as refused:
        said = str(refused)
    assert why in said
    assert "threadwise-" not in said
    assert await titles(app, HERE) == []
    assert not small.busy


TOO_MUCH = {
    "phrasings": {"phrasings": ["why"] * 51},
    "answers": {"answers": [{"body": "b"}] * 1_001},
    "tags": {"tags": ["t"] * 101},
    "body": {"body": "b" * 200_001},
    "answer": {"answers": [{"body": "b" * 200_001}]},
    "title": {"title": "t" * 2_001},
    "author": {"answers": [{"body": "b", "author": "a" * 2_001}]},
}


@pytest.mark.parametrize("more", TOO_MUCH.values(), ids=TOO_MUCH)
async def test_a_thread_that_is_too_much_is_left_out(app: App, more: dict[str, Any]) -> None:
    good = {"id": "good", "title": "Is it good?"}
    report = await app.uploads.take_in(HERE, sent(lines({"id": "a", "title": "Q?"} | more, good)))
    assert report.added == 1
    assert len(report.rejected) == 1
    assert await titles(app, HERE) == ["Is it good?"]


async def test_a_file_larger_than_it_may_be_is_not_even_fetched(app: App) -> None:
    async def fetch() -> bytes:
        raise AssertionError

    with pytest.raises(Refused, match=r"has 2\.0 MB; I take up to 1 MB"):
        await limited(app, library_file_mb=1).take_in(HERE, Upload("f", 2 * 1024**2, fetch))
    with pytest.raises(Refused, match="takes no files"):
        await limited(app, library_file_mb=0).take_in(HERE, Upload("f", 1, fetch))


async def test_a_file_larger_than_it_said_is_refused(app: App) -> None:
    lying = replace(sent(b"x" * 2 * 1024**2), size=10)
    with pytest.raises(Refused, match="MB"):
        await limited(app, library_file_mb=1).take_in(HERE, lying)


async def test_a_guild_has_room_for_so_many_threads_of_its_own(app: App) -> None:
    small = limited(app, library_threads=1_300)
    await small.take_in(HERE, sent(MANY))
    row = [{"id": f"new{n}", "title": f"Another {n}"} for n in range(67)]
    with pytest.raises(Refused, match="67 threads that are new here"):
        await small.take_in(HERE, sent(lines(*row)))
    assert (await small.take_in(HERE, sent(MANY))).unchanged == 1_234
    assert (await small.take_in(HERE, sent(lines(*row[1:])))).added == 66
    with pytest.raises(Refused, match="more than 1000 threads"):
        await limited(app, library_threads=1_000).take_in(THERE, sent(MANY))


async def test_a_guild_has_room_for_so_much_text(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    small = limited(app, library_threads=10)
    monkeypatch.setattr(upload_limits, "TEXT", 100_000)
    rows = [{"id": str(n), "title": "Q?", "answers": [{"body": "b" * 190_000}]} for n in range(6)]
    assert (await small.take_in(HERE, sent(lines(*rows[:4])))).added == 4
    with pytest.raises(Refused, match="more than the 0 MB of text"):
        await small.take_in(HERE, sent(lines(*rows[4:])))
    assert (await small.take_in(THERE, sent(lines(*rows[4:])))).added == 2


async def test_a_file_that_takes_too_long_is_given_up(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_check, "READING_SECONDS", 0.01)
    with pytest.raises(Refused, match="takes longer"):
        await app.uploads.take_in(HERE, sent(MANY))


async def test_reading_that_dies_is_reported(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(Refused, match="more time or memory"):
        await app.uploads.take_in(HERE, sent(PAGE))


class Gate:
    """A file that comes when it is let through."""

    def __init__(self) -> None:
        self.asked, self.open = asyncio.Event(), asyncio.Event()

    def upload(self) -> Upload:
        async def fetch() -> bytes:
            self.asked.set()
            await self.open.wait()
            return PAGE

        return Upload("compost.txt", 10, fetch)


async def test_guilds_have_one_import_each_and_so_many_go_on_at_once(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "IMPORTS_WAITING", 4)
    gate = Gate()
    running = [asyncio.create_task(app.uploads.take_in(g, gate.upload())) for g in (HERE, 1, 2)]
    await asyncio.sleep(0)
    assert app.uploads.busy
    with pytest.raises(Refused, match="running for this server already"):
        await app.uploads.take_in(HERE, sent(PAGE))
    waiting = asyncio.create_task(app.uploads.take_in(THERE, sent(PAGE)))
    await asyncio.sleep(0)
    with pytest.raises(Refused, match="Many servers"):
        await app.uploads.take_in(333, sent(PAGE))
    gate.open.set()
    reports = await asyncio.gather(*running, waiting)
    assert [report.added for report in reports] == [1, 1, 1, 1]
    assert not app.uploads.busy


async def test_a_server_does_not_wait_for_the_import_of_another(app: App) -> None:
    gate = Gate()
    slow = asyncio.create_task(app.uploads.take_in(HERE, gate.upload()))
    await gate.asked.wait()
    async with asyncio.timeout(HANG):
        assert (await app.uploads.take_in(THERE, sent(PAGE, "compost.txt"))).added == 1
    assert not slow.done()
    gate.open.set()
    assert (await slow).added == 1


async def test_large_files_leave_a_place_to_small_ones(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGE_UPLOAD", 10)
    gate = Gate()
    large = [asyncio.create_task(app.uploads.take_in(g, gate.upload())) for g in range(1, 6)]
    await asyncio.sleep(0)
    small = replace(sent(PAGE, "compost.txt"), size=9)
    async with asyncio.timeout(HANG):
        assert (await app.uploads.take_in(HERE, small)).added == 1
    gate.open.set()
    assert [report.added for report in await asyncio.gather(*large)] == [1] * 5


async def test_batches_of_two_imports_come_in_turns(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_reader, "THREADS_A_BATCH", 100)
    put, order = threads.put, list[int]()

    async def noted(connection: Any, scope: int, batch: Any) -> Any:
        order.append(scope)
        await asyncio.sleep(0)
        return await put(connection, scope, batch)

    monkeypatch.setattr(threads, "put", noted)
    found = [
        app.library.add([Thread(key=f"k{n}", title=f"Number {n}") for n in range(1_000)], scope=g)
        for g in (HERE, THERE)
    ]
    await asyncio.gather(*found)
    assert {HERE, THERE} <= {*order[:6]}
    assert len(order) == 20
    assert len(await titles(app, HERE)) == len(await titles(app, THERE))


async def at_work(app: App, imports: int) -> None:
    """Wait until so many imports go on, and something is indexed."""
    index_sync = app._index_sync
    while not (index_sync._imports == imports and index_sync._session is not None):
        await asyncio.sleep(0.01)


async def test_what_one_server_has_brought_is_found_while_another_brings_on(app: App) -> None:
    ended = False

    def slow() -> Iterator[Thread | None]:
        yield replace(BREAD, key="slow")
        while not ended:
            yield None

    bringing = asyncio.create_task(app.library.add(slow(), scope=HERE))
    try:
        await at_work(app, 1)
        async with asyncio.timeout(HANG):
            report = await app.uploads.take_in(THERE, sent(PAGE, "compost.txt"))
        assert report.added == 1
        assert await titles(app, THERE) == ["How warm is the compost?"]
        await app.library.add([replace(BREAD, title="Is it dark?")], scope=333)
        assert await titles(app, 333) == ["Is it dark?"]
        assert not bringing.done()
    finally:
        ended = True
        await bringing
    assert await titles(app, HERE) == [BREAD.title]


async def test_an_import_that_leaves_does_not_end_those_of_others(app: App) -> None:
    ended = False

    def slow(key: str) -> Iterator[Thread | None]:
        yield replace(BREAD, key=key)
        while not ended:
            yield None

    leaving = asyncio.create_task(app.library.add(slow("leaving"), scope=HERE))
    staying = asyncio.create_task(app.library.add(slow("staying"), scope=THERE))
    await at_work(app, 2)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert app._index_sync._imports == 1
    async with asyncio.timeout(HANG):
        await app.library.add([BREAD], scope=333)
    assert await titles(app, 333) == [BREAD.title]
    ended = True
    assert (await staying).added == 1
    assert await titles(app, THERE) == [BREAD.title]


async def test_an_import_that_is_told_to_leave_gives_its_place_back(app: App) -> None:
    waiting = asyncio.create_task(app.uploads.take_in(HERE, Gate().upload()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert (await app.uploads.take_in(HERE, sent(PAGE))).added == 1


async def test_a_full_disk_leaves_the_finished_batches(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_reader, "THREADS_A_BATCH", 500)
    put, calls = threads.put, 0

    async def fails_later(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError(28, "No space left on device")
        return await put(*arguments)

    monkeypatch.setattr(threads, "put", fails_later)
    with pytest.raises(Stopped, match="The first 1000 threads are in") as stopped:
        await app.uploads.take_in(HERE, sent(MANY))
    assert "disk" in str(stopped.value)
    assert (await app.guild_library.stats(HERE)).own.threads == 1_000
    monkeypatch.undo()
    report = await app.uploads.take_in(HERE, sent(MANY))
    assert (report.added, report.unchanged) == (234, 1_000)


async def test_an_import_that_goes_on_for_ever_is_stopped(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "IMPORT_SECONDS", 0.01)
    with pytest.raises(Stopped, match=r"took too long\. Nothing is in"):
        await app.uploads.take_in(HERE, Gate().upload())


async def test_the_last_import_is_remembered(app: App) -> None:
    assert await app.uploads.last(HERE) is None
    await app.uploads.take_in(HERE, sent(PAGE, "compost.txt"))
    last = await app.uploads.last(HERE)
    assert last is not None
    assert (last.name, last.threads) == ("compost.txt", 1)
    assert await app.uploads.last(THERE) is None


async def test_other_peoples_questions_are_answered_meanwhile(app: App) -> None:
    await app.library.add([BREAD])
    importing = asyncio.create_task(app.uploads.take_in(HERE, sent(MANY)))
    asked = 0
    while not importing.done():
        reply = await app.answering.ask("sourdough bread does not rise", guild_id=THERE)
        assert reply.matches[0].key == "bread"
        asked += 1
        await asyncio.sleep(0)
    assert (await importing).added == 1_234
    assert asked > 3


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("faq.jsonl", "faq.jsonl"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\faq.txt", "faq.txt"),
        ("...", "file"),
        ("", "file"),
        (".hidden.txt", "hidden.txt"),
        ("what is\n\x00this?.txt", "what_is_this_.txt"),
        ("łódka 🛶.jsonl.gz", "łódka_.jsonl.gz"),
        ("-rf.txt", "rf.txt"),
    ],
)
def test_names_lose_what_a_path_could_use(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("name", ["a" * 500, "🛶漢" * 300 + ".txt", "a." * 300, "x.jsonl" * 90])
def test_names_are_short_enough_for_every_disk(name: str, tmp_path: Path) -> None:
    (tmp_path / safe_name(name)).touch()
    assert len(os.fsencode(safe_name(name))) < 255


async def test_reading_writes_nothing_outside_of_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "sent"
    inside.mkdir()
    file = inside / "many.gz"
    file.write_bytes(gzip.compress(MANY))
    out = tmp_path / "threads.jsonl"
    found = await upload_check.check(upload_check.Task(file, out, 10**7, 2_000, "library", {}))
    assert len(found.keys) == 1_234
    assert sorted(p.name for p in tmp_path.rglob("*")) == [
        "many", "many.gz", "sent", "threads.jsonl",
    ]  # fmt: skip


def made(numbers: range, key: str = "made") -> bytes:
    """A thread of words that nobody uses."""
    words = " ".join(f"word{n}x" for n in numbers)
    return lines({"id": key, "title": "Is it one?", "answers": [{"body": words}]})


class TestWords:
    async def test_a_guild_has_room_for_so_many_different_words(self, app: App) -> None:
        small = limited(app, library_words=1_500)
        assert (await small.take_in(HERE, sent(made(range(1_000))))).added == 1
        with pytest.raises(Refused, match=r"about 1,\d\d\d different words, more than the 1,500"):
            await small.take_in(HERE, sent(made(range(900, 1_900), "more")))
        assert await titles(app, HERE) == ["Is it one?"]
        assert (await small.take_in(THERE, sent(made(range(900, 1_900), "more")))).added == 1
        assert (await small.take_in(HERE, sent(made(range(500), "same")))).added == 1

    async def test_in_one_file_as_well(self, app: App) -> None:
        with pytest.raises(Refused, match="different words"):
            await limited(app, library_words=1_500).take_in(HERE, sent(made(range(2_000))))

    async def test_what_a_file_replaces_makes_room(self, app: App) -> None:
        small = limited(app, library_words=1_500)
        await small.take_in(HERE, sent(made(range(1_000))))
        assert (await small.take_in(HERE, sent(made(range(2_000, 3_000))))).updated == 1
        assert (await small.take_in(HERE, sent(made(range(4_000, 5_000))))).updated == 1

    async def test_what_the_host_imports_counts_and_stays(self, app: App) -> None:
        words = " ".join(f"word{n}x" for n in range(3_000))
        big = replace(BREAD, title="Is it one?", answers=(replace(BREAD.answers[0], body=words),))
        await app.library.add([big], scope=HERE)
        small = limited(app, library_words=1_500)
        with pytest.raises(Refused, match="different words"):
            await small.take_in(HERE, sent(made(range(5_000, 5_200))))
        # What brings no word that is new may come.
        assert (await small.take_in(HERE, sent(made(range(500))))).added == 1
        assert len(await titles(app, HERE)) == 2

    async def test_words_are_counted_once(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        await app.uploads.take_in(HERE, sent(made(range(100))))
        read = 0
        texts = stats.texts

        async def counted(*arguments: Any) -> Any:
            nonlocal read
            read += 1
            return await texts(*arguments)

        monkeypatch.setattr(stats, "texts", counted)
        await app.uploads.take_in(HERE, sent(made(range(200), "other")))
        assert read == 0
        await app.library.add([BREAD], scope=HERE)  # by the host, say
        await app.uploads.take_in(HERE, sent(made(range(300), "third")))
        assert read > 0


async def test_a_guild_has_room_for_so_many_phrasings(app: App) -> None:
    def asked(*keys: str) -> bytes:
        return lines(
            *({"id": k, "title": k, "phrasings": [f"{k} {n}" for n in range(40)]} for k in keys)
        )

    small = limited(app, library_phrasings=100)
    assert (await small.take_in(HERE, sent(asked("a", "b")))).added == 2
    with pytest.raises(Refused, match="have 120 phrasings, more than the 100"):
        await small.take_in(HERE, sent(asked("c")))
    assert (await small.take_in(HERE, sent(asked("a", "b")))).unchanged == 2
    assert (await small.take_in(HERE, sent(PAGE, "compost.txt"))).added == 1
    assert (await small.take_in(THERE, sent(asked("c")))).added == 1


async def test_the_text_that_a_file_replaces_makes_room(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_limits, "TEXT", 100_000)
    small = limited(app, library_threads=10)
    rows = [{"id": str(n), "title": "Q?", "answers": [{"body": "b" * 190_000}]} for n in range(4)]
    assert (await small.take_in(HERE, sent(lines(*rows)))).added == 4
    changed = [{**row, "title": "Q, once more?"} for row in rows]
    assert (await small.take_in(HERE, sent(lines(*changed)))).updated == 4


async def test_threads_that_keep_a_bare_id_make_room_for_themselves(app: App) -> None:
    rows = [
        {"id": n, "title": f"How is {n} reset?", "body": f"Press it {n} times."} for n in range(3)
    ]
    there = [
        Thread(
            key=str(row["id"]),
            title=str(row["title"]),
            source="desk",
            answers=(Answer(body="So."),),
        )
        for row in rows
    ]
    await app.library.add(there, scope=HERE)
    file = sent(json.dumps({"articles": rows}).encode(), "desk.json")
    report = await limited(app, library_threads=4).take_in(HERE, file)
    assert (report.added, report.updated) == (0, 3)
