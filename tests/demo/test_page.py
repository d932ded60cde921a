"""The demo's page shows what Discord would."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from simcord.preview import _markdown

from bot.demo.page import dress_page


@pytest.mark.parametrize("part", ["embed_description", "embed_field_value"])
def test_a_channel_that_an_embed_mentions_is_shown_by_name(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setitem(_markdown._FIELD_POLICIES, part, {**_markdown._FIELD_POLICIES[part]})
    dress_page(cast(Any, SimpleNamespace(_server=SimpleNamespace(_static=None))))
    tokens = _markdown.markdown_tokens("<#5>: x", part, context={"channels": {"5": "ask"}})
    assert _markdown.markdown_summary(tokens) == "#ask: x"
