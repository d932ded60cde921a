"""What the bot shows: an answer, suggestions, a page of a thread; with or without embeds.

Whatever comes from a thread goes through ``text`` here, so that it can't ping
anyone, leave its place or be too long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.models import StoredAnswer, StoredThread, Vote
from bot.plurals import counted
from bot.ui import items, limits, prepared, text
from bot.ui.credits import Credit, credits_of, linked, plain

ACCEPTED = discord.Colour(0x3BA55D)
ANSWER = discord.Colour(0x5865F2)
QUIET = discord.Colour(0x80848E)

_ACCEPTED = "✅ accepted"
_TALLY = re.compile(rf"^(?:{_ACCEPTED} · )?([▲▼] \d+)(?= · |$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The parts of one message; what is ``None`` is not there."""

    content: str | None = None
    embed: discord.Embed | None = None
    view: discord.ui.View | None = None

    def fresh(self) -> dict[str, Any]:
        """Arguments for sending this as a new message."""
        parts = {"content": self.content, "embed": self.embed, "view": self.view}
        return {name: part for name, part in parts.items() if part is not None}

    def over(self) -> dict[str, Any]:
        """Arguments for editing a message so that it shows this and nothing else."""
        return {"content": self.content, "embed": self.embed, "view": self.view}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One text of a thread as a heading, a body, and lines of credits and facts.

    ``related`` are names of other threads, with their addresses.
    """

    title: str
    url: str | None
    over: str
    over_url: str | None
    body: str
    facts: str
    credits: Sequence[Credit]
    colour: discord.Colour
    related: Sequence[tuple[str, str | None]] = ()


def answer_card(
    thread: StoredThread,
    answer: StoredAnswer,
    *,
    confidence: float | None = None,
    embeds: bool = True,
    note: str = "",
) -> Card:
    """The public card of an answer with its buttons.

    ``confidence`` is left out for an answer that a person chose. ``note`` is a
    line of our own above the card, ``embeds`` whether the bot may show embeds here.
    """
    short, more = prepared.excerpt(answer, embeds=embeds)
    others = len(thread.answers) - 1
    facts = _facts(answer)
    if confidence is not None:
        facts.append(f"{percent(confidence)} sure")
    if others > 0:
        facts.append(counted(others, "other answers"))
    shown = _shown(thread, answer, short, facts)
    place = items.Place(thread.id, answer.id)
    view = discord.ui.View(timeout=None)
    if more:
        view.add_item(items.ReadRest(place))
    if others > 0:
        view.add_item(items.OtherAnswers(place, others))
    view.add_item(items.NotMine())
    return _dressed(shown, view, embeds=embeds, note=note)


def suggestion_card(
    options: Sequence[items.Option], asker_id: int, *, again: bool = False, note: str = ""
) -> Card:
    """ "Did you mean" with a menu of threads; needs at least one."""
    offered = list(options)[: limits.SUGGESTIONS]
    view = discord.ui.View(timeout=None)
    view.add_item(items.PickThread(asker_id, offered, again=again))
    view.add_item(items.NoneOfThese(asker_id))
    asked = "Did you mean this?" if len(offered) == 1 else "Did you mean one of these?"
    return Card(content=noted(note, asked), view=view)


def page_card(
    thread: StoredThread,
    place: items.Place,
    *,
    embeds: bool = True,
    note: str = "",
    emoji: tuple[str, str] | None = None,
    related: Sequence[tuple[str, str | None]] = (),
) -> Card:
    """One page of a private pager, with buttons to turn it and to vote.

    A place whose answer or part is gone shows the nearest there is. ``note`` is a
    line of our own above it, ``emoji`` what the guild votes up and down with,
    ``related`` what stands below the question: titles and addresses.
    """
    answer = prepared.answer_at(thread, place)
    parts = parts_of(thread, answer, embeds=embeds)
    part = min(place.part, len(parts) - 1)
    here = items.Place(
        thread.id, answer.id if answer else items.QUESTION, part, place.with_question
    )
    facts = _position(thread, answer, part, len(parts))
    if answer is None:
        facts += _question_facts(thread)
    else:
        facts += _facts(answer)
    last = answer is None and part == len(parts) - 1
    shown = _shown(thread, answer, parts[part], facts, related if last else ())
    view = _pager(thread, here, len(parts), embeds=embeds)
    if answer is not None:
        up, down = emoji or (None, None)
        view.add_item(items.CastVote(Vote.UP, here, emoji=up, count=str(answer.tally)))
        view.add_item(items.CastVote(Vote.DOWN, here, emoji=down))
    return _dressed(shown, view, embeds=embeds, note=note)


def parts_of(
    thread: StoredThread, answer: StoredAnswer | None, *, embeds: bool = True
) -> Sequence[str]:
    """The pages that a text of the thread takes in a pager; the question's for ``None``."""
    return prepared.pages(thread, answer, embeds=embeds)


def vote_line(value: Vote | None, tally: int | None) -> str:
    """What a member is told privately after pressing a vote button."""
    done = {
        Vote.UP: "You voted for it.",
        Vote.DOWN: "You voted against it.",
        None: "Your vote is taken back.",
    }
    return done[value] if tally is None else f"{done[value]} The answer stands at {tally:+d}."


def with_tally(embed: discord.Embed, tally: int) -> discord.Embed | None:
    """The embed of an answer's card with another tally; ``None`` if that changes nothing."""
    footer = embed.footer.text or ""
    found = _TALLY.match(footer)
    now = _tally(tally)
    if found is None or found[1] == now:
        return None
    start, end = found.span(1)
    return embed.copy().set_footer(text=footer[:start] + now + footer[end:])


def asked_note(question: str) -> str:
    """A small line that says what was asked, for replies that don't stand under a question."""
    return f"-# asked: {text.title(question, limits.ASKED)}"


def note_of(content: str) -> str:
    """The small line of our own that a message begins with, if it does."""
    first = content.partition("\n")[0]
    return first if first.startswith("-# ") else ""


def noted(note: str, said: str) -> str:
    """What is said, under a line of our own if there is one."""
    return f"{note}\n{said}" if note else said


def percent(confidence: float) -> str:
    """A confidence as people read it; never 100 %, since nothing is that sure."""
    return f"{min(99, round(confidence * 100))} %"


def _facts(answer: StoredAnswer) -> list[str]:
    return [*([_ACCEPTED] if answer.accepted else []), _tally(answer.tally)]


def _tally(tally: int) -> str:
    return f"▲ {tally}" if tally >= 0 else f"▼ {-tally}"


def _question_facts(thread: StoredThread) -> list[str]:
    facts = [f"▲ {thread.score}"] if thread.score else []
    if thread.closed_at is not None:
        facts.append(f"closed {thread.closed_at:%Y-%m-%d}")
    if thread.tags:
        facts.append(text.label(", ".join(thread.tags), limits.FACT))
    return facts


def _position(
    thread: StoredThread, answer: StoredAnswer | None, part: int, parts: int
) -> list[str]:
    if answer is None:
        count = len(thread.answers)
        place = ["question", counted(count, "answers") if count else "no answers"]
    else:
        place = [f"answer {thread.answers.index(answer) + 1} of {len(thread.answers)}"]
    return place + ([f"page {part + 1} of {parts}"] if parts > 1 else [])


def _shown(
    thread: StoredThread,
    answer: StoredAnswer | None,
    body: str,
    facts: list[str],
    related: Sequence[tuple[str, str | None]] = (),
) -> Shown:
    if answer is None:
        over, colour = "Question", QUIET
    else:
        over = "Accepted answer" if answer.accepted else "Answer"
        colour = ACCEPTED if answer.accepted else ANSWER
    url = text.safe_url(thread.url)
    own = text.safe_url(answer.url) if answer is not None else None
    return Shown(
        title=thread.title,
        url=url or own,
        over=over,
        over_url=own,
        body=body,
        facts=" · ".join(facts),
        credits=credits_of(thread, answer),
        colour=colour,
        related=related,
    )


def _dressed(shown: Shown, view: discord.ui.View, *, embeds: bool, note: str = "") -> Card:
    if not embeds:
        return Card(content=_plain(shown, note), view=view)
    embed = discord.Embed(
        title=text.title(shown.title, limits.EMBED_TITLE),
        url=shown.url,
        description="\n\n".join(p for p in (shown.body, linked(shown.credits)) if p) or None,
        colour=shown.colour,
    )
    embed.set_author(name=shown.over, url=shown.over_url)
    if shown.related:
        names = [f"- {text.linked(name, url, limits.FACT)}" for name, url in shown.related]
        embed.add_field(name="See also", value=text.lines(names), inline=False)
    embed.set_footer(text=text.label(shown.facts, limits.EMBED_FOOTER))
    return Card(content=note or None, embed=embed, view=view)


def _plain(shown: Shown, note: str) -> str:
    """The same as text. The body comes last, where it can swallow nothing of ours."""
    address = shown.over_url or shown.url
    above = [
        note,
        f"**{text.title(shown.title, limits.PLAIN_LINE)}**",
        f"<{address}>" if address and text.width(address) <= limits.PLAIN_LINE else "",
        f"-# {text.title(shown.facts, limits.PLAIN_FACTS)}",
        plain(shown.credits),
    ]
    return "\n".join([line for line in above if line] + [shown.body]).rstrip()


def _pager(thread: StoredThread, here: items.Place, parts: int, *, embeds: bool) -> discord.ui.View:
    before, after = _neighbours(thread, here, parts, embeds=embeds)
    view = discord.ui.View(timeout=None)
    view.add_item(items.TurnPage("prev", before or here, there=before is not None))
    view.add_item(items.TurnPage("next", after or here, there=after is not None))
    return view


def _neighbours(
    thread: StoredThread, here: items.Place, parts: int, *, embeds: bool
) -> tuple[items.Place | None, items.Place | None]:
    """The places before and after, text by text and within a text part by part."""

    def at(answer_id: int, part: int) -> items.Place:
        return items.Place(thread.id, answer_id, part, here.with_question)

    texts = prepared.texts_of(thread, here)
    index = texts.index(here.answer_id) if here.answer_id in texts else 0
    before = after = None
    if here.part > 0:
        before = at(here.answer_id, here.part - 1)
    elif index > 0:
        former = texts[index - 1]
        before = at(former, len(parts_of(thread, thread.answer(former), embeds=embeds)) - 1)
    if here.part + 1 < parts:
        after = at(here.answer_id, here.part + 1)
    elif index + 1 < len(texts):
        after = at(texts[index + 1], 0)
    return before, after
