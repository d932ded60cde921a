"""Misspelt words: what they are repaired to, what is left alone, and what that costs."""

from __future__ import annotations

import itertools
import random
import string
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.models import SHARED
from bot.search import vocabulary as vocabulary_module
from bot.search.text import stems, words
from bot.search.vocabulary import MIN_LENGTH, TWO_EDITS_LENGTH, Repair, Vocabulary
from tests.kit.paths import ROOT
from tests.kit.search import GARDEN, engine_with, numbered, thread

relaxed = settings(deadline=None, max_examples=250)

SEEDS = ROOT / "seeds"


def _counted(texts: Iterable[str]) -> dict[str, int]:
    count: dict[str, int] = {}
    for text in texts:
        for word in set(words(text)):
            count[word] = count.get(word, 0) + 1
    return count


COUNTS = _counted(path.read_text("utf-8") for path in sorted(SEEDS.glob("*.txt")))
REAL = Vocabulary(COUNTS.items())
"""The words of the project's own seeds: a few thousand, as a small community has."""

LONG_WORDS = sorted(word for word in COUNTS if len(word) >= 5 and word.isalpha())
VERY_LONG_WORDS = [word for word in LONG_WORDS if len(word) >= TWO_EDITS_LENGTH + 2]


def slipped(word: str, kind: str, at: int, letter: str) -> str:
    """The word with one letter dropped, added, replaced or swapped with the next."""
    at %= len(word) - (kind == "swap")
    return {
        "drop": word[:at] + word[at + 1 :],
        "add": word[:at] + letter + word[at:],
        "replace": word[:at] + letter + word[at + 1 :],
        "swap": word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    }[kind]


def every_slip(word: str) -> Iterator[str]:
    for at in range(len(word)):
        yield slipped(word, "drop", at, "")
        if at + 1 < len(word):
            yield slipped(word, "swap", at, "")
        for letter in string.ascii_lowercase:
            yield slipped(word, "add", at, letter)
            yield slipped(word, "replace", at, letter)


kinds = st.sampled_from(["drop", "add", "replace", "swap"])
places = st.integers(0, 40)
letters = st.sampled_from(string.ascii_lowercase)


@relaxed
@given(st.sampled_from(LONG_WORDS), kinds, places, letters)
def test_a_word_with_one_slip_is_repaired_to_it(word: str, kind: str, at: int, letter: str) -> None:
    wrong = slipped(word, kind, at, letter)
    assume(wrong != word)
    assert Repair(word, 1) in REAL.repairs(wrong, limit=30)


@pytest.mark.parametrize("word", ["vote", "thread", "neutrality"])
def test_every_single_slip_in_a_word_of_four_to_ten_letters_is_found(word: str) -> None:
    vocabulary = Vocabulary([(word, 3), ("unrelated", 9), ("words", 2)])
    for wrong in every_slip(word):
        if wrong != word and len(wrong) >= MIN_LENGTH:
            assert vocabulary.repairs(wrong) == [Repair(word, 1)], wrong


@relaxed
@given(st.sampled_from(VERY_LONG_WORDS), kinds, kinds, places, places, letters, st.booleans())
def test_two_slips_that_leave_an_end_of_a_long_word_whole_are_repaired(
    word: str, first: str, second: str, at: int, then: int, letter: str, early: bool
) -> None:
    half = len(word) // 2
    part, whole = (word[:half], word[half:]) if early else (word[-half:], word[:-half])
    part = slipped(slipped(part, first, at, letter), second, then, letter)
    wrong = part + whole if early else whole + part
    assume(OSA.distance(wrong, word) == 2)
    found = REAL.repairs(wrong, limit=50)
    # A nearer word, if there is one, is believed before one that is two slips away.
    assert Repair(word, 2) in found or {repair.distance for repair in found} == {1}


def test_two_slips_in_a_short_word_make_another_word() -> None:
    assert Vocabulary([("thread", 9)]).repairs("therqd") == []
    assert Vocabulary([("threads", 9)]).repairs("therqds") == [Repair("threads", 2)]


@relaxed
@given(st.text(st.sampled_from("abcdeé東1-'"), max_size=12), st.integers(0, 5))
def test_repairs_are_near_bounded_and_never_the_word_itself(word: str, limit: int) -> None:
    vocabulary = Vocabulary((w, i) for i, w in enumerate(["abcd", "bcde", "edcba", "aabbccdd"], 1))
    found = vocabulary.repairs(word, limit)
    assert len(found) <= limit
    for repair in found:
        assert repair.word != word
        assert repair.word in vocabulary
        assert repair.distance == OSA.distance(word, repair.word) <= 2


@pytest.mark.parametrize("word", ["", "a", "cat", "the", "v2", "k8s", "0x80070005", "e404", "1939"])
def test_short_words_and_codes_have_no_repairs(word: str) -> None:
    near = [("cart", 50), ("chat", 50), ("them", 50), ("0x80070006", 50), ("1938", 50)]
    assert Vocabulary(near).repairs(word) == []


def test_of_several_repairs_the_commoner_comes_first() -> None:
    vocabulary = Vocabulary([("voted", 2), ("voter", 90), ("votes", 30)])
    assert [r.word for r in vocabulary.repairs("votez")] == ["voter", "votes", "voted"]
    assert [r.word for r in vocabulary.repairs("votez", limit=1)] == ["voter"]


def test_the_first_letter_is_mistyped_the_least() -> None:
    vocabulary = Vocabulary([("house", 3), ("mouse", 3)])
    assert [r.word for r in vocabulary.repairs("hpuse")] == ["house"]
    assert [r.word for r in vocabulary.repairs("housy")] == ["house"]
    vocabulary = Vocabulary([("hover", 3), ("cover", 3), ("coven", 3)])
    assert vocabulary.repairs("covet")[0].word != "hover"


def test_words_of_other_scripts_are_repaired_too() -> None:
    vocabulary = Vocabulary([("нейтралитет", 3), ("договор", 3)])
    assert vocabulary.repairs("нейтралитит") == [Repair("нейтралитет", 1)]


def test_words_with_a_beginning_come_by_use() -> None:
    vocabulary = Vocabulary([("vote", 5), ("voter", 9), ("votes", 2), ("voice", 50), ("wave", 1)])
    assert vocabulary.starting_with("vote", 5) == ["voter", "vote", "votes"]
    assert vocabulary.starting_with("vo", 2) == ["voice", "voter"]
    assert vocabulary.starting_with("x", 5) == []
    assert len(vocabulary) == 5
    assert "vote" in vocabulary
    assert "vot" not in vocabulary


@relaxed
@given(st.sampled_from(sorted(COUNTS)), st.integers(1, 8))
def test_a_beginning_finds_exactly_the_words_that_have_it(word: str, length: int) -> None:
    prefix = word[:length]
    expected = {w for w in COUNTS if w.startswith(prefix)}
    assert set(REAL.starting_with(prefix, len(COUNTS))) == expected


def test_a_huge_vocabulary_drops_the_words_used_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary_module, "MAX_WORDS", 3)
    vocabulary = Vocabulary([("once", 1), ("twice", 2), ("often", 9), ("rare", 1)])
    assert "once" not in vocabulary
    assert len(vocabulary) == 2
    assert vocabulary.repairs("twicw") == [Repair("twice", 1)]


def test_repairing_looks_at_few_words_of_a_large_vocabulary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    syllables = [c + v + e for c in "bcdfghklmnprst" for v in "aeiou" for e in ("", "n", "r", "s")]
    made = {a + b + c for a in syllables for b in syllables[::7] for c in syllables[::60]}
    vocabulary = Vocabulary((word, 2) for word in made | COUNTS.keys())
    assert len(vocabulary) > 50_000
    compared: list[int] = []
    real = process.extract_iter

    def counting(query: str, choices: list[str], **options: Any) -> Any:
        compared.append(len(choices))
        return real(query, choices, **options)

    monkeypatch.setattr(process, "extract_iter", counting)
    for word in LONG_WORDS[::7]:
        vocabulary.repairs(slipped(word, "replace", len(word) // 2, "q"))
    assert compared
    mean = sum(compared) / len(compared)
    assert mean < len(vocabulary) / 50
    assert max(compared) < len(vocabulary) / 8


def test_a_beginning_is_found_without_looking_at_the_other_words() -> None:
    class Watched(str):
        looks = 0

        def __lt__(self, other: str) -> bool:
            Watched.looks += 1
            return super().__lt__(other)

    names = (f"{a}{b}{n}" for a in "abcdefghij" for b in "klmnopqrst" for n in range(500))
    vocabulary = Vocabulary((Watched(name), 1) for name in names)
    Watched.looks = 0
    assert len(vocabulary.starting_with("cm12", 100)) == 11
    assert Watched.looks < 60  # two searches by halves among 50,000


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Any:
    common = numbered([f"How do I install the printer driver version {n}?" for n in range(30)])
    rare = [
        thread(101, "What does error code E1187 mean?"),
        thread(102, "Who was Zhukow, and is Zhukov the same person?"),
        thread(103, "Does driven pile work need a permit?"),
        thread(104, "Error 0x80070005 when installing"),
        thread(105, "Was a pact signed in 1939 or in 1938?"),
    ]
    return engine_with(tmp_path_factory.mktemp("known") / "index", [*common, *rare])


@pytest.mark.parametrize(
    "word", ["E1187", "1939", "Zhukow", "Zhukov", "driven", "0x80070005", "printer", "E1188"]
)
def test_a_word_the_library_uses_is_never_repaired_away(known: Any, word: str) -> None:
    query = known.retrieve(f"what about {word}", SHARED)[0]
    (stem,) = stems(word)
    assert query.wanted[stem] == 1.0
    assert stem in query.wanted


def test_an_unknown_word_is_searched_for_as_what_it_stands_for(known: Any) -> None:
    query = known.retrieve("instal teh pirnter drivr", SHARED)[0]
    assert {"printer", "driver"} <= query.wanted.keys()
    assert query.wanted["printer"] < 1.0  # a guess is worth less than the word itself
    assert "pirnter" not in query.wanted
    assert "printer" in query.content


@pytest.mark.parametrize("word", ["wont", "cant", "Dont"])
def test_a_contraction_without_its_apostrophe_is_no_slip(tmp_path: Path, word: str) -> None:
    threads = numbered([f"I want a tent, can it be done by day {n}?" for n in range(9)])
    engine = engine_with(tmp_path / "index", threads)
    query = engine.retrieve(f"my tent {word} open", SHARED)[0]
    assert query.wanted[word.lower()] == 1.0
    assert not {"want", "can", "done"} & query.wanted.keys()
    assert query.corrected(lambda _: False) == f"my tent {word} open"
    assert engine.retrieve("I wamt a tent", SHARED)[0].corrected(lambda _: False) == "I want a tent"


def test_a_rare_word_is_joined_by_a_much_commoner_neighbour(known: Any) -> None:
    query = known.retrieve("driven", SHARED)[0]
    assert query.wanted == {"driven": 1.0, "driver": query.wanted["driver"]}
    assert query.wanted["driver"] < 1.0


def test_an_unknown_word_without_neighbours_stays_as_it_is(known: Any) -> None:
    assert known.retrieve("zzyzx", SHARED)[0].wanted == {"zzyzx": 1.0}


@pytest.mark.parametrize("first", ["", "all begin alike "])
def test_many_words_are_sorted_in_small_parts(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorting them at once would keep the interpreter from the event loop until it is done."""
    monkeypatch.setattr(vocabulary_module, "SORTED_AT_ONCE", 10)
    sizes: list[int] = []

    def watched(part: list[str]) -> None:
        sizes.append(len(part))
        part.sort()

    monkeypatch.setattr(vocabulary_module, "_sort", watched)
    ends = ("".join(p) for n in range(1, 5) for p in itertools.product("aé\U00010330z", repeat=n))
    made = [first + end for end in ends]
    random.Random(1).shuffle(made)
    vocabulary = Vocabulary((word, 1) for word in made)
    assert vocabulary.starting_with(first, 1_000) == sorted(made)
    if not first:  # what is found by a word's end needs the order of the words turned round
        assert Repair("zaéz", 1) in vocabulary.repairs("qaéz", limit=24)
    assert sum(sizes) == 2 * len(made)
    assert max(sizes) <= 10


@pytest.mark.parametrize(
    ("word", "library", "found"),
    [
        ("kirjastokortin", "Mistä saan kirjastokorttia?", True),
        ("müzesinden", "Müzesi nerede?", True),
        ("kitapla", "Kitaplar nerede?", True),
        ("presents", "Who is the president?", False),  # other words
        ("kir", "Mistä saan kirjastokorttia?", False),
        ("abc12def", "What is abc12deg and abc12deh?", False),  # codes have no forms
    ],
)
def test_other_forms_of_an_unknown_word_are_found(
    tmp_path: Path, word: str, library: str, found: bool
) -> None:
    engine = engine_with(tmp_path / "index", numbered([library, *GARDEN]))
    assert (engine.search(word, SHARED, 3)[:1] != []) is found


@pytest.mark.parametrize("asked", ["한국어로 사용하는", "한국어의 사용"])
def test_korean_words_are_found_whatever_particle_follows(tmp_path: Path, asked: str) -> None:
    engine = engine_with(tmp_path / "index", numbered(["한국어는 어디서 사용되나요?", *GARDEN]))
    assert engine.search(asked, SHARED, 3)[0].key == "t1"
