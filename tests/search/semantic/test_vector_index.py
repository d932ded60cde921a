"""Nearest neighbours: against comparing every vector, and through checkpoints."""

from __future__ import annotations

import json
import random
import shutil
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models import SHARED
from bot.search.semantic import checkpoint
from bot.search.semantic import vector_index as module
from bot.search.semantic.vector_index import Rows, VectorIndex

WIDE = 8
HERE, THERE = 111, 222
NOWHERE = Path("/nowhere/at/all")


def rows(seed: int, count: int = 1) -> Rows:
    made = np.random.default_rng(seed).integers(-100, 100, (count, WIDE))
    return made.astype(np.int8)


def opened(folder: Path, library: str = "library", model: str = "model") -> VectorIndex:
    return VectorIndex(folder, library, model, WIDE)


def filled(folder: Path, count: int = 20) -> VectorIndex:
    made = opened(folder)
    made.replace({i: {SHARED: rows(i)} for i in range(1, count + 1)}, [], count)
    return made


def content(those: VectorIndex, ids: Iterable[int], *scopes: int) -> dict[int, list[list[int]]]:
    found = those.rows(list(ids), scopes or (SHARED,))
    return {i: sorted(r.tolist()) for i, r in found.items()}


class Naive:
    """The same by comparing everything, in plain Python."""

    def __init__(self) -> None:
        self.texts: dict[int, dict[int, list[list[int]]]] = {}

    def replace(self, texts: Mapping[int, Mapping[int, Rows]], gone: Iterable[int]) -> None:
        for i in [*texts, *gone]:
            self.texts.pop(i, None)
        for i, of in texts.items():
            self.texts[i] = {scope: r.tolist() for scope, r in of.items()}

    def rows(self, scopes: Iterable[int]) -> dict[int, list[list[int]]]:
        seen = {
            i: sorted(row for s in scopes for row in of.get(s, ())) for i, of in self.texts.items()
        }
        return {i: found for i, found in seen.items() if found}

    def best(self, wanted: Rows, scopes: Iterable[int]) -> dict[int, int]:
        asked = wanted.astype(int)
        return {
            i: max(int(np.array(row) @ asked) for row in found)
            for i, found in self.rows(scopes).items()
        }


ids = st.integers(1, 12)
changes = st.lists(
    st.tuples(
        st.dictionaries(
            ids, st.tuples(st.sampled_from([SHARED, HERE, THERE]), st.integers(1, 3)), max_size=6
        ),
        st.lists(ids, max_size=4),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=80)
@given(changes, st.integers(0, 1000))
def test_after_any_changes_it_holds_what_comparing_everything_finds(made, seed: int) -> None:
    those, naive = opened(NOWHERE), Naive()
    for seq, (new, gone) in enumerate(made, 1):
        texts = {i: {scope: rows(seed + seq * 50 + i, n)} for i, (scope, n) in new.items()}
        gone = [i for i in gone if i not in texts]
        those.replace(texts, gone, seq)
        naive.replace(texts, gone)
        assert those.seq == seq
    assert those.threads == len(naive.texts)
    for scopes in ([SHARED], [SHARED, HERE], [SHARED, THERE]):
        known = naive.rows(scopes)
        assert those.threads_in(scopes) == len(known)
        assert content(those, range(1, 13), *scopes) == known
        wanted = rows(seed)[0]
        assert sorted(those.near(wanted, scopes, 100)) == sorted(known)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_the_nearest_come_and_the_nearest_first(seed: int, limit: int) -> None:
    those, naive = opened(NOWHERE), Naive()
    texts = {i: {SHARED: rows(seed + i)} for i in range(1, 40)}
    those.replace(texts, [], 1)
    naive.replace(texts, [])
    wanted = rows(seed)[0]
    best = naive.best(wanted, [SHARED])
    found = those.near(wanted, [SHARED], limit)
    assert [best[i] for i in found] == sorted(best.values(), reverse=True)[:limit]


def test_a_graph_of_many_misses_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT", 10)
    those, naive = opened(NOWHERE), Naive()
    texts = {i: {SHARED: rows(i)} for i in range(3_000)}
    those.replace(texts, [], 1)
    naive.replace(texts, [])
    right = 0
    for seed in range(20):
        wanted = rows(50_000 + seed)[0]
        best = naive.best(wanted, [SHARED])
        true = sorted(best, key=lambda i: -best[i])[:10]
        right += len({*true} & {*those.near(wanted, [SHARED], 10)})
    assert right >= 180  # of 200


def test_a_guilds_own_are_never_seen_from_elsewhere() -> None:
    those = opened(NOWHERE)
    secret = rows(1)
    those.replace({1: {HERE: secret}, 2: {SHARED: rows(2)}}, [], 1)
    assert set(those.near(secret[0], [SHARED, HERE], 5)) == {1, 2}
    for scopes in ([SHARED], [SHARED, THERE]):
        assert those.near(secret[0], scopes, 5) == [2]
        assert content(those, [1, 2], *scopes).keys() == {2}


def test_of_two_scopes_the_nearest_of_both_come() -> None:
    those, naive = opened(NOWHERE), Naive()
    texts = {i: {HERE if i % 3 else SHARED: rows(i)} for i in range(1, 90)}
    those.replace(texts, [], 1)
    naive.replace(texts, [])
    wanted = rows(500)[0]
    best = naive.best(wanted, [SHARED, HERE])
    found = those.near(wanted, [SHARED, HERE], 12)
    assert [best[i] for i in found] == sorted(best.values(), reverse=True)[:12]


def test_what_another_scope_has_changes_nothing() -> None:
    those = opened(NOWHERE)
    those.replace({i: {HERE if i % 3 else SHARED: rows(i)} for i in range(1, 90)}, [], 1)
    before = those.near(rows(500)[0], [SHARED, HERE], 12)
    those.replace({i: {THERE: rows(500)} for i in range(100, 300)}, [], 2)
    those.replace({}, range(100, 200), 3)
    assert those.near(rows(500)[0], [SHARED, HERE], 12) == before


@pytest.mark.parametrize("count", [0, 1, 7, 29, 30, 100])
def test_a_sample_is_that_of_all_ids_in_their_order(count: int) -> None:
    made = opened(NOWHERE)
    texts = {i: {SHARED: rows(i, 3)} for i in random.Random(1).sample(range(1, 10_000), 20)}
    texts |= {i: {HERE: rows(i)} for i in range(20_000, 20_010)}
    texts |= {i: {THERE: rows(i)} for i in range(30_000, 30_010)}
    made.replace(texts, [], 1)
    seen = sorted(i for i in texts if i < 30_000)
    expected = random.Random(5).sample(seen, min(count, len(seen)))
    assert made.sample((SHARED, HERE), count, 5) == expected
    assert made.sample((HERE, SHARED, 4), count, 5) == expected
    assert opened(NOWHERE).sample((SHARED,), count, 5) == []


def test_an_empty_one_finds_nothing() -> None:
    those = opened(NOWHERE)
    assert those.near(rows(1)[0], [SHARED, HERE], 5) == []
    assert those.rows([1, 2], [SHARED]) == those.rows([], [SHARED]) == {}
    assert (len(those), those.threads, those.seq) == (0, 0, 0)


def test_what_is_cleared_is_gone() -> None:
    those = filled(NOWHERE)
    those.clear()
    assert (len(those), those.threads, those.seq) == (0, 0, 0)
    those.replace({3: {SHARED: rows(3)}}, [], 1)
    assert those.near(rows(3)[0], [SHARED], 5) == [3]


class TestCheckpoints:
    def test_what_was_saved_is_there_again(self, tmp_path: Path) -> None:
        before = filled(tmp_path)
        before.replace({5: {HERE: rows(5, 3)}}, [7], 33)
        before.save()
        after = opened(tmp_path)
        assert (after.seq, after.threads, len(after)) == (33, 19, 21)
        assert (after.threads_in([SHARED]), after.threads_in([HERE])) == (18, 1)
        for scopes in ([SHARED], [SHARED, HERE]):
            assert content(after, range(30), *scopes) == content(before, range(30), *scopes)
        after.replace({40: {SHARED: rows(40)}}, [1], 34)  # and it can be changed
        assert after.near(rows(40)[0], [SHARED], 1) == [40]
        assert after.threads == 19

    def test_a_scope_that_is_no_more_is_in_no_file(self, tmp_path: Path) -> None:
        those = filled(tmp_path, 100)
        those.replace({101: {HERE: rows(101)}}, [], 101)
        those.save()
        assert [*tmp_path.glob(f"{HERE}-*.usearch")]
        for index in (opened(tmp_path), those):
            index.replace({}, [101], 102)
            assert index.scopes == [SHARED]
            index.save()  # though one in a hundred is few
            assert not [*tmp_path.glob(f"{HERE}-*.usearch")]
            assert opened(tmp_path).scopes == [SHARED]

    def test_few_changes_are_not_worth_saving(self, tmp_path: Path) -> None:
        filled(tmp_path, 100).save()
        those = opened(tmp_path)
        those.replace({1: {SHARED: rows(101)}}, [], 101)
        those.save()
        assert opened(tmp_path).seq == 100
        those.save(all_changes=True)
        assert opened(tmp_path).seq == 101
        before = state_of(tmp_path)
        those.save(all_changes=True)
        assert state_of(tmp_path) == before

    def test_only_what_is_of_use_stays_in_the_folder(self, tmp_path: Path) -> None:
        those = filled(tmp_path)
        those.save()
        those.replace({1: {SHARED: rows(9)}}, [], 99)
        those.save(all_changes=True)
        assert sorted(f.name for f in tmp_path.iterdir()) == ["0-99.usearch", "state.json"]

    @pytest.mark.parametrize("other", [{"library": "another"}, {"model": "another"}])
    def test_one_of_another_library_or_model_is_left(self, tmp_path: Path, other) -> None:
        filled(tmp_path).save()
        assert len(opened(tmp_path, **other)) == 0
        assert len(opened(tmp_path)) == 20

    def test_one_of_an_older_form_is_left(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(tmp_path).save()
        monkeypatch.setattr(module, "FORMAT", checkpoint.FORMAT + 1)
        assert len(opened(tmp_path)) == 0

    @pytest.mark.parametrize(
        "state",
        [
            "",
            "{",
            "[]",
            "[" * 100_000,
            '{"library": "library", "model": "model", "seq": "many"}',
            '{"library": "library", "model": "model", "files": ["0-20.usearch"]}',
            '{"library": "library", "model": "model", "seq": 3, "files": {"0": "gone"}}',
            '{"library": "library", "model": "model", "seq": 3, "files": {"x": "0-20.usearch"}}',
            '{"library": "library", "model": "model", "colour": "red"}',
        ],
    )
    def test_a_damaged_state_is_left(self, tmp_path: Path, state: str) -> None:
        filled(tmp_path).save()
        (tmp_path / "state.json").write_text(state)
        empty(opened(tmp_path))

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
    def test_a_file_that_is_cut_short_is_left(self, tmp_path: Path, share: float) -> None:
        filled(tmp_path).save()
        file = tmp_path / "0-20.usearch"
        file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
        empty(opened(tmp_path))

    def test_a_file_of_another_form_is_left(self, tmp_path: Path) -> None:
        filled(tmp_path).save()
        wider = VectorIndex(tmp_path / "wider", "library", "model", 2 * WIDE)
        wider.replace({1: {SHARED: np.ones((1, 2 * WIDE), np.int8)}}, [], 20)
        wider.save()
        shutil.copy(tmp_path / "wider" / "0-20.usearch", tmp_path / "0-20.usearch")
        empty(opened(tmp_path))

    @pytest.mark.parametrize("place", [0.05, 0.3, 0.6, 0.95])
    def test_a_file_with_a_wrong_byte_is_left_and_said_so(
        self, tmp_path: Path, place: float, caplog: pytest.LogCaptureFixture
    ) -> None:
        filled(tmp_path).save()
        file = tmp_path / "0-20.usearch"
        content = bytearray(file.read_bytes())
        content[int(len(content) * place)] ^= 0xFF
        file.write_bytes(content)
        empty(opened(tmp_path))
        (told,) = caplog.records
        assert "damaged (the checksum of 0-20.usearch is wrong)" in told.getMessage()

    def test_a_file_that_cant_be_read_is_not_taken_for_damage(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        filled(tmp_path).save()

        def refused(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, "checksum", refused)
            assert len(opened(tmp_path)) == 0
        (told,) = caplog.records
        assert "can't be read" in told.getMessage()
        assert len(opened(tmp_path)) == 20

    def test_a_mistake_of_ours_is_not_taken_for_damage(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(tmp_path).save()
        monkeypatch.setattr(VectorIndex, "_fits", None)
        with pytest.raises(TypeError):
            opened(tmp_path)

    def test_one_without_checksums_is_taken_up(self, tmp_path: Path) -> None:
        filled(tmp_path).save()
        state = json.loads((tmp_path / "state.json").read_text())
        del state["checksums"]
        (tmp_path / "state.json").write_text(json.dumps(state))
        assert len(opened(tmp_path)) == 20

    def test_half_a_checkpoint_counts_for_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(tmp_path).save()
        those = opened(tmp_path)
        those.replace({1: {SHARED: rows(9)}, 2: {HERE: rows(9)}}, [], 99)

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", full)
            with pytest.raises(OSError, match="No space"):
                those.save(all_changes=True)
        assert opened(tmp_path).seq == 20
        those.save(all_changes=True)
        assert opened(tmp_path).seq == 99


def empty(those: VectorIndex) -> None:
    """It begins anew, and works."""
    assert (len(those), those.threads, those.seq) == (0, 0, 0)
    those.replace({1: {SHARED: rows(1)}}, [], 1)
    assert those.near(rows(1)[0], [SHARED], 5) == [1]


def state_of(folder: Path) -> object:
    return json.loads((folder / "state.json").read_text()), (folder / "state.json").stat().st_mtime


def test_a_search_misses_no_thread_whose_vectors_are_replaced(tmp_path: Path) -> None:
    """As each does when its next stage is made; a library of some hundreds is one batch."""
    index, ids, done = filled(tmp_path, 300), range(1, 301), threading.Event()
    missed: list[str] = []

    def search() -> None:
        while not done.is_set():
            if index.threads_in([SHARED]) != 300:
                missed.append("a thread is not counted")
            if len(index.rows(ids, [SHARED])) != 300:
                missed.append("a thread has no vectors")
            if len(index.near(rows(1), [SHARED], 300)) != 300:
                missed.append("a thread is not found")

    searching = threading.Thread(target=search)
    searching.start()
    try:
        for seq in range(30):
            index.replace({i: {SHARED: rows(i)} for i in ids}, [], seq)
    finally:
        done.set()
        searching.join()
    assert missed == []
