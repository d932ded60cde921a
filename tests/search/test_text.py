"""Text as the search sees it: what is taken out, and what becomes a word."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.search.text import (
    LONGEST_WORD,
    MAX_QUESTION,
    STOP_STEMS,
    STOP_WORDS,
    clean,
    spaced,
    stems,
    words,
)

relaxed = settings(deadline=None, max_examples=150)

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=300)
"""Every character there is, lone surrogates included."""

WRITING = st.lists(
    st.sampled_from(
        [
            "running", "Straße", "Ａ１", "東京タワー", "ไทย", "ﬁles", "e\u0301t\u00e9", "İstanbul",
            "zero\u200bwidth", "<@123>", "<:wave:42>", "https://x.org/?a=b", "👩‍👩‍👧", "don't",
            "\ufdfa", "x" * 90, "\x00", "привет", "مرحبا", "\ud83d", "*bold*", "naïve", "ǅ", "½",
        ]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip
"""Text of the kind that people and programs really send."""


@pytest.mark.parametrize(
    ("markup", "left"),
    [
        ("<@80351110224678912> how do I vote", "how do I vote"),
        ("<@!80351110224678912> hello", "hello"),
        ("<@&165511591545143296> and <#41771983423143937> too", "and too"),
        ("wave <:wave:123456789> and <a:dance_2:987> done", "wave and done"),
        ("</settings channel:1234567890> does what", "does what"),
        ("<t:1618953630> or <t:-1618953630:R> or <id:customize>", "or or"),
        ("see https://example.org/a?b=c#d please", "see please"),
        ("HTTP://EXAMPLE.ORG and Https://example.org", "and"),
    ],
)
def test_discord_markup_and_links_are_no_part_of_a_question(markup: str, left: str) -> None:
    assert clean(markup) == left


@pytest.mark.parametrize("text", ["a < b > c", "x <@name> y", "<not:a:number>", "1 <t:soon> 2"])
def test_what_only_resembles_markup_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "character", ["\u200b", "\u200d", "\u200e", "\u2060", "\ufeff", "\u00ad", "\ufe0f", "\u202e"]
)
def test_invisible_characters_do_not_cut_a_word(character: str) -> None:
    hidden = f"neutral{character}ity"
    assert clean(hidden) == "neutrality"
    assert words(hidden) == ["neutrality"]  # in a thread's text as well
    assert clean(character * 50) == ""


def test_white_space_of_any_kind_becomes_one_space() -> None:
    assert clean("  how\t\tdo \n\n I\u00a0ask\u3000this ") == "how do I ask this"


@relaxed
@given(st.one_of(ANYTHING, WRITING))
@example("<@" * 3_000)
@example("https://" + "a" * 20_000)
@example("\u200b" * 9_000 + "late")
def test_cleaning_never_raises_and_never_exceeds_the_bound(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= MAX_QUESTION
    assert cleaned == cleaned.strip()
    cleaned.encode()  # no half characters are left


def test_a_question_is_read_up_to_its_bound() -> None:
    assert clean("word." * 1_200) == "word." * (MAX_QUESTION // 5)
    assert clean("\u200b" * 1_000 + "word") == "word"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Crème brûlée", ["creme", "brulee"]),
        ("cre\u0300me", ["creme"]),  # the accent as a character of its own
        ("Łódź Ørsted Straße", ["lodz", "orsted", "strasse"]),
        ("İSTANBUL istanbul", ["istanbul", "istanbul"]),
        ("ﬁle ＡＢＣ１２ ①", ["file", "abc12", "1"]),
        ("it's e-mail, isn't it?", ["it", "s", "e", "mail", "isn", "t", "it"]),
        ("error 0x80070005", ["error", "0x80070005"]),
        ("ПРИВЕТ мир", ["привет", "мир"]),
        ("", []),
        ("?!… 👍", []),
    ],
)
def test_words_are_lower_case_and_without_diacritics(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_stems_join_the_forms_of_a_word() -> None:
    assert stems("vote votes voting voted") == ["vote"] * 4
    assert words("vote votes voting voted") == ["vote", "votes", "voting", "voted"]


def test_scripts_without_spaces_are_cut_into_overlapping_pairs() -> None:
    assert words("東京タワー") == ["東京", "京タ", "タワ", "ワー"]
    assert words("go東京go") == ["go", "東京", "go"]
    assert words("京") == ["京"]
    assert set(words("東京")) <= set(words("私は東京に行きます"))


def test_ascii_text_is_left_as_it_is() -> None:
    assert spaced("Plain text, 12!") == "Plain text, 12!"


def test_a_run_that_is_data_is_no_word() -> None:
    assert words("a " + "x" * (LONGEST_WORD + 20) + " b") == ["a", "b"]


@relaxed
@given(st.one_of(ANYTHING, WRITING))
def test_a_text_has_as_many_stems_as_words(text: str) -> None:
    assert len(words(text)) == len(stems(text))


@relaxed
@given(st.one_of(ANYTHING, WRITING))
def test_a_word_of_the_library_reads_as_itself(text: str) -> None:
    for word in words(text):
        assert word == word.lower()
        assert " " not in word
        assert stems(word), f"{word!r} has no stem, but repairs ask for one"


def test_stop_words_are_known_by_their_stems_too() -> None:
    assert {stem for word in STOP_WORDS for stem in stems(word)} == STOP_STEMS
    assert {"doe", "have", "whi"} & STOP_STEMS
