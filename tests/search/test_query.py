"""The reading of questions: words joined, parted, begun and mended; and what is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.models import SHARED
from bot.search.engine import Engine
from tests.kit.search import engine_with, numbered, thread

TITLES = (
    "How do I turn on slow mode?",  # t1
    "Where do I paste the webhook address?",
    "Who may change the configuration file?",
    "Why does the cafeteria close at noon?",
    "What does error E1187 mean?",  # t5
    "Is there anything new in version 2.10.3?",
    "Does Zhukow have an office here?",
    "How long is the receipt valid?",
    "为什么机器人没有回答我的问题",
    "スレッドを固定するにはどうすればいいですか",  # t10
)
CALENDARS = [f"How do I reset calendar {n} of a friend?" for n in range(30)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    threads = [*numbered(TITLES), *numbered(CALENDARS, start=50)]
    return engine_with(tmp_path_factory.mktemp("reading") / "index", threads)


def nothing(word: str) -> bool:
    """A model that has learnt no words."""
    return False


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("slowmode", "t1"),  # run together
        ("how do I enable slowmode", "t1"),
        ("web hook adress", "t2"),  # taken apart
        ("config", "t3"),  # begun
        ("cafetería", "t4"),
        ("CAFÉTÉRIA", "t4"),
        ("reciept", "t8"),  # two letters swapped
        ("receitp", "t8"),
        ("error e1187", "t5"),
        ("2.10.3", "t6"),
        ("zhukow", "t7"),
        ("机器人不回答", "t9"),
        ("固定したい スレッド", "t10"),
    ],
)
def test_what_was_meant_is_found(engine: Engine, question: str, key: str) -> None:
    assert engine.search(question, 0, 5)[0].key == key


@pytest.mark.parametrize(
    ("question", "corrected"),
    [
        ("turn on slowmode!", "turn on slow mode!"),
        ("Where is my reciept, please?", "Where is my receipt, please?"),
        ("RECIEPT", "receipt"),
        ("reset teh calendra", "reset teh calendar"),
    ],
)
def test_slips_are_put_right_before_a_model_reads_them(
    engine: Engine, question: str, corrected: str
) -> None:
    assert engine.retrieve(question, SHARED)[0].corrected(nothing) == corrected


@pytest.mark.parametrize(
    "question",
    [
        "error E1187",
        "error E1188",  # near to another code, and not it
        "version 2.10.4",
        "Zhukow and his zhukow_config.py",
        "Where do I paste the webhook?",
        "The CAFETERIA is closed",
        "cafetería",
        "config",
        "web hook",
        "机器人不回答",
        "https, ftp & co.: what's new?",
        "",
    ],
)
def test_nothing_else_is_changed_before_a_model_reads_it(engine: Engine, question: str) -> None:
    assert engine.retrieve(question, SHARED)[0].corrected(nothing) == question


@pytest.mark.parametrize("word", ["slowmode", "reciept"])
def test_a_word_that_the_model_knows_is_left_to_it(engine: Engine, word: str) -> None:
    knows: Callable[[str], bool] = {word}.__contains__
    assert engine.retrieve(f"about {word}", SHARED)[0].corrected(knows) == f"about {word}"
    assert engine.retrieve(f"about {word}", SHARED)[0].corrected(nothing) != f"about {word}"


def test_markup_is_no_part_of_what_a_model_reads(engine: Engine) -> None:
    question = "<@123> turn on\nslowmode <:sad:123456789012345678> https://example.org/x"
    assert engine.retrieve(question, SHARED)[0].corrected(nothing) == "turn on slow mode"


def test_a_long_word_that_has_a_slip_is_not_taken_apart(tmp_path: Path) -> None:
    titles = ["Is the calendar shared?", "A cal and an endar", "What is endra?"]
    engine = engine_with(tmp_path / "index", numbered(titles))
    assert engine.retrieve("calendra", SHARED)[0].corrected(nothing) == "calendar"


def test_a_rare_word_of_the_library_stays_beside_common_ones(tmp_path: Path) -> None:
    common = numbered([f"How do I update driver {n}?" for n in range(60)])
    engine = engine_with(tmp_path / "index", [*common, thread(99, "What is a drivel?")])
    assert engine.retrieve("drivel", SHARED)[0].corrected(nothing) == "drivel"
    assert engine.search("what is drivel", 0, 3)[0].key == "t99"
