"""Scopes of the index: the threads of one server change no result of another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models import SHARED, StoredThread
from bot.search import index as index_module
from bot.search.documents import indexed
from bot.search.engine import Engine
from bot.search.ranker import Ranked
from tests.kit.search import GARDEN, SEVENTY, engine_with, numbered, thread

HERE, THERE, ELSEWHERE = 111, 222, 333

OWN = (
    "How do I turn on slow mode here?",
    "Where are the rules of our garden club?",
    "When does the greenhouse open?",
)
ASKED = (
    "how do i trun on solw mode",
    "prunning appletree in wniter",
    "when are tomatos plantd",
    "rules of the gardenclub",
    "how do I insure the piano",
    "greenhose opning hours",
    "zebra",
    "",
)
TYPED = ("", "how do i ", "when sh", "grene", "prin", "rul")


def told(engine: Engine, guild: int, own: Sequence[bool] = (False, True)) -> list[object]:
    """All that is said in a guild: matches, confidences, repairs, completions."""
    return [
        *([(r.hit, r.score, r.confidence, r.together) for r in found(engine, q, guild)]
          for q in ASKED),
        *([(w.text, w.weight, w.credits) for w in engine.parse(q, guild_id=guild).words]
          for q in ASKED),
        *(engine.complete(text, guild, 25, own=only) for text in TYPED for only in own),
    ]  # fmt: skip


def found(engine: Engine, question: str, guild: int) -> list[Ranked]:
    return engine.candidates(question, guild)


def put(
    engine: Engine, threads: Sequence[StoredThread], gone: Mapping[int, int] | None = None
) -> None:
    with engine.writing() as writing:
        writing.put(map(indexed, threads))
        writing.remove(gone or {})
        writing.commit(engine.seq + 1)
    engine.refresh()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    threads = [*numbered(SEVENTY), *numbered(GARDEN, start=100)]
    own = numbered(OWN, scope=HERE, start=200)
    return engine_with(tmp_path_factory.mktemp("apart") / "index", [*threads, *own])


titles = st.lists(
    st.one_of(
        st.sampled_from([*SEVENTY, *GARDEN, *OWN, *ASKED]),
        st.text("trunslowmdeapi", min_size=2, max_size=9),
        st.lists(st.sampled_from("trun solw mode mod appel tre how do the piano".split())).map(
            " ".join
        ),
        st.text(max_size=30),
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=12)
@given(titles, st.sampled_from([THERE, ELSEWHERE]), st.booleans(), st.data())
def test_any_upload_elsewhere_leaves_every_reply_here(
    engine: Engine, brought: list[str], scope: int, again: bool, data: st.DataObject
) -> None:
    before = [told(engine, guild) for guild in (SHARED, HERE)]
    threads = [*numbered(brought, scope=scope, start=1_000 if scope == THERE else 5_000)]
    put(engine, threads)
    assert [told(engine, guild) for guild in (SHARED, HERE)] == before
    if again:  # replaced, and some taken out
        ids = [t.id for t in threads]
        put(engine, threads, dict.fromkeys(data.draw(st.lists(st.sampled_from(ids))), THERE))
        assert [told(engine, guild) for guild in (SHARED, HERE)] == before


@pytest.mark.parametrize("guild", [SHARED, HERE, ELSEWHERE])
def test_thousands_of_words_elsewhere_leave_every_reply(engine: Engine, guild: int) -> None:
    before = told(engine, guild)
    slips = ("trun", "solw", "mdoe", "appel", "prunign", "tomaots", "wniter")
    words = " ".join(f"{slip}{n}" for n in range(500) for slip in slips)
    put(engine, [thread(20_000 + n, f"{slip} on", body=words, scope=THERE) for n, slip in
                 enumerate(slips)])  # fmt: skip
    assert told(engine, guild) == before


def test_what_is_one_s_own_counts_here_and_only_here(engine: Engine) -> None:
    own = [r.hit.key for r in found(engine, "when does the greenhouse open", HERE)]
    assert own[0] == "t202"
    there = [r.hit.key for r in found(engine, "when does the greenhouse open", THERE)]
    assert "t202" not in there
    assert engine.parse("greenhose", guild_id=HERE).words[0].text == "greenhouse"
    nowhere = ELSEWHERE + 1  # to which the test of any upload brings nothing
    assert engine.parse("greenhose", guild_id=nowhere).words[0].text == "greenhose"
    assert engine.complete("greenh", HERE, 3)[0].key == "t202"
    assert [m.key for m in engine.complete("", HERE, 9, own=True)] == ["t200", "t201", "t202"]


def test_a_guild_without_threads_of_its_own_has_just_what_the_shared_index_gives(
    engine: Engine,
) -> None:
    assert engine.complete("", 999, 9, own=True) == []
    assert told(engine, 999, (False,)) == told(engine, SHARED, (False,))


def test_the_same_threads_give_the_same_replies_however_they_came(tmp_path: Path) -> None:
    """In one go, one by one, in another order."""
    own = [*numbered(OWN, scope=HERE, start=200)]
    shared = [*numbered(SEVENTY[:20])]
    one = engine_with(tmp_path / "one" / "index", [*shared, *own])
    two = engine_with(tmp_path / "two" / "index", own[:1])
    for part in (shared[10:], own[2:], shared[:10], own[1:2]):
        put(two, part)
    assert told(two, HERE) == told(one, HERE)


class TestOpening:
    @pytest.fixture
    def many(self, tmp_path: Path) -> Engine:
        own = [thread(100 + n, f"Apples of number{n}", scope=n) for n in range(1, 10)]
        engine_with(tmp_path / "index", [*numbered(GARDEN), *own])
        return Engine(tmp_path / "index", "library")

    def test_is_put_off_until_a_guild_asks(self, many: Engine) -> None:
        index = many._index
        assert index.open_scopes == [SHARED]
        assert len(many) == len(GARDEN) + 9
        assert "t105" in [m.key for m in many.search("apples", 5, 9)]
        assert index.open_scopes == [SHARED, 5]
        many.search("apples", 999, 9)
        assert set(index.open_scopes) == {SHARED, 5}

    def test_is_of_so_many_at_most(self, many: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(index_module, "MAX_OPEN", 3)
        for guild in (1, 2, 3, 4, 2, 5):
            assert f"t10{guild}" in [m.key for m in many.search("apples", guild, 9)]
        assert many._index.open_scopes == [4, 2, SHARED, 5]

    def test_is_of_so_many_words_at_most(
        self, many: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(index_module, "MAX_OPEN_WORDS", 7)  # each has three
        for guild in (1, 2, 3):
            many.search("apples", guild, 9)
        assert set(many._index.open_scopes) == {SHARED, 2, 3}

    def test_ends_when_nobody_asks(self, many: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        many.search("apples", 1, 9)
        many.refresh()
        assert set(many._index.open_scopes) == {SHARED, 1}
        monkeypatch.setattr(index_module, "IDLE", -1.0)
        many.refresh()
        assert many._index.open_scopes == [SHARED]
        assert "t101" in [m.key for m in many.search("apples", 1, 9)]

    def test_of_one_that_is_written_elsewhere_shows_what_is_new(self, many: Engine) -> None:
        other = Engine(many._index.files.folder, "library")
        assert len(other.complete("", 1, 99, own=True)) == 1
        assert other.complete("", 42, 99, own=True) == []
        put(many, [thread(300, "Quinces", scope=1), thread(301, "Quinces", scope=42)], {109: 9})
        other.refresh()
        assert [m.key for m in other.complete("", 1, 99, own=True)] == ["t101", "t300"]
        assert [m.key for m in other.complete("", 42, 99, own=True)] == ["t301"]
        assert other.complete("", 9, 99, own=True) == []
        assert not many._index.files.place(9).exists()
