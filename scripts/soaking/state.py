"""What a soak knows while it runs."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from random import Random
from typing import Any

from simcord.results import ResponseMessage

from soaking.plain import Ballot, PlainVotes
from soaking.process import Process
from soaking.servers import MESSAGES, Card, Server
from tests.kit.virtual_time import VirtualEnv

QUESTIONS = 200
"""Questions of a server that may still be edited or deleted, the newest."""

_CARDS = (
    "SELECT guild_id, message_id, channel_id, COALESCE(a.overrides, a.id), p.thread_id, asker_id,"
    " up_emoji, down_emoji FROM postings p JOIN answers a ON a.id = p.answer_id"
    " WHERE channel_id <> 0 AND up_emoji IS NOT NULL"
)
"""The cards that members can vote on, each with its server and then as ``Card`` has it."""


@dataclass
class Soak:
    """The servers, the bot, and the count beside it.

    ``touched`` are the messages and ballots of this burst: what happens at once to one of them
    has no order that anybody could foresee.
    """

    process: Process
    servers: list[Server]
    random: Random
    seed: int
    say: Callable[[str], None] = lambda _: None
    plain: PlainVotes = field(default_factory=PlainVotes)
    event: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    touched: set[Any] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    only_latest: bool = False
    latest: set[int] = field(default_factory=set)

    @property
    def env(self) -> VirtualEnv:
        """Return the simulated Discord."""
        return self.process.env

    def fault(self, what: str) -> None:
        """Note that something is not as it must be."""
        self.faults.append(f"{what} (seed {self.seed}, event {self.event:,})")
        self.say(f"FAULT {self.faults[-1]}")

    def server(self) -> Server:
        """Return a server in which the bot is."""
        return self.random.choice([s for s in self.servers if not s.is_out])

    def card(self, server: Server) -> Card | None:
        """Return a card that members vote on: the newer, the more often."""
        cards = list(server.cards.values())
        if self.only_latest:
            cards = [card for card in cards if card.message_id in self.latest]
        if not cards:
            return None
        card = cards[-1 - min(int(self.random.expovariate(0.05)), len(cards) - 1)]
        there = self.env.backend.messages.get(card.channel_id, {})
        return card if card.message_id in there else None

    def ballot(self, server: Server, card: Card, user_id: int) -> Ballot | None:
        """Return where a member's vote on a card counts, unless that was used in this burst."""
        ballot = Ballot(card.root, server.id, user_id)
        if ballot in self.touched or card.message_id in self.touched:
            return None
        self.touched.add(ballot)
        return ballot

    async def settle(self, seconds: float) -> None:
        """Let time go on and the burst end, then see what was posted."""
        await self.env.jump(seconds)
        self.touched.clear()
        self.look()

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Return what another program reads in the database."""
        where = f"file:{self.process.database}?mode=ro"
        with closing(sqlite3.connect(where, uri=True, timeout=30)) as connection:
            return connection.execute(query, values).fetchall()

    def look(self) -> None:
        """Note the cards that are new, and what each shows now."""
        by_id = {server.id: server for server in self.servers}
        newest = max(server.newest_card for server in self.servers)
        query = f"{_CARDS} AND message_id > ? ORDER BY message_id"
        for guild_id, *values in self.rows(query, newest):
            if (server := by_id.get(guild_id)) is not None:
                self._add(server, Card(*values))

    def refresh(self, server: Server) -> None:
        """See again what each card of a server shows: helpers have changed something."""
        server.cards.clear()
        server.newest_card = 0
        query = f"{_CARDS} AND guild_id = ? ORDER BY message_id"
        for _, *values in self.rows(query, server.id):
            self._add(server, Card(*values))

    def _add(self, server: Server, card: Card) -> None:
        """Note a card whose message is there."""
        if card.message_id in self.env.backend.messages.get(card.channel_id, {}):
            server.add_card(card)
            server.newest_card = card.message_id

    def note_latest(self, count: int) -> None:
        """Note the latest cards: those that the bot compares when it comes back."""
        query = "SELECT message_id FROM postings WHERE channel_id <> 0 ORDER BY posted_at DESC"
        self.latest = {row[0] for row in self.rows(f"{query}, message_id DESC LIMIT {count}")}

    def asked(self, server: Server, message_id: int, channel_id: int, user_id: int) -> None:
        """Note a question, so that it can be edited or deleted."""
        server.questions[message_id] = channel_id, user_id
        while len(server.questions) > QUESTIONS:
            server.questions.popitem(last=False)

    def tidy(self) -> None:
        """Drop from the simulated Discord what is so old that nobody looks at it any more."""
        for server in self.servers:
            for channel in server.channels.values():
                gone = self.env.forget_messages(channel.id, MESSAGES)
                server.drop_messages(set(gone))

    def message(self, channel_id: int, message_id: int) -> ResponseMessage | None:
        """Return a message as members see it; ``None`` if it is gone."""
        stored = self.env.backend.messages.get(channel_id, {}).get(message_id)
        return None if stored is None else ResponseMessage(self.env, stored)
