"""``import`` of Stack Exchange dumps: which threads, what is told, and what goes again."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from bot.cli import console
from tests.kit.command_line import Threadwise
from tests.kit.dumps import answer, put, question

POSTS = [
    question(1, "How do I prune a pear?", Score=4, Tags="<pears>"),
    answer(2, 1),
    question(3, "Why are figs sweet?", Score=-1, Tags="<figs>"),
    {"Id": 4, "PostTypeId": 5},
]


def figures(text: str) -> dict[str, int]:
    return {name: int(number) for name, number in (line.split() for line in text.splitlines())}


def test_a_dump_is_imported_and_asked(threadwise: Threadwise, home: Path) -> None:
    put(home / "garden", POSTS)
    result = threadwise("import", "garden", "--site", "garden.example.org")
    assert result.exit_code == 0, result.output
    assert figures(result.stdout) == {"added": 2, "updated": 0, "unchanged": 0, "rejected": 0}
    assert result.stderr == "passed over: 1 tag wiki\n"
    shown = threadwise("thread", "garden.example.org/1").stdout
    assert "How do I prune a pear?" in shown
    assert figures(threadwise("import", "garden", "--site", "garden.example.org").stdout) == {
        "added": 0,
        "updated": 0,
        "unchanged": 2,
        "rejected": 0,
    }


@pytest.mark.parametrize(
    ("options", "added", "passed_over"),
    [
        (["--min-score", "0"], 1, 1),
        (["--min-score", "-1"], 2, 0),
        (["--tag", "figs"], 1, 1),
        (["--tag", "figs", "--tag", "pears"], 2, 0),
        (["--limit", "1"], 1, 0),
    ],
)
def test_threads_can_be_left_out(
    threadwise: Threadwise, home: Path, options: list[str], added: int, passed_over: int
) -> None:
    result = threadwise("import", put(home / "garden", POSTS), *options)
    assert figures(result.stdout)["added"] == added
    told = f"passed over: {passed_over} thread that the options leave out\n"
    assert (told in result.stderr) == bool(passed_over)


def test_what_is_gone_is_retired_and_told(threadwise: Threadwise, home: Path) -> None:
    threadwise("import", put(home / "garden", POSTS))
    result = threadwise("import", put(home / "garden", POSTS[:2]), "--prune")
    assert result.exit_code == 0
    assert figures(result.stdout) == {
        "added": 0,
        "updated": 0,
        "unchanged": 1,
        "retired": 1,
        "rejected": 0,
    }
    assert threadwise("thread", "garden/3").exit_code == 1


def test_nothing_is_retired_after_a_refusal(threadwise: Threadwise, home: Path) -> None:
    threadwise("import", put(home / "garden", POSTS))
    result = threadwise("import", put(home / "garden", [*POSTS[:2], answer(9, 77)]), "--prune")
    assert result.exit_code == 1
    first, _, second = result.stderr.splitlines()
    assert first.endswith("Posts.xml, line 5: the question 77 of answer 9 is not in the dump")
    assert second.startswith("warning: nothing is retired")
    assert figures(result.stdout)["retired"] == 0


def test_pruning_a_part_is_wrong_usage(threadwise: Threadwise, home: Path) -> None:
    result = threadwise("import", put(home / "garden", POSTS), "--prune", "--min-score", "1")
    assert result.exit_code == 2
    assert "leave one of the two out" in result.stderr


def test_a_site_that_is_none_is_wrong_usage(threadwise: Threadwise, home: Path) -> None:
    result = threadwise("import", put(home / "garden", POSTS), "--site", "a garden")
    assert result.exit_code == 2
    assert "is not a site's name" in result.stderr


def test_of_many_problems_the_first_are_named(threadwise: Threadwise, home: Path) -> None:
    posts = [*POSTS, *(answer(n, 77) for n in range(100, 300))]
    posts += [question(n, AcceptedAnswerId=5) for n in range(400, 600)]
    result = threadwise("import", put(home / "garden", posts))
    lines = result.stderr.splitlines()
    assert len(lines) < 50
    assert sum("not in the dump" in line for line in lines) == 21
    assert any(line.endswith("Posts.xml: 179 more were not accepted") for line in lines)
    assert any(line.endswith("Posts.xml: 179 more such warnings") for line in lines)
    assert figures(result.stdout) == {"added": 202, "updated": 0, "unchanged": 0, "rejected": 200}


def test_progress_shows_stage_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(
        console, "err", lambda: Console(file=screen, force_terminal=True, width=120)
    )
    stages = iter([("Reading x", 5, 10), ("Importing", 0, 400), ("Importing", 100, 400)])
    with console.staged_progress("Importing threads", lambda: next(stages)) as advance:
        for more in (0, 0, 100):
            advance(more)
    shown = screen.getvalue()
    assert "Importing" in shown
    assert "25%" in shown
    assert "100 threads, 1,000/s" in shown  # after a tenth of a second at most
