"""Agreement of the documentation with the program: commands, options, settings, links."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import discord
import help_page
import pytest
import typer
from discord import app_commands
from typer.testing import CliRunner

from bot.cli import cli
from bot.settings import Settings, load_settings
from bot.sources import SourceReport, read
from tests.kit.paths import ROOT
from tests.kit.world import World

DOCS = ROOT / "docs"
README = ROOT / "README.md"
SITE = sorted(DOCS.rglob("*.md"))
PAGES = [README, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md")), *SITE]
OPTIONS_PAGE = help_page.PAGE
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


def _names(pages: list[Path]) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in pages]


def _text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def described() -> str:
    """The pages in which hosts read about commands and options, but for the generated one."""
    hosts = (page for page in SITE if page.parent.name == "hosts" and page != OPTIONS_PAGE)
    return "\n".join(page.read_text(encoding="utf-8") for page in hosts)


@pytest.fixture(scope="module")
def example() -> str:
    return (ROOT / ".env.example").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_docs_describe_every_command(described: str, command: str) -> None:
    assert re.search(rf"^## threadwise {command}$", described, re.MULTILINE) or re.search(
        rf"^\$ threadwise {command}\b", described, re.MULTILINE
    ), f"describe `threadwise {command}`"


@pytest.mark.parametrize("option", OPTIONS)
def test_docs_describe_every_option(described: str, option: str) -> None:
    assert re.search(rf"{option}\b", described), f"describe {option}"


def test_the_page_of_options_is_what_help_says() -> None:
    assert _words(OPTIONS_PAGE.read_text(encoding="utf-8")) == _words(help_page.page()), (
        "run python scripts/help_page.py"
    )


def test_the_help_shown_is_what_the_program_says() -> None:
    shown = re.search(r"\$ threadwise --help\n(.*?)```", _text("hosts/command-line.md"), re.DOTALL)
    assert shown
    assert _words(shown[1]) == _words(help_page.help_of())


def test_the_thread_shown_is_what_the_program_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    sample = re.search(
        r"\$ threadwise thread (\S+)\n(.*?)```", _text("hosts/command-line.md"), re.DOTALL
    )
    assert sample
    settings = {"DATA_DIR": str(tmp_path / "data"), "EMBEDDING_MODEL": "off", "TERM": "dumb"}
    runner = CliRunner(env=settings | {"COLUMNS": "88", "TERMINAL_WIDTH": "88"})
    shown = runner.invoke(cli, ["thread", sample[1]])
    assert shown.exit_code == 0
    assert _words(shown.stdout) == _words(sample[2])


@pytest.mark.parametrize("name", SETTINGS)
def test_docs_and_env_example_name_every_setting(example: str, name: str) -> None:
    rows = _setting_rows()
    assert name in rows, f"describe {name} in docs/hosts/settings.md"
    assert re.search(rf"^(# )?{name}=", example, re.MULTILINE), f"explain {name}"


@pytest.mark.parametrize(
    "name", sorted(set(SETTINGS) - {"DISCORD_TOKEN", "DATABASE_URL", "EMBEDDING_MODEL"})
)
def test_docs_show_the_defaults_in_force(name: str) -> None:
    default = Settings.model_fields[name.lower()].default
    if isinstance(default, tuple):
        default = ",".join(default)
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    assert _setting_rows()[name].strip("`") == shown


def test_docs_have_no_unknown_setting() -> None:
    assert sorted(_setting_rows()) == SETTINGS


def test_the_limits_told_to_moderators_are_those_in_force() -> None:
    rows = re.findall(r"^\| ([\d,]+)(?: MB)? \|.*`([A-Z_]+)`", _text("moderators.md"), re.MULTILINE)
    told = {name: int(number.replace(",", "")) for number, name in rows}
    limits = [name for name in SETTINGS if name.startswith("LIBRARY_")]
    assert told == {name: Settings.model_fields[name.lower()].default for name in limits}


def test_the_invitation_asks_for_the_permissions_that_are_named() -> None:
    page = _text("hosts/install.md")
    table = re.findall(r"^\| ([A-Z][\w ]+) \| (?:to|what)\b", page, re.MULTILINE)
    names = {name.lower().replace(" ", "_").replace("channels", "channel") for name in table}
    needed = discord.Permissions(**dict.fromkeys(names, True))
    also = discord.Permissions(**dict.fromkeys(names | {"manage_messages"}, True))
    assert f"permissions={needed.value}\n" in page
    assert f"permissions={needed.value}\n" in README.read_text(encoding="utf-8")
    assert f"The number is then {also.value}." in page


def test_messages_quoted_when_something_is_wrong_are_the_programs() -> None:
    page = _text("hosts/troubleshooting.md")
    quoted = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    quoted += re.findall(r"^`([^`]+)` in the log", page, re.MULTILINE)
    assert len(quoted) > 2
    for message in quoted:
        pieces = re.split(r"…|\b250\b|bot\.module:function", message)
        pattern = ".*".join(re.escape(piece) for piece in pieces)
        assert any(re.search(pattern, text) for text in _strings()), message


async def test_docs_describe_every_command_of_discord(world: World) -> None:
    described = _text("members.md") + _text("moderators.md")
    tree = world.bot.tree
    for command in tree.walk_commands(type=discord.AppCommandType.chat_input):
        if isinstance(command, app_commands.Command):
            assert f"`/{command.qualified_name}`" in described, (
                f"describe /{command.qualified_name}"
            )
    for menu in tree.get_commands(type=discord.AppCommandType.message):
        assert f"**{menu.name}**" in described, f"describe {menu.name}"


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


@pytest.mark.parametrize("page", PAGES, ids=_names(PAGES))
def test_every_command_shown_is_real(page: Path) -> None:
    for line in _shown_commands(page.read_text(encoding="utf-8")):
        words = shlex.split(line, comments=True)
        options = {word.split("=")[0] for word in words if word.startswith("--")}
        if len(words) == 1 or words[1].startswith("-"):
            continue
        assert words[1] in COMMANDS, line
        known = {o for parameter in COMMANDS[words[1]].params for o in parameter.opts}
        assert options <= known | {"--help"}, line


def test_some_commands_are_shown() -> None:
    for name in ("hosts/command-line.md", "hosts/import-export.md", "hosts/backup.md"):
        assert list(_shown_commands(_text(name))), name
    assert list(_shown_commands(README.read_text(encoding="utf-8")))


def test_the_threads_shown_are_read(tmp_path: Path) -> None:
    keys: dict[str, list[str]] = {}
    for form, suffix in {"text": "txt", "markdown": "md", "json": "jsonl"}.items():
        (example,) = re.findall(rf"```{form}\n(.*?)\n```", _text("hosts/formats.md"), re.DOTALL)[:1]
        file = tmp_path / f"balcony.{suffix}"
        file.write_text(example, encoding="utf-8")
        report = SourceReport()
        keys[form] = [thread.key for thread in read(file, report) if thread.answers]
        assert report.rejected == []
    assert keys == {
        "text": ["balcony"],
        "markdown": ["balcony#how-often-should-i-water-tomatoes-in-pots"],
        "json": ["loan-time"],
    }


def test_the_file_shown_to_moderators_is_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```text\n(.*?)\n```", _text("moderators.md"), re.DOTALL)
    (tmp_path / "dairy.txt").write_text(example, encoding="utf-8")
    report = SourceReport()
    (thread,) = read(tmp_path / "dairy.txt", report)
    assert (len(thread.answers), report.rejected) == (2, [])


def test_every_make_target_shown_is_real() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    command = re.compile(r"(?:^|`|[$&] )make ([a-z-]+)", re.MULTILINE)
    shown = [(page, t) for page in PAGES for t in command.findall(_code(page.read_text("utf-8")))]
    assert {target for _, target in shown} >= {"run", "test", "bench"}
    for page, target in shown:
        assert target in targets, f"{page.name}: make {target}"


def test_every_make_target_has_a_help_text() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    for target in phony[1].split():
        assert re.search(rf"^{target}:.* ## \S", makefile, re.MULTILINE), target


@pytest.mark.parametrize("page", PAGES, ids=_names(PAGES))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = _without_code(page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            name, _, anchor = target.partition("#")
            file = page.parent / name if name else page
            assert file.exists(), target
            assert not anchor or anchor in _anchors(file.read_text(encoding="utf-8")), target


def test_links_of_the_site_stay_inside_it() -> None:
    for page in SITE:
        for target in re.findall(
            r"\]\(([^)\s:#]+)", _without_code(page.read_text(encoding="utf-8"))
        ):
            assert (page.parent / target).resolve().is_relative_to(DOCS), f"{page.name}: {target}"


def test_pages_are_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200
    for page in SITE:
        assert len(page.read_text(encoding="utf-8").splitlines()) < 400, page.name


def test_every_page_is_in_the_navigation() -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    listed = sorted(_leaves(config["project"]["nav"]))
    assert listed == sorted(page.relative_to(DOCS).as_posix() for page in SITE)


def test_contributors_are_told_of_every_script() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for script in (ROOT / "scripts").glob("*.py"):
        assert f"| `{script.name}`" in contributing, f"describe scripts/{script.name}"


def test_every_package_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(entry for extra in extras for entry in extra)]
    names = {re.split(r"[\[<>=]", entry)[0] for entry in wanted} - {"threadwise"}
    page = _text("developers/packages.md").lower()
    missing = {name for name in names if not re.search(rf"\b{re.escape(name)}\b", page)}
    assert missing == set()


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


@cache
def _strings() -> list[str]:
    """Return every string of the program, with spaces for what is filled in."""
    strings = list[str]()
    for folder in ("bot", "cogs"):
        for module in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = (v.value if isinstance(v, ast.Constant) else " " for v in node.values)
                    strings.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    strings.append(node.value)
    return strings


def _setting_rows() -> dict[str, str]:
    """Return the default that the settings page shows, by the setting's name."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", _text("hosts/settings.md"), re.MULTILINE)
    return dict(rows)


def _words(text: str) -> list[str]:
    """Return the words of a text without the boxes that terminals draw around it."""
    return re.sub(r"[─-╿]", " ", text).split()


def _leaves(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for entry in nav.values() if isinstance(nav, dict) else nav:
            yield from _leaves(entry)


def _code(text: str) -> str:
    """Return the text in fences and backticks; prose may say "make sure"."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


def _without_code(text: str) -> str:
    return re.sub(r"^( *)```.*?^\1```", "", text, flags=re.DOTALL | re.MULTILINE)


def _shown_commands(text: str) -> Iterator[str]:
    for block in re.findall(r"```(?:sh|console|bash|shell)\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            match = re.match(r"(?:\$ )?(?:.*\| )?((?:threadwise|python -m bot)\b.*)", line.strip())
            if match:
                yield (
                    match[1].replace("python -m bot", "threadwise").split(" | ")[0].split(" > ")[0]
                )


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", _without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
