"""The text index: what is put in is found, by whom, by which process, and after what trouble."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import SearchError
from bot.models import SHARED, StoredThread
from bot.search import vocabulary
from bot.search.documents import MAX_TEXT, Pieces, indexed
from bot.search.index import IndexBusy, IndexDamaged, State, TextIndex
from bot.search.integrity import Checker
from bot.search.text import stems, words
from tests.kit import programs
from tests.kit.growth import cpu_seconds
from tests.kit.search import GARDEN, numbered, thread
from tests.kit.waiting import HANG

HERE, THERE = 111, 222  # guilds


@pytest.fixture
def index(tmp_path: Path) -> TextIndex:
    """An empty index."""
    return TextIndex(tmp_path / "index", "library")


def put(index: TextIndex, *threads: StoredThread, seq: int = 1) -> None:
    with index.writing() as writing:
        writing.put(map(indexed, threads))
        writing.commit(seq)
    index.refresh()


def found(index: TextIndex, text: str, *scopes: int, limit: int = 10) -> list[str]:
    wanted = dict.fromkeys(stems(text), 1.0)
    return [hit.key for hit in index.view(scopes or (SHARED,)).search(wanted, limit)]


def found_titles(index: TextIndex, text: str, *scopes: int) -> list[str]:
    hits = index.view(scopes or (SHARED,)).search_titles([[s] for s in stems(text)], 10)
    return [hit.key for hit in hits]


def counts(index: TextIndex) -> dict[str, int]:
    """The words of the shared threads with how many use each."""
    return dict(index.view((SHARED,)).words._count)


def files(index: TextIndex, pattern: str, scope: int = SHARED) -> list[Path]:
    """The files of a scope's index that fit a pattern."""
    return list(index.files.place(scope).glob(pattern))


def test_a_thread_is_found_by_its_title_body_answers_and_phrasings(index: TextIndex) -> None:
    put(
        index,
        thread(
            1,
            "Pruning an apple tree",
            "Cut above a bud.",
            "Wait for a frost-free morning.",
            body="My orchard is wild.",
            phrasings=("trimming fruit trees", "when to cut back branches"),
        ),
        thread(2, "Slugs in the lettuce"),
    )
    for words_of_it in ("apples", "orchards", "buds", "frost mornings", "trimmed", "branch"):
        assert found(index, words_of_it) == ["t1"], words_of_it
    assert found(index, "volcano") == []
    assert found_titles(index, "trimmed") == ["t1"]
    assert found_titles(index, "orchards") == []


def test_tags_are_searched_too(index: TextIndex) -> None:
    tagged = StoredThread(id=1, key="t1", scope=SHARED, title="A question", tags=("horticulture",))
    put(index, tagged)
    assert found(index, "horticulture") == ["t1"]


def test_a_hit_carries_what_a_reader_needs(index: TextIndex) -> None:
    put(index, thread(7, "Wie schneide ich Bäume? 🌳", phrasings=("Äste kürzen",)))
    (hit,) = index.view([SHARED]).search({"baum": 1.0, "baume": 1.0}, 5)
    assert (hit.thread_id, hit.key, hit.title) == (7, "t7", "Wie schneide ich Bäume? 🌳")
    assert [name.text for name in hit.names[1:]] == ["Äste kürzen"]
    assert hit.bm25 > 0


def test_putting_a_thread_again_replaces_it(index: TextIndex) -> None:
    put(index, thread(1, "Old words"), thread(2, "Other"))
    put(index, thread(1, "New title"), seq=2)
    assert found(index, "old words") == []
    assert found(index, "new title") == ["t1"]
    assert len(index) == 2


def test_removed_threads_are_gone_and_unknown_ones_are_passed_over(index: TextIndex) -> None:
    put(index, thread(1, "Apples"), thread(2, "Pears"))
    with index.writing() as writing:
        writing.remove({1: SHARED, 999: SHARED, 2: 7})
        writing.commit(2)
    assert found(index, "apples pears") == ["t2"]
    assert len(index) == 1


def test_the_vocabulary_counts_the_threads_that_use_a_word(index: TextIndex) -> None:
    put(index, thread(1, "Apples apples", "apples"), thread(2, "Café apples", body="réservé"))
    assert counts(index) == {"apples": 2, "cafe": 1, "reserve": 1}
    assert index.view([SHARED]).doc_freq("appl") == 2
    assert index.view([SHARED]).doc_freq("pear") == 0


def test_a_word_in_the_title_counts_more_than_one_in_the_body(index: TextIndex) -> None:
    put(
        index,
        thread(1, "Something else", body="apples trees"),
        thread(2, "Apples trees", body="something else"),
    )
    assert found(index, "apples") == ["t2", "t1"]


def test_a_stem_with_more_weight_counts_more(index: TextIndex) -> None:
    put(index, thread(1, "apples"), thread(2, "pears"))

    def first(**weights: float) -> str:
        return index.view([SHARED]).search(weights, 1)[0].key

    assert first(appl=1.0, pear=0.5) == "t1"
    assert first(appl=0.5, pear=1.0) == "t2"


def test_nothing_wanted_finds_nothing(index: TextIndex) -> None:
    put(index, thread(1, "Apples"))
    assert index.view([SHARED]).search({}, 5) == []
    assert index.view([SHARED]).search_titles([], 5) == []
    assert index.view([SHARED]).search_titles([[], []], 5) == []


def test_a_guild_sees_the_shared_threads_and_its_own(index: TextIndex) -> None:
    put(
        index,
        thread(1, "Apples for all"),
        thread(2, "Apples of here", scope=HERE),
        thread(3, "Apples of there", scope=THERE),
    )
    assert set(found(index, "apples", SHARED)) == {"t1"}
    assert set(found(index, "apples", SHARED, HERE)) == {"t1", "t2"}
    assert set(found(index, "apples", SHARED, THERE)) == {"t1", "t3"}
    assert set(found_titles(index, "apples", SHARED, HERE)) == {"t1", "t2"}
    assert {hit.key for hit in index.view((SHARED, HERE)).first(10)} == {"t1", "t2"}


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from([SHARED, HERE, THERE]), max_size=12))
def test_no_guild_ever_sees_another_ones_threads(
    tmp_path_factory: pytest.TempPathFactory, owners: list[int]
) -> None:
    index = TextIndex(tmp_path_factory.mktemp("guilds") / "index", "library")
    put(index, *(thread(n, f"Apples {n}", scope=scope) for n, scope in enumerate(owners, 1)))
    for scopes in ((SHARED,), (SHARED, HERE), (SHARED, THERE), (HERE,)):
        expected = {f"t{n}" for n, scope in enumerate(owners, 1) if scope in scopes}
        assert set(found(index, "apples", *scopes, limit=50)) == expected


def test_another_scope_changes_no_score(index: TextIndex) -> None:
    put(index, *numbered(GARDEN))
    alone = index.view([SHARED]).search({"appl": 1.0}, 5)
    put(index, *(thread(n, f"Apples and pears {n}", scope=THERE) for n in range(50, 90)), seq=2)
    assert index.view([SHARED]).search({"appl": 1.0}, 5) == alone
    assert index.view([SHARED, HERE]).search({"appl": 1.0}, 5) == alone


@pytest.mark.parametrize("own", [1, 3, 5])
def test_two_scopes_are_scored_by_the_document_frequencies_of_both(
    tmp_path: Path, own: int
) -> None:
    """As one index of the same threads would score them, texts being of one length."""
    titles = [f"{a} {b}" for a, b in product(("apples", "pears", "plums"), ("pie", "tart"))]
    one, two = (TextIndex(tmp_path / name / "index", "library") for name in ("one", "two"))
    put(one, *numbered(titles))
    put(two, *numbered(titles[own:], start=own + 1), *numbered(titles[:own], scope=HERE))
    for stems_of in ({"appl": 1.0, "tart": 1.0}, {"pear": 1.0, "pie": 0.5, "plum": 0.1}):
        together = one.view([SHARED]).search(stems_of, 9)
        apart = two.view([SHARED, HERE]).search(stems_of, 9)
        assert [hit.key for hit in apart] == [hit.key for hit in together]
        expected = [pytest.approx(hit.bm25, rel=1e-5) for hit in together]
        assert [hit.bm25 for hit in apart] == expected
        ids = [hit.thread_id for hit in together][:3]
        among = two.view([SHARED, HERE]).among(stems_of, ids)
        assert [hit.thread_id for hit in among] == ids


def test_of_equal_threads_the_oldest_are_taken(index: TextIndex) -> None:
    same = [thread(n, "Apples", scope=SHARED if n % 3 else HERE) for n in range(1, 400)]
    for start in (300, 200, 100, 0):  # segments in another order than that of the ids
        put(index, *same[start : start + 100], seq=400 - start)
    hits = index.view([SHARED]).search({"appl": 1.0}, 20)
    assert [hit.thread_id for hit in hits] == [n for n in range(1, 31) if n % 3][:20]
    hits = index.view([SHARED]).search_titles([["appl"]], 20)
    assert [hit.thread_id for hit in hits] == [n for n in range(1, 31) if n % 3][:20]


def test_a_commit_says_up_to_which_change_the_index_is(index: TextIndex) -> None:
    assert index.state == State("library", 0)
    put(index, thread(1, "Apples"), seq=42)
    assert (index.state.library, index.state.seq) == ("library", 42)
    assert [*index.state.scopes] == [SHARED]
    assert index.state.scopes[SHARED].threads == 1
    assert TextIndex(index.files.folder, "library").state.seq == 42


def test_nothing_counts_until_it_is_committed(index: TextIndex) -> None:
    with index.writing() as writing:
        writing.put([indexed(thread(1, "Apples"))])
    index.refresh()
    assert len(index) == 0
    assert index.state.seq == 0
    put(index, thread(2, "Pears"))  # the lock was given back, and nothing was left over
    assert [hit.key for hit in index.view((SHARED,)).first(5)] == ["t2"]


def test_an_exception_while_writing_leaves_nothing_behind(index: TextIndex) -> None:
    put(index, thread(1, "Apples"))
    with suppress(ZeroDivisionError), index.writing() as writing:
        writing.put([indexed(thread(2, "Pears"))])
        writing.remove({1: SHARED})
        raise ZeroDivisionError
    index.refresh()
    assert found(index, "apples pears") == ["t1"]
    assert index.state.seq == 1
    put(index, thread(3, "Plums"), seq=2)
    assert len(TextIndex(index.files.folder, "library")) == 2


def test_what_was_committed_before_an_exception_stays(index: TextIndex) -> None:
    with suppress(ZeroDivisionError), index.writing() as writing:
        writing.put([indexed(thread(1, "Apples"))])
        writing.commit(5)
        writing.put([indexed(thread(2, "Pears"))])
        raise ZeroDivisionError
    assert found(index, "apples pears") == ["t1"]
    assert index.state.seq == 5


def test_one_writer_at_a_time(index: TextIndex) -> None:
    with index.writing(), pytest.raises(IndexBusy, match="another program"):
        TextIndex(index.files.folder, "library").writing()
    put(index, thread(1, "Apples"))
    assert len(index) == 1


HOLD = """
import sys
from pathlib import Path
from bot.search.index import TextIndex
index = TextIndex(Path(sys.argv[1]), "library")
with index.writing():
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_while_another_process_writes_the_index_is_busy_but_can_be_read(index: TextIndex) -> None:
    put(index, thread(1, "Apples"))
    with programs.spawn("-c", HOLD, index.files.folder) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(IndexBusy):
            index.writing()
        assert found(index, "apples") == ["t1"]
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.wait(timeout=HANG) == 0
    put(index, thread(2, "Pears"), seq=2)
    assert len(index) == 2


def test_a_writer_that_was_killed_does_not_hold_the_lock(index: TextIndex) -> None:
    with programs.spawn("-c", HOLD, index.files.folder) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        other.kill()
    put(index, thread(1, "Apples"))
    assert found(index, "apples") == ["t1"]


WRITE = """
import sys
from pathlib import Path
from bot.models import StoredThread
from bot.search.documents import indexed
from bot.search.index import TextIndex
with TextIndex(Path(sys.argv[1]), "library").writing() as writing:
    writing.put([indexed(StoredThread(id=9, key="t9", scope=0, title="Quinces"))])
    writing.commit(9)
"""


def test_what_another_process_committed_is_seen_after_a_reload(index: TextIndex) -> None:
    put(index, thread(1, "Apples"))
    programs.checked("-c", WRITE, index.files.folder)
    assert index.state.seq == 9  # known before it is seen
    assert found(index, "quinces") == []
    index.refresh()
    assert found(index, "quinces") == ["t9"]
    assert found(index, "apples") == ["t1"]


hostile = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=400)


@settings(deadline=None, max_examples=20)
@given(hostile, hostile, hostile)
def test_any_text_can_be_indexed_and_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, title: str, body: str, answer: str
) -> None:
    index = TextIndex(tmp_path_factory.mktemp("hostile") / "index", "library")
    put(index, thread(1, title, answer, body=body, phrasings=(answer,)))
    (hit,) = index.view((SHARED,)).first(5)
    assert [name.text for name in hit.names] == [title, answer]
    for word in words(title):
        assert found(index, word) == ["t1"], word


def test_a_huge_body_and_ten_thousand_answers_are_indexed_within_reason(index: TextIndex) -> None:
    large = (
        thread(1, "A book", body="lorem ipsum dolor " * 60_000),  # over a megabyte
        thread(2, "All code", "```\n" + "x=1;" * 60_000 + "\n```"),
        thread(3, "A long list", *(f"answer number{n} of many" for n in range(10_000))),
        thread(4, "x" * 100_000),
    )
    assert cpu_seconds(lambda: put(index, *large)) < 10
    assert found(index, "lorem") == ["t1"]
    assert found(index, "number9999") == ["t3"]


def test_a_text_is_read_up_to_its_bound(index: TextIndex) -> None:
    put(index, thread(1, "A book", body="filler " * (MAX_TEXT // 7) + "overthere"))
    assert found(index, "filler") == ["t1"]
    assert found(index, "overthere") == []


def test_a_new_index_is_empty_and_has_no_note(index: TextIndex) -> None:
    assert index.note is None
    assert len(index) == 0
    assert counts(index) == {}
    assert index.view((SHARED,)).first(5) == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff\xfe\x00garbage",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b'{"library": "library", "seq": 1, "format": 2, "more": 2}',
        b'{"library": "library", "seq": "one", "format": 2}',
        b'{"library": 5, "seq": 1, "format": 2}',
        b"[" * 200_000,
    ],
)
def test_an_index_with_a_broken_state_is_made_anew_and_says_so(
    index: TextIndex, garbage: bytes
) -> None:
    put(index, thread(1, "Apples"))
    (index.files.folder / "state.json").write_bytes(garbage)
    again = TextIndex(index.files.folder, "library")
    assert again.note == "it was incomplete"
    assert len(again) == 0
    assert again.state == State("library", 0)
    put(again, thread(1, "Apples"))
    assert TextIndex(index.files.folder, "library").note is None


def test_an_index_of_another_library_or_form_is_made_anew(index: TextIndex) -> None:
    put(index, thread(1, "Apples"))
    other = TextIndex(index.files.folder, "another")
    assert other.note == "it belongs to another library"
    assert len(other) == 0
    state = json.loads((index.files.folder / "state.json").read_text())
    (index.files.folder / "state.json").write_text(json.dumps(state | {"format": 999}))
    assert TextIndex(index.files.folder, "another").note == "it was made by another version"


def _put_in_place(file: Path, content: bytes) -> None:
    """Write a file anew; one that is mapped into memory must not become shorter."""
    other = file.with_suffix(".harmed")
    other.write_bytes(content)
    other.replace(file)


def _cut(file: Path) -> None:
    content = file.read_bytes()
    _put_in_place(file, content[: len(content) // 2])


def _overwrite(file: Path) -> None:
    _put_in_place(file, b"\x13garbage" * (file.stat().st_size // 8 + 2))


PARTS = ("fast", "fieldnorm", "idx", "pos", "store", "term", "json")


@pytest.mark.parametrize("harm", [_cut, _overwrite, Path.unlink])
@pytest.mark.parametrize("part", PARTS)
def test_an_index_with_broken_files_is_made_anew_and_says_so(
    index: TextIndex, part: str, harm: Callable[[Path], None]
) -> None:
    put(index, *numbered(GARDEN))
    (file,) = files(index, f"[!.]*.{part}")
    harm(file)
    again = TextIndex(index.files.folder, "library")
    assert again.note
    assert "could not be read" in again.note
    with again.writing() as writing:
        assert writing.lost == [SHARED]
        writing.put(map(indexed, numbered(GARDEN)))
        writing.made_anew(SHARED)
        writing.commit(1)
    again.refresh()
    assert found(again, "apples") == ["t1"]
    assert TextIndex(index.files.folder, "library").note is None


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    with file.open("r+b") as stream:  # in place: it may be mapped into memory
        stream.write(content)


class TestDamageWhileOpen:
    def test_shows_when_reading(self, index: TextIndex) -> None:
        put(index, *numbered(GARDEN))
        _flip(*files(index, "*.store"))
        with pytest.raises(IndexDamaged, match=r"the checksum of \w+.store is wrong.*ask again"):
            index.view((SHARED,)).first(10)
        assert index.suspects == {SHARED}
        with index.writing() as writing:
            assert writing.lost == [SHARED]

    @pytest.mark.parametrize("part", PARTS)
    def test_is_found_by_the_checksums(self, index: TextIndex, part: str) -> None:
        put(index, *numbered(GARDEN), thread(99, "Rhubarb", scope=HERE))
        assert len(index.view((SHARED, HERE))) == len(GARDEN) + 1
        index.verify()
        assert index.suspects == set()
        _flip(*files(index, f"[!.]*.{part}", HERE))
        index.verify()
        assert index.suspects == {HERE}

    def test_of_a_scope_that_is_not_open_is_found_as_well(self, index: TextIndex) -> None:
        put(index, *numbered(GARDEN), thread(99, "Rhubarb", scope=HERE))
        _flip(*files(index, "*.idx", HERE))
        index.verify()
        assert index.suspects == set()
        (told,) = index.verify_all()
        assert "damaged (the checksum of" in told
        assert index.suspects == {HERE}

    def test_is_looked_for_a_part_at_a_time(self, index: TextIndex) -> None:
        put(index, *numbered(GARDEN))
        checker = Checker(index.files.place(SHARED))
        looks = 0
        while not checker.is_done:
            assert checker.problem(1) is None
            looks += 1
        assert looks == 6  # files
        _flip(*files(index, "*.pos"))
        assert not checker.is_done
        assert "pos is wrong" in (checker.problem(1) or "")

    def test_is_not_what_else_goes_wrong(
        self, index: TextIndex, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(index, *numbered(GARDEN))
        errors = (PermissionError(13, "Permission denied"), OSError(24, "Too many open files"))
        for error in (*errors, ValueError("a mistake of ours"), KeyError("another")):
            with monkeypatch.context() as patch:
                patch.setattr("bot.search.scope_index.hit_of", _raising(error))
                with pytest.raises((SearchError, KeyError)) as raised:
                    index.view((SHARED,)).first(1)
            assert not isinstance(raised.value, IndexDamaged)
            assert index.suspects == set()
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", _raising(errors[0]))
            with pytest.raises(SearchError, match=r"can't be read .*check that DATA_DIR"):
                index.files.problem(SHARED)
        assert found(index, "apples") == ["t1"]

    def test_a_lost_folder_serves_until_it_is_made_anew(
        self, index: TextIndex, caplog: pytest.LogCaptureFixture
    ) -> None:
        put(index, *numbered(GARDEN))
        shutil.rmtree(index.files.folder)
        assert not index.refresh()
        assert found(index, "apples") == ["t1"]
        with index.writing() as writing:
            assert (writing.seq, writing.lost) == (0, [])
            writing.put(map(indexed, numbered(GARDEN[:2])))
            writing.commit(7)
        index.refresh()
        assert len(index) == 2
        assert found(index, "apples") == ["t1"]
        assert len(caplog.records) == 1

    def test_a_scopes_lost_folder_is_to_be_made_anew(self, index: TextIndex) -> None:
        put(index, *numbered(GARDEN), thread(99, "Rhubarb", scope=HERE))
        shutil.rmtree(index.files.place(HERE))
        with index.writing() as writing:
            assert writing.lost == [HERE]

    def test_a_strange_scope_in_a_folder_is_damage(self, index: TextIndex) -> None:
        put(index, thread(1, "Apples", scope=THERE), thread(2, "Pears", scope=HERE))
        shutil.rmtree(index.files.place(HERE))
        shutil.copytree(index.files.place(THERE), index.files.place(HERE))
        with pytest.raises(IndexDamaged, match="another server"):
            TextIndex(index.files.folder, "library").view((SHARED, HERE))


CUT_SHORT = """
import os, sys, time
from pathlib import Path
from bot.search.index import IndexDamaged, TextIndex

def asked():
    try:
        view = index.view((0,))
        return len(view.search({"appl": 1.0}, 5)), view.doc_freq("appl"), len(view.first(9))
    except IndexDamaged as error:
        return error.problem

def asleep():
    # An index that was just opened is read once more by threads of tantivy's: one looks whether
    # it has changed, which it takes for granted at first, has others read it, and then sleeps.
    try:
        tasks = [t for t in Path("/proc/self/task").iterdir() if int(t.name) != os.getpid()]
        return bool(tasks) and all(map(sleeps, tasks))
    except OSError:  # one ended meanwhile
        return False

def sleeps(task):
    where = (task / "wchan").read_text()
    if where != "0":
        return "nanosleep" in where
    # The system doesn't tell: what has slept twice is past its first look, most likely.
    status = dict(line.split(":", 1) for line in (task / "status").open())
    return status["State"].split()[0] == "S" and int(status["voluntary_ctxt_switches"]) >= 2

index = TextIndex(Path(sys.argv[1]), "library")
print(asked())
while os.path.isdir("/proc/self/task") and not (asleep() and asleep()):
    time.sleep(0.01)  # the second look sees what the thread began before it went to sleep
(file,) = index.files.place(0).glob("[!.]*." + sys.argv[2])
os.truncate(file, 0)
print(asked() == f"{file.name} was cut short", index.suspects)
index.refresh()
with index.writing() as writing:
    print(writing.lost, asked())
"""


@pytest.mark.parametrize("part", ["fast", "fieldnorm", "idx", "pos", "store", "term"])
def test_a_file_that_is_cut_short_where_it_lies_ends_no_process(
    index: TextIndex, part: str
) -> None:
    """Reading what such a file lacks, where it is mapped into memory, is a SIGBUS."""
    put(index, *numbered(GARDEN))
    told = programs.checked("-c", CUT_SHORT, index.files.folder, part).splitlines()
    assert told == ["(1, 1, 6)", "True {0}", "[0] it is being made anew"]


def _raising(error: Exception) -> Callable[..., None]:
    def raises(*_: object, **__: object) -> None:
        raise error

    return raises


def test_an_interruption_is_not_taken_for_damage(
    index: TextIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(index, *numbered(GARDEN))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("bot.search.scope_index.hit_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            index.view((SHARED,)).first(1)
    with monkeypatch.context() as patch:
        patch.setattr("bot.search.scope_index.Snapshot", interrupted)
        with pytest.raises(KeyboardInterrupt):
            TextIndex(index.files.folder, "library")
    assert len(TextIndex(index.files.folder, "library")) == len(GARDEN)


def test_a_file_in_the_place_of_the_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("I am not a folder")
    with pytest.raises(SearchError, match=r"can't be made in .*DATA_DIR") as refused:
        TextIndex(tmp_path / "index", "library")
    assert "\n" not in str(refused.value)


def test_an_index_that_can_no_longer_be_written_is_named(
    index: TextIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self, *_: object) -> None:
            raise ValueError("no space left on device")

    monkeypatch.setattr("bot.search.index_writing.ScopeWriter", Broken)
    with pytest.raises(SearchError, match=r"can't be written \(no space") as refused:
        put(index, thread(1, "Why?"))
    assert not isinstance(refused.value, IndexBusy)


def test_a_lock_that_cant_be_had_for_other_reasons_is_no_busy_index(index: TextIndex) -> None:
    put(index, thread(1, "Why?"))
    lock = index.files.folder.with_name("index.lock")
    lock.unlink()
    lock.mkdir()
    with pytest.raises(SearchError, match="can't be written") as refused:
        index.writing()
    assert not isinstance(refused.value, IndexBusy)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from bot.errors import SearchError
from bot.search.documents import Pieces
from bot.search.index import TextIndex

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
index = TextIndex(Path(sys.argv[1]), "library")
most = resource.getrlimit(resource.RLIMIT_FSIZE)
pieces = [Pieces(f"Number {n}", tuple(f"w{n}x{m}" for m in range(300)), b"[]") for n in range(999)]
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most[1]))
try:
    with index.writing() as writing:
        writing.put((n, 0, one) for n, one in enumerate(pieces, 1))
        writing.commit(5)
except SearchError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, most)
with index.writing() as writing:
    writing.put((n, 0, one) for n, one in enumerate(pieces, 1))
    writing.commit(6)
print(len(index), index.state.seq)
"""


def test_a_full_disk_is_reported_and_does_not_last(tmp_path: Path) -> None:
    told, then = programs.checked("-c", FULL_DISK, tmp_path / "index").splitlines()
    assert "can't be written" in told
    assert "the disk has room" in told
    assert then == "999 6"


def test_the_words_of_a_large_index_are_read_in_pieces(
    index: TextIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "PIECE", 5)
    said = [f"{a}{b}{c} x{n}" for n, (a, b, c) in enumerate(product("abc", "abc1", "abd"))]
    put(index, *(thread(n, s) for n, s in enumerate([*said, "жизнь ζωή 漢字 한국 a ab 7 𐌰x"], 1)))
    longest: list[int] = []
    real = vocabulary._beginning

    def watched(*about: Any) -> list[tuple[str, int]]:
        found = real(*about)
        longest.append(len(found))
        return found

    monkeypatch.setattr(vocabulary, "_beginning", watched)
    words_of_it = {*words(" ".join(said)), *words("жизнь ζωή 漢字 한국 a ab 7 𐌰x")}
    index.refresh()
    assert counts(TextIndex(index.files.folder, "library")).keys() == words_of_it
    assert len(longest) > 10
    assert max(longest) <= 5
    longest.clear()
    put(index, thread(99, "quince"), seq=3)
    assert counts(index)["quince"] == 1


def test_all_words_of_a_large_index_are_read_whatever_letters_they_have(
    index: TextIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "PIECE", 20)
    said = [f"{begun}{a}{b}" for begun in ("по", "пр", "пя") for a, b in product("абвг", "дежз")]
    put(index, *(thread(n, word) for n, word in enumerate(said, 1)))
    index.refresh()
    assert set(said) <= counts(TextIndex(index.files.folder, "library")).keys()


@pytest.mark.parametrize(
    "begins",
    ["\U00020000", "\U0003134a", "𐐨", "ा", "🅐", "œ"],
    ids=["ideograph", "newest ideograph", "deseret", "vowel sign", "circled letter", "folded"],
)
def test_words_of_a_large_index_are_read_whatever_they_begin_with(
    index: TextIndex, monkeypatch: pytest.MonkeyPatch, begins: str
) -> None:
    monkeypatch.setattr(vocabulary, "PIECE", 4)
    said = [f"{a}{b}{c}" for a, b, c in product((begins, "no"), "abc", ("x", begins))]
    put(index, *(thread(n, word) for n, word in enumerate(said, 1)))
    assert counts(TextIndex(index.files.folder, "library")).keys() == set(words(" ".join(said)))


def test_no_step_takes_many_of_300_000_words_of_other_scripts(
    index: TextIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step is a call that holds the interpreter until it is done."""
    ideographs = [*map(chr, (*range(0x4E00, 0x4E00 + 400), *range(0x20000, 0x20000 + 100)))]
    said = ["".join(pair) for pair in product(ideographs, ideographs[:400])]
    said += ["".join(letters) for letters in product("абвгдежзик", repeat=5)]
    said = sorted(said, key=lambda word: hash((word, 1)))[:300_000]
    steps: list[int] = []

    def watch(module: Any, name: str, real: Callable[..., Any]) -> None:
        def watched(*about: Any, **how: Any) -> Any:
            given = len(about[0]) if hasattr(about[0], "__len__") else 0
            made = real(*about, **how)
            steps.append(len(made) if made is not None else given)
            return made

        monkeypatch.setattr(module, name, watched, raising=False)

    watch(vocabulary, "_beginning", vocabulary._beginning)
    watch(vocabulary, "_sort", vocabulary._sort)
    watch(vocabulary, "sorted", sorted)
    parts = enumerate((said[at : at + 3_000] for at in range(0, len(said), 3_000)), 1)
    with index.writing() as writing:
        writing.put((n, SHARED, Pieces("", (", ".join(part),), b"[]")) for n, part in parts)
        writing.commit(1)
    index.refresh()
    known = index.view((SHARED,)).words
    assert [word for word in said if word not in known] == []
    assert known.starting_with(said[0], 1) == [said[0]]
    assert max(steps) <= vocabulary.PIECE


def test_what_is_committed_while_an_index_is_opened_is_seen(
    index: TextIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(index, thread(1, "first thread", scope=7))
    index.refresh()
    real, opened = index.files.open, list[int]()

    def slow(scope: int, *about: Any) -> Any:
        found = real(scope, *about)
        if scope == 7 and not opened:
            opened.append(scope)
            put(index, thread(2, "second thread", scope=7), seq=2)
            index.refresh()
        return found

    monkeypatch.setattr(index.files, "open", slow)
    assert len(index.view((SHARED, 7))) == 2
