"""What is known of recent messages is bounded, in number and in time."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from cogs.ask import recent_messages
from cogs.ask.recent_messages import PROXY_SECONDS, RecentMessages


def message(message_id: int, said: str = "how do I vote?", channel_id: int = 1) -> Any:
    channel = SimpleNamespace(id=channel_id, type=discord.ChannelType.text, _state=None)
    return SimpleNamespace(
        id=message_id,
        content=said,
        channel=channel,
        author="alice",
        reference=None,
        message_snapshots=[],
    )


def test_texts_of_other_channels_are_not_compared():
    recent = RecentMessages()
    recent.note(message(1))
    elsewhere = message(2, channel_id=2)
    del elsewhere.content
    assert not recent.replaces_deleted(elsewhere)
    assert recent.proxy_of(1) is None


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Hold the monotonic clock at what stands in a list."""
    at = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: at[0])
    return at


@pytest.fixture
def recent(monkeypatch: pytest.MonkeyPatch) -> RecentMessages:
    """Recent messages of which three are known at most, and two deleted ones."""
    monkeypatch.setattr(recent_messages, "MESSAGES", 3)
    monkeypatch.setattr(recent_messages, "DELETED", 2)
    return RecentMessages()


def test_the_newest_are_known(recent: RecentMessages) -> None:
    for message_id in range(5):
        recent.note(message(message_id))
    assert [recent.get(i) is not None for i in range(5)] == [False, False, True, True, True]


def test_replies_are_forgotten_with_their_messages(recent: RecentMessages) -> None:
    recent.note(message(1))
    recent.replied(1, message(11))
    recent.touch(11)
    seen = recent.get(1)
    assert seen is not None
    assert seen.touched
    for message_id in (2, 3, 4):
        recent.note(message(message_id))
    recent.touch(11, voted=True)
    assert not seen.voted


def test_the_newest_deleted_ones_are_known(recent: RecentMessages) -> None:
    for message_id in range(3):
        recent.delete(message_id)
    assert [recent.is_deleted(i) for i in range(3)] == [False, True, True]


def test_texts_are_kept_for_some_seconds(recent: RecentMessages, now: list[float]) -> None:
    for seconds, known in ((PROXY_SECONDS - 1, True), (PROXY_SECONDS + 1, False)):
        recent.note(message(1))
        recent.delete(1)
        now[0] += seconds
        assert recent.replaces_deleted(message(30)) is known


def test_a_message_that_is_posted_before_its_original_goes(
    recent: RecentMessages, now: list[float]
) -> None:
    recent.note(message(1, "R: how do I vote?"))
    assert not recent.replaces_deleted(message(2))
    assert not recent.replaces_deleted(message(3, "something else"))
    recent.delete(1)
    proxy = recent.proxy_of(1)
    assert proxy is not None
    assert proxy.id == 2
    assert recent.proxy_of(1) is None


@pytest.mark.parametrize("said", ["", "how", "and how do I vote?"])
def test_another_text_is_no_proxys(recent: RecentMessages, now: list[float], said: str) -> None:
    recent.note(message(1))
    recent.delete(1)
    assert not recent.replaces_deleted(message(2, said))
