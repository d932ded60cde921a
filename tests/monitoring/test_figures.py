"""The figures that Prometheus reads, from a bot in the simulated Discord."""

from __future__ import annotations

import re

import pytest

from bot.app import App
from bot.client import ThreadBot
from bot.errors import StoreBusy
from bot.metrics import Levels, Metrics
from bot.models import Answer, Thread
from bot.observing import Observer
from bot.replies import Throttle
from bot.services.rate_limit import LimitOwner, QuestionLimits
from bot.settings import Settings
from bot.store.threads import fetch
from tests.kit.messages import last
from tests.kit.net import open_net
from tests.kit.scraping import Scraper
from tests.kit.simcord import join_guild, offline
from tests.kit.waiting import until
from tests.kit.world import World

VOTE = "how do I vote on an answer?"


async def test_questions_are_counted_by_verdict(world: World, watched: Scraper):
    before = await watched.figures()
    await world.alice.send(world.ask, VOTE)
    await world.alice.send(world.ask, "how can I pin or unpin something?")
    await world.alice.send(world.ask, "what is the airspeed of a swallow?")
    after = await watched.figures()
    asked = {
        verdict: after[name] - before[name]
        for verdict in ("answer", "suggest", "none", "busy", "failed")
        for name in [f'threadwise_questions_total{{verdict="{verdict}"}}']
    }
    assert asked["answer"] >= 1
    assert asked["none"] >= 1
    assert sum(asked.values()) == 3
    assert after["threadwise_question_seconds_count"] == 3
    assert after["threadwise_search_seconds_count"] >= 3
    assert after["threadwise_search_wait_seconds_count"] >= 3
    assert 0 < after["threadwise_search_seconds_sum"] <= after["threadwise_question_seconds_sum"]


async def test_a_question_that_fails_is_counted_and_so_is_its_incident(
    world: World, watched: Scraper, monkeypatch: pytest.MonkeyPatch
):
    async def fail(*args: object) -> None:
        raise StoreBusy("database is locked")

    monkeypatch.setattr(world.app.answering, "_search", fail)
    await world.alice.send(world.ask, f"{world.me} {VOTE}")
    assert await watched.figure('questions_total{verdict="failed"}') == 1
    assert await watched.figure("incidents_total") == 1


async def test_what_a_limit_refuses_is_counted_and_is_no_question(
    world: World, watched: Scraper, monkeypatch: pytest.MonkeyPatch
):
    limits = QuestionLimits(
        Settings(member_questions_per_minute=8, _env_file=None),
        lambda: 0.0,
        world.app.question_limits._observer,
    )
    monkeypatch.setattr(world.bot, "throttle", Throttle(limits))
    for _ in range(9):
        await world.alice.send(world.ask, VOTE)
    figures = await watched.figures()
    counted = {
        limit: figures[f'threadwise_limited_total{{limit="{limit}"}}'] for limit in LimitOwner
    }
    assert counted == {"member": 1, "server": 0}
    assert figures["threadwise_question_seconds_count"] == 8


async def test_votes_are_counted_by_what_was_done(world: World, watched: Scraper):
    await world.alice.send(world.ask, VOTE)
    card = last(world.ask)
    await world.bob.react(card, "⬆️")
    await world.mo.react(card, "⬇️")
    await world.bob.unreact(card, "⬆️")
    await world.wrote(world.alice, "vote")
    opened = await world.alice.click(card, label="Other answers (1)")
    assert opened.response is not None
    figures = await watched.figures()
    votes = {
        what: figures[f'threadwise_votes_total{{vote="{what}"}}']
        for what in ("up", "down", "taken_back", "refused")
    }
    assert votes == {"up": 1, "down": 1, "taken_back": 1, "refused": 0}


async def test_votes_of_a_pause_are_counted_as_reconciled(world: World, watched: Scraper):
    await world.alice.send(world.ask, VOTE)
    async with offline(world.env):
        await world.bob.react(last(world.ask), "⬆️")
    await until(lambda: _is(watched, 'votes_total{vote="reconciled"}', 1))
    assert await watched.figure('gateway_events_total{event="ready",shard="0"}') == 2


async def _is(scraper: Scraper, name: str, value: float) -> bool:
    return await scraper.figure(name) == value


async def test_the_database_is_timed(world: World, watched: Scraper):
    before = await watched.figures()
    await world.app.database.reading(fetch, [1], 0)
    await world.app.guilds.set_tree_hash("another")
    after = await watched.figures()
    for access in ("read", "write"):
        for name in ("database_seconds", "database_wait_seconds"):
            count = f'threadwise_{name}_count{{access="{access}"}}'
            assert after[count] > before[count]


async def test_a_database_that_fails_is_counted(world: World, watched: Scraper):
    with pytest.raises(Exception, match="damaged"):
        async with world.app.database.write() as connection:
            await connection.exec_driver_sql("SELECT * FROM nowhere")
    assert await watched.figure("database_failures_total") == 1


async def test_what_is_there_just_now(world: World, watched: Scraper):
    await join_guild(world.env)
    figures = await watched.figures()
    assert figures["threadwise_servers"] == 2
    assert figures["threadwise_indexed_threads"] == 5
    assert figures["threadwise_index_lag"] == 0
    assert figures['threadwise_gateway_connected{shard="0"}'] == 1
    waiting = re.findall(r'threadwise_queue_length\{queue="(\w+)"\}', " ".join(figures))
    assert sorted(waiting) == [
        *("learning", "questions", "reconciliation", "tallies", "vectors", "votes")
    ]
    assert all(figures[f'threadwise_queue_length{{queue="{name}"}}'] == 0 for name in waiting)


async def test_a_shard_that_is_away_is_seen(world: World, watched: Scraper):
    async with offline(world.env):
        assert await watched.figure('gateway_connected{shard="0"}') == 0
    assert await watched.figure('gateway_connected{shard="0"}') == 1


async def test_the_index_lag_is_what_others_have_stored(
    world: World, watched: Scraper, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    async def not_now(*args: object, **kwargs: object) -> None:
        return None

    other = await App.open(settings)
    try:
        monkeypatch.setattr(other.library._index_sync, "add", not_now)
        monkeypatch.setattr(other.library._index_sync, "catch_up", not_now)
        await other.library.add(
            [
                Thread(key=str(n), title=f"Where is {n}?", answers=(Answer(body="Here."),))
                for n in "ab"
            ]
        )
    finally:
        await other.close()
    assert await watched.figure("index_lag") == 2
    assert await world.app._index_sync.catch_up()
    assert await watched.figure("index_lag") == 0
    assert await watched.figure("indexed_threads") == 7


async def test_requests_to_discord_are_timed_by_method_and_status(app: App, scraper: Scraper):
    async with open_net(app) as net:
        net.discord.say(net.ask, net.alice, VOTE)
        card = await net.discord.posted(net.ask)
        await net.recorded(card)
        await until(lambda: card.reactions.get("⬇️"))
    figures = await scraper.figures()
    assert figures['threadwise_discord_request_seconds_count{method="POST",status="2xx"}'] >= 1
    assert figures['threadwise_discord_request_seconds_count{method="PUT",status="2xx"}'] >= 1
    assert figures['threadwise_gateway_events_total{event="ready",shard="0"}'] == 1


async def test_nothing_of_servers_or_members_is_told(world: World, watched: Scraper):
    await world.alice.send(world.ask, VOTE)
    await world.bob.react(last(world.ask), "⬆️")
    _, text = await watched.get("/metrics")
    ids = {world.guild.id, world.ask.id, world.alice.id, world.bob.id, last(world.ask).id}
    assert not [i for i in ids if str(i) in text]
    assert "vote on an answer" not in text
    assert "Garden club" not in text


def test_the_labels_are_few():
    labels = {
        label
        for family in Metrics().registry.collect()
        if family.name.startswith("threadwise")
        for sample in family.samples
        for label in sample.labels
    }
    assert labels <= {
        "verdict",
        "vote",
        "limit",
        "le",
        "version",
    }  # the others come with their values


def test_two_bots_in_a_process_count_for_themselves():
    one, other = Metrics(), Metrics()
    one.voted("up")
    assert b'threadwise_votes_total{vote="up"} 1.0' in one.text(Levels())
    assert b'threadwise_votes_total{vote="up"} 0.0' in other.text(Levels())


def test_every_observation_is_kept():
    """A method that is only in Observer would be heard by nobody."""
    told = [name for name in vars(Observer) if not name.startswith("_")]
    assert [name for name in told if name not in vars(Metrics)] == []


def test_a_figure_that_is_unknown_is_none_and_not_zero():
    text = Metrics().text(Levels(latencies={0: float("inf"), 1: 0.04}, connected={0: True}))
    assert b"threadwise_index_lag NaN" in text
    assert b'threadwise_gateway_latency_seconds{shard="1"} 0.04' in text
    assert b'latency_seconds{shard="0"}' not in text


async def test_a_bot_that_nobody_observes_traces_no_requests(settings: Settings):
    """With metrics it does, as the test of requests shows."""
    unobserved = await App.open(settings)
    assert ThreadBot(unobserved).http.http_trace is None
    await unobserved.close()


async def test_the_model_is_timed_for_questions_and_for_the_library(
    settings: Settings, metrics: Metrics, scraper: Scraper, usual_model: None
):
    meaning = settings.model_copy(update={"embedding_model": ""})
    opened = await App.open(meaning, metrics)
    try:
        await opened.embedding.make()
        await opened.answering.ask(VOTE)
    finally:
        await opened.close()
    assert await scraper.figure('model_seconds_count{work="library"}') >= 1
    assert await scraper.figure('model_seconds_count{work="question"}') >= 1
