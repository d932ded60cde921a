"""Reading what ``METRICS_PORT`` serves, over a real connection."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


@dataclass
class Scraper:
    """Asks at an address."""

    url: str

    async def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        """Return the status and the text of a page."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path) as response,
        ):
            return response.status, await response.text()

    async def figures(self) -> dict[str, float]:
        """Return each figure by its name with its labels, as ``name{label="value"}``."""
        status, text = await self.get("/metrics")
        assert status == 200
        return {
            sample.name + shown(sample.labels): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def figure(self, name: str) -> float:
        return (await self.figures())[f"threadwise_{name}"]


def shown(labels: dict[str, str]) -> str:
    pairs = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return f"{{{pairs}}}" if pairs else ""


def free_port() -> int:
    """Return a port of this computer that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
