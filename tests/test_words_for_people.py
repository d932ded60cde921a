"""What people read in Discord comes from catalogues: no words of ours stand beside them.

Found are texts of several words anywhere in the modules that speak to people, and single words
where Discord shows them, unless they are marked for translation.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from messages import marked

from tests.kit.paths import ROOT

MARKED = frozenset({"_", "N_", "gettext", "ngettext"})

SHOWN = frozenset({"title", "label", "placeholder", "description", "content", "heading"})
"""Arguments that Discord shows."""

SAYING = frozenset({"button", "tell", "say", "Card", "set_author", "set_footer", "add_field"})
"""Functions whose arguments Discord shows."""

NOT_FOR_PEOPLE = {
    **dict.fromkeys("debug info warning warn error exception".split(), "the log"),
    **dict.fromkeys("retried _stored post".split(), "names in the log what is tried"),
    **dict.fromkeys(("spawn", "Thread", "ThreadPoolExecutor"), "names of tasks"),
    **dict.fromkeys("RuntimeError StoreError StoreBusy".split(), "faults, for the host"),
    **dict.fromkeys("compile fullmatch search sub split".split(), "patterns"),
    "ChannelHidden": "what the log says of a channel",
    "MalformedReply": "what the log says of a reply of Discord's",
}
"""Functions that show people nothing of their arguments, and what these are."""

TOGETHER = "client replies guild_settings settings_commands".split()

SPEAKING = [
    *(ROOT / "cogs").rglob("*.py"),
    *(ROOT / "bot" / "ui").glob("*.py"),
    *(
        ROOT / "bot" / name
        for name in (
            "client.py",
            "error_replies.py",
            "replies.py",
            "guild_settings.py",
            "settings_commands.py",
        )
    ),
]
"""Modules in which every text is looked at."""


RAISING = sorted(
    file
    for file in (ROOT / "bot" / "services").glob("*.py")
    if file.name != "import_reader.py"  # the terminal alone imports so
)
"""Modules of which the errors are looked at that members are told."""

TOLD = frozenset({"NotFound", "Refused", "Stopped", "NothingRemoved", "VoteRefused", "InputError"})

EXCEPTIONS = {
    ("events.py", "emoji cleared"),  # the name of a kind of events
    ("import_task.py", "library import"),  # of a command, for the log
    ("discord_reader.py", "{}: a permission is missing"),  # for the log
    ("discord_reader.py", "name"),  # of a field of Discord's
    ("cog.py", "{}\n```\nthreadwise export --guild {} library.jsonl.gz\n```"),  # the terminal's
}
"""Texts that are no words for people, by file."""

_SEVERAL = re.compile(r"[^\W\d_]\S*\s+(?:\S*\s+)*?\S*[^\W\d_]")
_FIELD = re.compile(r"\{\w*\}")
_FOR_LOG = re.compile(r"%[ds]\b|%s$")
_ID = re.compile(r"^[a-z]+:\S")  # of a button or menu
_WORD = re.compile(r"[^\W\d_]{2,}")


def called(node: ast.AST) -> str:
    """Return the name of the function that a call calls."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))


def words(tree: ast.Module, *, errors_only: bool = False) -> Iterator[tuple[int, str]]:
    """Yield line and text of the words for people that are not marked for translation."""
    stack: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(tree, ())]
    while stack:
        node, above = stack.pop()
        if isinstance(node, ast.Constant | ast.JoinedStr):
            text = _text(node)
            if _is_for_people(text, above, errors_only=errors_only):
                yield node.lineno, text
        skipped = isinstance(node, ast.JoinedStr) or called(node) in MARKED
        skipped |= isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # docstring
        for child in ast.iter_child_nodes(node):
            if not skipped or isinstance(child, ast.FormattedValue):
                stack.append((child, (*above, node)))


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    parts = [node] if isinstance(node, ast.Constant) else node.values
    text = "".join(
        part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "{}"
        for part in parts
    )
    return _FIELD.sub("{}", text)


def _is_for_people(text: str, above: tuple[ast.AST, ...], *, errors_only: bool) -> bool:
    calls = [called(node) for node in above if isinstance(node, ast.Call)]
    if any(name in NOT_FOR_PEOPLE for name in calls):
        return False
    if errors_only and not (calls and calls[-1] in TOLD):
        return False
    if _FOR_LOG.search(text):
        return False
    if _SEVERAL.search(text):
        return True
    argument = next((n.arg for n in reversed(above) if isinstance(n, ast.keyword)), None)
    if not _WORD.search(text) or _ID.search(text):
        return False
    return argument in SHOWN or bool(calls and calls[-1] in SAYING)


def outside(file: Path, *, errors_only: bool = False) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [
        f"{file.relative_to(ROOT)}:{line}: {text!r}"
        for line, text in sorted(words(tree, errors_only=errors_only))
        if (file.name, text) not in EXCEPTIONS
    ]


def test_no_words_for_people_stand_outside_the_catalogues() -> None:

    assert [found for file in SPEAKING for found in outside(file)] == []


def test_no_error_that_members_are_told_stands_outside_the_catalogues() -> None:
    assert [found for file in RAISING for found in outside(file, errors_only=True)] == []


@pytest.mark.parametrize(
    "code",
    [
        "GONE = 'It is gone.'",
        "say(f'It is {gone}.')",
        "embed.set_footer(text='Gone')",
        "Embed(title='Gone')",
        "button('Back', custom_id)",
        "_('It is {when} gone.').format(when=f'since {then} or so')",
    ],
)
def test_words_are_found(code: str) -> None:
    assert list(words(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "'''Say that it is gone.'''",
        "GONE = N_('It is gone.')",
        "say(_('It is {gone}.').format(gone=gone))",
        "log.info('it is gone: %s', error)",
        "embed.set_footer(text=f'{a} · {b}')",
        "button(label, f'tw:back:{place}')",
        "MODE = 'questions'",
    ],
)
def test_what_is_marked_or_not_for_people_is_not_found(code: str) -> None:
    assert not list(words(ast.parse(code)))


def test_what_is_marked_is_one_text_without_values_in_it() -> None:
    for file in [*(ROOT / "cogs").rglob("*.py"), *(ROOT / "bot").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and called(node) in MARKED and node.args:
                assert not isinstance(node.args[0], ast.JoinedStr), f"{file.name}:{node.lineno}"


def test_marks_are_found_also_within_braces() -> None:
    code = "f\"{_('Gone.')}\"; N_('Here ' 'and there.'); ngettext('a', 'b', 1); _(GONE); other('x')"

    assert list(marked(ast.parse(code))) == ["Gone.", "Here and there.", ("a", "b")]
