import ast
import re
from pathlib import Path

import pytest

from bot.errors import counted
from tests.kit.paths import ROOT

COUNTED_BY_HAND = re.compile(r"\*{0,2} (?:more |other |different |new )*[a-z]+s\b")
NO_NOUNS = re.compile(
    r" (?:is|was|has|its|this|as|does|needs|holds|lies|ms|fails|gives|tells|waits)\b"
)


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("threads", "1 thread"),
        ("threads of its own", "1 thread of its own"),
        ("other answers", "1 other answer"),
        ("more were not accepted", "1 more was not accepted"),
        ("more such lines were left out", "1 more such line was left out"),
        ("threads that are new here", "1 thread that is new here"),
        ("threads have vectors", "1 thread has vectors"),
        ("sums of votes, which only members give", "1 sum of votes, which only members give"),
        ("values of 'are' that belong to no answer", "1 value of 'are' that belongs to no answer"),
        ("files that end in .png", "1 file that ends in .png"),
        ("pages without a question", "1 page without a question"),
        ("sections whose heading is no question", "1 section whose heading is no question"),
    ],
)
def test_one_is_singular_and_anything_else_plural(plural: str, one: str) -> None:
    assert counted(1, plural) == one
    assert counted(0, plural) == f"0 {plural}"
    assert counted(1_234, plural) == f"1,234 {plural}"


def _labels() -> list[str]:
    """Everything that readers of files pass over, as they name it."""
    found = []
    for file in sorted((ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "pass_over":
                found += [c.value for c in ast.walk(node.args[0]) if isinstance(c, ast.Constant)]
    return [label for label in found if isinstance(label, str) and " " in label]


def test_labels_of_what_is_passed_over_have_a_singular() -> None:
    labels = _labels()

    assert len(labels) > 8
    for label in labels:
        assert counted(1, label) != f"1 {label}" or label.startswith(" that"), label


def _counted_by_hand(file: Path) -> list[str]:
    """The texts for people in which a plural follows a number that may be one."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            for number, text in zip(node.values, node.values[1:], strict=False):
                if not isinstance(number, ast.FormattedValue) or not isinstance(text, ast.Constant):
                    continue
                said = str(text.value)
                if COUNTED_BY_HAND.match(said) and not NO_NOUNS.match(said):
                    found.append(f"{file.name}: {ast.unparse(node)}")
    return found


def test_nothing_on_the_command_line_and_on_cards_is_counted_by_hand() -> None:
    files = [*(ROOT / "bot" / "cli").glob("*.py"), *(ROOT / "bot" / "ui").glob("*.py")]
    files += [*(ROOT / "cogs").rglob("*.py")]

    assert [text for file in files for text in _counted_by_hand(file)] == []
