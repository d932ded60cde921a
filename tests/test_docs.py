"""What is written for people agrees with the program: commands, options, settings, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import cli
from bot.settings import Settings, load_settings
from bot.sources import SourceReport, read
from tests.kit.paths import ROOT

README = ROOT / "README.md"
PAGES = [README, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md"))]
SETTINGS = sorted(name.upper() for name in Settings.model_fields)
COMMANDS: dict[str, Any] = typer.main.get_command(cli).commands  # type: ignore[attr-defined]
OPTIONS = sorted(
    {
        option
        for command in COMMANDS.values()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help"
    }
)


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def example() -> str:
    return (ROOT / ".env.example").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_readme_names_every_command(readme: str, command: str) -> None:
    assert re.search(rf"threadwise {command}\b", readme), f"describe `threadwise {command}`"


@pytest.mark.parametrize("option", OPTIONS)
def test_readme_names_every_option(readme: str, option: str) -> None:
    assert re.search(rf"{option}\b", readme), f"describe {option}"


@pytest.mark.parametrize("name", SETTINGS)
def test_readme_and_env_example_name_every_setting(readme: str, example: str, name: str) -> None:
    assert re.search(rf"\b{name}\b", readme), f"describe {name}"
    assert re.search(rf"^(# )?{name}=", example, re.MULTILINE), f"explain {name}"


def test_env_example_has_no_unknown_setting(example: str) -> None:
    assert sorted(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)) == SETTINGS


def test_env_example_explains_each_setting(example: str) -> None:
    lines = example.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"(# )?[A-Z_]+=", line):
            before = lines[number - 1]
            assert re.match(r"# .*[a-z]{3}", before) or re.match(r"# [A-Z_]+=", before), line


def test_env_example_shows_the_defaults(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    defaults = load_settings()
    spoken = re.sub(r"^# (?=[A-Z_]+=)", "", example, flags=re.MULTILINE)
    (tmp_path / ".env").write_text(spoken, encoding="utf-8")
    shown = load_settings()
    assert shown.database == defaults.database
    assert shown.model_copy(update={"database_url": ""}) == defaults


def test_env_example_works_when_copied_as_it_is(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    (tmp_path / ".env").write_text(example, encoding="utf-8")
    assert load_settings().discord_token is None


def test_every_command_shown_in_the_readme_is_real(readme: str) -> None:
    shown = list(_shown_commands(readme))
    assert shown, "show some commands"
    for line in shown:
        words = shlex.split(line, comments=True)
        options = {word.split("=")[0] for word in words if word.startswith("--")}
        if len(words) == 1 or words[1].startswith("-"):
            continue
        assert words[1] in COMMANDS, line
        known = {o for parameter in COMMANDS[words[1]].params for o in parameter.opts}
        assert options <= known | {"--help"}, line


def test_the_threads_shown_in_the_readme_are_read(readme: str, tmp_path: Path) -> None:
    found: dict[str, list[str]] = {}
    for form, suffix in {"text": "txt", "markdown": "md", "json": "jsonl"}.items():
        section = readme[readme.index("## Your own threads") :]
        (example,) = re.findall(rf"```{form}\n(.*?)\n```", section, re.DOTALL)[:1]
        file = tmp_path / f"balcony.{suffix}"
        file.write_text(example, encoding="utf-8")
        report = SourceReport()
        found[form] = [thread.key for thread in read(file, report) if thread.answers]
        assert report.rejected == []
    assert found == {
        "text": ["balcony"],
        "markdown": ["balcony#how-often-should-i-water-tomatoes-in-pots"],
        "json": ["loan-time"],
    }


def test_every_make_target_shown_is_real(readme: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"`?make ([a-z]+)", _code(page.read_text(encoding="utf-8"))):
            assert target in targets, f"{page.name}: make {target}"


def test_every_make_target_has_a_help_text() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    for target in phony[1].split():
        assert re.search(rf"^{target}:.* ## \S", makefile, re.MULTILINE), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            assert (page.parent / file).exists() if file else anchor in _anchors(text), target


def test_every_command_and_option_explains_itself() -> None:
    for name, command in COMMANDS.items():
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_flags_take_no_value_in_the_help() -> None:
    runner = CliRunner(env={"COLUMNS": "100", "TERM": "dumb"})
    for command in ["", *COMMANDS]:
        shown = runner.invoke(cli, [*command.split(), "--help"])
        assert "--help" in shown.stdout
        assert "bool" not in shown.stdout, command


def _code(text: str) -> str:
    """What stands in fences and backticks; prose may say "make sure"."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


def _shown_commands(text: str) -> Iterator[str]:
    for block in re.findall(r"```(?:sh|console|bash|shell)\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            match = re.match(r"(?:\$ )?(?:.*\| )?((?:threadwise|python -m bot)\b.*)", line.strip())
            if match:
                yield (
                    match[1].replace("python -m bot", "threadwise").split(" | ")[0].split(" > ")[0]
                )


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
