"""The locks in requirements/, and what ``make outdated`` says of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lock
import outdated
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAMES = (*lock.LOCKS, "tools")
RENEW = "make lock renews the locks"


def text_of(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def entries(name: str) -> dict[str, list[Requirement]]:
    """Return what a lock pins, by packages: most have one version for every system."""
    found = dict[str, list[Requirement]]()
    for line in re.sub(r"\\\n", " ", text_of(name)).splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            assert "--hash=sha256:" in line, f"{name}: {line}"
            pinned = Requirement(line.partition("--hash")[0])
            found.setdefault(canonicalize_name(pinned.name), []).append(pinned)
    return found


def demanded(extras: tuple[str, ...]) -> Iterator[Requirement]:
    """Yield what the project demands with these extras, those that they name included."""
    known = PROJECT["project"]["optional-dependencies"]
    yield from map(Requirement, PROJECT["project"]["dependencies"])
    for extra in extras:
        for requirement in map(Requirement, known[extra]):
            if requirement.name == "threadwise":
                yield from demanded(tuple(requirement.extras))
            else:
                yield requirement


def sources(name: str) -> Iterator[Requirement]:
    file = "tools.in" if name == "tools" else "build.in"
    for line in (ROOT / "requirements" / file).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield Requirement(line)
    if name in lock.LOCKS:
        yield from demanded(lock.LOCKS[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_has_a_version_of_all_that_is_demanded(name: str) -> None:
    pinned = entries(name)
    for requirement in sources(name):
        versions = pinned.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not in {name}.txt: {RENEW}"
        for version in versions:
            (only,) = version.specifier
            assert only.operator == "=="
            assert requirement.specifier.contains(only.version), f"{requirement}: {RENEW}"


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_names_no_index(name: str) -> None:
    assert "://" not in text_of(name)
    options = re.findall(r"(?<!\S)--[\w-]+", text_of(name))
    assert set(options) == {"--hash"}


@pytest.mark.parametrize("name", [name for name in lock.LOCKS if name != "dev"])
def test_a_package_has_the_same_version_in_every_lock(name: str) -> None:
    first = entries("dev")
    for package, pinned in entries(name).items():
        if package in first:
            assert {str(p.specifier) for p in pinned} <= {str(p.specifier) for p in first[package]}


def test_the_package_itself_is_built_by_what_is_locked() -> None:
    assert set(PROJECT["build-system"]["requires"]) <= {str(r) for r in sources("words")}


def test_packages_with_newer_versions_are_listed() -> None:
    package = {"name": "lxml", "version": "6.0", "latest_version": "6.1"}
    assert outdated.newer([package]) == "Outdated in .venv: 1\n  lxml 6.0, newest 6.1"


def test_known_vulnerabilities_are_listed_and_what_is_not_known_is_counted() -> None:
    flaw = {"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"]}
    packages: list[dict[str, Any]] = [
        {"name": "one", "version": "2.0", "vulns": [flaw, {"id": "PYSEC-2", "fix_versions": []}]},
        {"name": "two", "version": "1.0", "vulns": []},
        {"name": "three", "skip_reason": "not found"},
    ]
    text, found = outdated.vulnerable(packages)
    assert found
    assert text.splitlines() == [
        "Packages looked up for known vulnerabilities: 2, found: 2",
        "  one 2.0: PYSEC-1, mended in 2.1, 3.0",
        "  one 2.0: PYSEC-2, not mended yet",
        "Packages of which the index doesn't tell: 1",
    ]
    assert outdated.vulnerable(packages[1:]) == (
        "Packages looked up for known vulnerabilities: 1, found: 0\n"
        "Packages of which the index doesn't tell: 1",
        False,
    )
