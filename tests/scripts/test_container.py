"""What the container is made of: its Dockerfile, its lock, and the command that looks after it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import lock
import pytest
import yaml

from bot.store.database_file import parse_url
from tests.kit.paths import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
HOUR = 3600


def health_check(port: int) -> int:
    """Run the command of HEALTHCHECK as the container does; return its exit code."""
    found = re.search(r"^HEALTHCHECK .*\n    CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found
    program, *arguments = json.loads(found[1])
    assert program == "python3"
    command = [sys.executable, *arguments]
    environment = {"METRICS_PORT": str(port)}
    return subprocess.run(command, env=environment, capture_output=True, timeout=HOUR).returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_asks_the_bot(status: int, code: int) -> None:
    asked = list[str]()

    class Bot(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Bot) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            assert health_check(server.server_port) == code
        finally:
            server.shutdown()
            thread.join()
    assert asked == ["/healthz"]


def test_the_health_check_fails_where_nobody_answers() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    assert health_check(port) == 1


def test_all_that_is_copied_gets_into_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {name for names in copied for name in names.split()} == allowed
    assert all((ROOT / name).exists() for name in allowed)


def test_the_bot_is_nobody_and_its_packages_are_locked() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert "--require-hashes --requirement requirements/container.txt" in DOCKERFILE
    assert "semantic" in lock.LOCKS["container"]


def test_the_service_has_a_volume_and_can_write_nothing_else() -> None:
    service = COMPOSE["services"]["threadwise"]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["volumes"] == ["library:/data"]
    assert "library" in COMPOSE["volumes"]


def test_the_server_beside_the_bot_is_where_the_bot_looks_for_it() -> None:
    text = (ROOT / "compose.postgres.yaml").read_text(encoding="utf-8")
    more = yaml.safe_load(re.sub(r"\$\{POSTGRES_PASSWORD:[^}]*}", "secret", text))["services"]
    server = more["postgres"]["environment"]
    url = parse_url(more["threadwise"]["environment"]["DATABASE_URL"])
    assert (url.host, url.database) == ("postgres", server["POSTGRES_DB"])
    assert (url.username, url.password) == (server["POSTGRES_USER"], server["POSTGRES_PASSWORD"])
    assert "threadwise" in COMPOSE["services"]
