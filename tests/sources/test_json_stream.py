"""JSON read part by part says what it says as a whole, wherever the text is cut into pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources import json_stream
from bot.sources.json_stream import JsonError, JsonStream
from tests.kit.growth import check_linear

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)


def pieces(text: str, cuts: list[int]) -> Iterator[str]:
    at = 0
    for cut in (*cuts, len(text)):
        yield text[at : at + cut]
        at += cut
    yield text[at:]


def read(text: str, cuts: list[int]) -> dict[str, Any]:
    stream = JsonStream(pieces(text, cuts))
    found: dict[str, Any] = {}
    for key in stream.members():
        found[key] = list(stream.items()) if key == "items" else stream.value()
    return found


@given(
    st.dictionaries(st.text(), values, max_size=3),
    st.lists(values, max_size=4),
    st.lists(st.integers(0, 9), max_size=40),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_pieces_say_what_the_whole_says(
    members: dict[str, Any], items: list[Any], cuts: list[int], indent: int | None, ascii_: bool
) -> None:
    value = {**members, "items": items}
    assert read(json.dumps(value, indent=indent, ensure_ascii=ascii_), cuts) == value


def test_a_number_may_be_cut_anywhere() -> None:
    text = '{"items": [1.5e+10, -2E-3, 0.25, 7]}'
    for cut in range(len(text)):
        assert read(text, [cut]) == json.loads(text)


@given(st.lists(values, max_size=4), st.data())
def test_a_text_that_breaks_off_is_never_taken_for_whole(items: list[Any], data: Any) -> None:
    text = json.dumps({"items": items, "more": 1}, indent=1)
    end = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(JsonError, match=r"breaks off|expecting"):  # of "1.5", a "1" is whole
        read(text[:end], data.draw(st.lists(st.integers(0, 9), max_size=20)))


@pytest.mark.parametrize(
    ("text", "why", "line"),
    [
        ("[]", "expecting '{'", 1),
        ('{\n"a" 1}' + " " * 40, "expecting ':'", 2),
        ('{"a": 1\n\n"b": 2}' + " " * 40, "expecting '}'", 3),
        ('{"a": [1\n 2]}' + " " * 40, "delimiter", 2),
        ('{"items": [1\n 2]}' + " " * 40, "expecting ']'", 2),
        ('{"a": NaN}', "NaN is not a number that JSON has", 1),
        ('{"a": "\n"}' + " " * 40, "Invalid control character", 1),
        ('{"a": ' + "9" * 5_000 + "}", "too many digits", 1),
        ('{"a": ' + "[" * 200_000 + "]" * 200_000 + "}", "nested too deeply", 1),
        ("{1: 2}", "a key must be text", 1),
        ('{"a": 1}\n{"a": 2}', "follows the end", 2),
        ("", "breaks off", 1),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_is_no_json_is_named_with_its_line(text: str, why: str, line: int) -> None:
    with pytest.raises(JsonError, match=why) as raised:
        read(text, [])
    assert raised.value.line == line


def test_a_value_without_an_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "MAX_LINE_BYTES", 2 * 1024**2)
    read_so_far = 0

    def endless() -> Iterator[str]:
        nonlocal read_so_far
        yield '{"a": "'
        while True:
            read_so_far += 65_536
            yield "x" * 65_536

    stream = JsonStream(endless())
    with pytest.raises(JsonError, match="over 2 MB long"):
        [stream.value() for _ in stream.members()]
    assert read_so_far < 10 * 1024**2


def test_reading_takes_time_in_proportion() -> None:
    def many(size: int) -> None:
        text = json.dumps({"items": [{"text": "word " * 20}] * size}, indent=1)
        read(text, [7_000] * (len(text) // 7_000))

    def long(size: int) -> None:
        text = json.dumps({"a": "word " * 100 * size})
        read(text, [7_000] * (len(text) // 7_000))

    check_linear(many, 4_000)
    check_linear(long, 4_000)
