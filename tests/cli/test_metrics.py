"""``threadwise run`` with ``METRICS_PORT``, in a process of its own."""

from __future__ import annotations

import json
import re
import signal

import aiohttp
import pytest

from bot.settings import Settings
from tests.cli.test_run import PROGRAM
from tests.kit import programs
from tests.kit.command_line import Threadwise
from tests.kit.loopback import TOKEN, Loopback, serving
from tests.kit.programs import Program
from tests.kit.scraping import Scraper, free_port
from tests.kit.waiting import until


async def start(url: str, **settings: str) -> Program:
    settings = {"DISCORD_TOKEN": TOKEN, "EMBEDDING_MODEL": "off"} | settings
    return await programs.start("-c", PROGRAM, url, "run", **settings)


async def test_it_serves_what_it_is_and_leaves_when_told_to() -> None:
    port = free_port()
    scraper = Scraper(f"http://127.0.0.1:{port}")
    async with serving(Loopback(TOKEN)) as fake:
        process = await start(fake.url, METRICS_PORT=str(port))
        await process.until(f"metrics are at http://127.0.0.1:{port}/metrics")
        await process.until("connected as threadwise")
        await until(lambda: _is_ready(scraper))
        figures = await scraper.figures()
        doctor = await programs.start(
            "-m", "bot", "doctor", METRICS_PORT=str(port), EMBEDDING_MODEL="off"
        )
        _, told, _ = await doctor.end()
        process.signal(signal.SIGTERM)
        code, out, said = await process.end()
    assert (code, out) == (0, ""), said
    assert "Traceback" not in said
    assert said.endswith("Stopped.\n")
    assert re.search(
        rf"^ok +metrics +the bot is ready; http://127.0.0.1:{port}/metrics", told, re.M
    )
    assert figures["threadwise_ready"] == 1
    assert figures['threadwise_gateway_connected{shard="0"}'] == 1
    assert figures['threadwise_discord_request_seconds_count{method="PUT",status="2xx"}'] >= 1
    assert figures['threadwise_database_seconds_count{access="write"}'] >= 1
    assert figures["process_resident_memory_bytes"] > 10_000_000


async def _is_ready(scraper: Scraper) -> bool:
    return (await scraper.get("/readyz"))[0] == 200


async def test_a_port_that_is_taken_does_not_keep_it_from_running() -> None:
    async with serving(Loopback(TOKEN)) as fake:
        port = fake.url.rpartition(":")[2]
        process = await start(fake.url, METRICS_PORT=port)
        await process.until("connected as threadwise")
        process.signal(signal.SIGTERM)
        code, _, said = await process.end()
    assert code == 0, said
    assert said.count("METRICS_PORT: no metrics") == 1
    assert "Traceback" not in said


async def test_without_a_port_nothing_is_loaded_or_served() -> None:
    program = PROGRAM + "\nprint('prometheus_client' in sys.modules, file=sys.stderr)"
    program = program.replace("main()\n", "try: main()\nexcept SystemExit: pass\n")
    async with serving(Loopback(TOKEN)) as fake:
        settings = {"DISCORD_TOKEN": TOKEN, "EMBEDDING_MODEL": "off", "METRICS_PORT": ""}
        process = await programs.start("-c", program, fake.url, "run", **settings)
        await process.until("connected as threadwise")
        process.signal(signal.SIGTERM)
        code, _, said = await process.end()
    assert code == 0, said
    assert said.endswith("Stopped.\nFalse\n")
    assert "metrics" not in said


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("METRICS_PORT", "70000", "METRICS_PORT: must be 65535 or less (it is '70000')"),
        ("METRICS_PORT", "-1", "METRICS_PORT: must be 0 or more (it is '-1')"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT: must be 'text' or 'json' (it is 'xml')"),
        ("METRICS_PORT", "http", "METRICS_PORT: must be a whole number (it is 'http')"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(
    name: str, value: str, reason: str, threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    result = threadwise("run")
    assert result.exit_code == 2
    assert result.stderr == f"error: {reason}; correct it in the environment or .env\n"


async def test_the_log_as_json_has_nothing_else_between_its_lines() -> None:
    async with serving(Loopback(TOKEN, grants_message_content=False)) as fake:
        process = await start(fake.url, LOG_FORMAT="JSON", LOG_LEVEL="DEBUG")
        await process.until("connected as threadwise")
        process.signal(signal.SIGTERM)
        code, _, said = await process.end()
    assert code == 0, said
    lines = [json.loads(line) for line in said.splitlines()]
    messages = [line["message"] for line in lines]
    assert messages[-1] == "Stopped."
    assert any("switch on Message Content Intent" in message for message in messages)
    assert TOKEN not in said


async def test_a_refusal_as_json_is_a_line_as_well() -> None:
    async with serving(Loopback("another")) as fake:
        process = await start(fake.url, LOG_FORMAT="json")
        code, _, said = await process.end()
    assert code == 2
    lines = [json.loads(line) for line in said.splitlines()]
    assert lines[-1]["level"] == "ERROR"
    assert lines[-1]["message"].startswith("Discord refused DISCORD_TOKEN")


def test_an_empty_host_is_this_computer_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_HOST", " ")
    assert Settings(_env_file=None).metrics_host == "127.0.0.1"


async def test_a_scrape_while_it_stops_does_not_keep_it() -> None:
    port = free_port()
    scraper = Scraper(f"http://127.0.0.1:{port}")
    async with serving(Loopback(TOKEN)) as fake:
        process = await start(fake.url, METRICS_PORT=str(port))
        await process.until("connected as threadwise")
        process.signal(signal.SIGTERM)
        statuses = set[int]()
        try:
            while True:
                statuses.add((await scraper.get("/metrics"))[0])
        except aiohttp.ClientError:
            pass  # it is gone
        code, _, said = await process.end()
    assert code == 0, said
    assert statuses <= {200}
    assert "Traceback" not in said
