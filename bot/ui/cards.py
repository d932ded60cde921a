"""Cards: an answer, suggestions, a page of a thread; with or without embeds.

Whatever comes from a thread goes through ``text`` here, so that it can't ping
anyone, leave its place or be too long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.i18n import gettext as _
from bot.models import StoredAnswer, StoredThread, Vote
from bot.ui import answer_buttons, card_content, facts, items, limits, text
from bot.ui.card_content import credits_of, linked_credits, plain_credits

ACCEPTED = discord.Colour(0x3BA55D)
ANSWER = discord.Colour(0x5865F2)
MUTED = discord.Colour(0x80848E)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The parts of one message; what is ``None`` is not there. ``silent`` notifies nobody.

    ``pings`` are the ids of the roles that it notifies, of those that it names.
    """

    content: str | None = None
    embed: discord.Embed | None = None
    view: discord.ui.View | None = None
    silent: bool = False
    pings: tuple[int, ...] = ()

    def send_kwargs(self) -> dict[str, Any]:
        """Return the arguments for sending this as a new message."""
        parts = {"content": self.content, "embed": self.embed, "view": self.view}
        given: dict[str, Any] = {n: part for n, part in parts.items() if part is not None}
        if self.pings:
            roles = [discord.Object(role_id) for role_id in self.pings]
            given["allowed_mentions"] = discord.AllowedMentions(
                everyone=False, users=False, roles=roles, replied_user=False
            )
        return given | {"silent": True} if self.silent else given

    def edit_kwargs(self) -> dict[str, Any]:
        """Return the arguments for editing a message so that it shows this and nothing else."""
        return {"content": self.content, "embed": self.embed, "view": self.view}


def answer_card(
    thread: StoredThread,
    answer: StoredAnswer,
    *,
    confidence: float | None = None,
    embeds: bool = True,
    note: str = "",
    votes: bool = False,
    shares: bool = False,
) -> Card:
    """Return the card of an answer with its buttons.

    ``confidence`` is for people who manage the server alone. ``note`` is a line of our own
    above the card, ``embeds`` whether the bot may show embeds here. ``votes`` says that people
    vote by buttons, ``shares`` that the reader may share the card.
    """
    excerpt, more = card_content.excerpt(answer, embeds=embeds)
    known = facts.of_card(thread, answer)
    if confidence is not None:
        known.append(facts.sure(confidence))
    view = _answer_view(thread, answer, more=more, votes=votes, shares=shares)
    show = _embed_card if embeds else _plain_card
    return show(thread, answer, excerpt, known, view, note)


def _answer_view(
    thread: StoredThread, answer: StoredAnswer, *, more: bool, votes: bool, shares: bool
) -> discord.ui.View:
    """Return the buttons of an answer's card; ``more`` says that its text is cut."""
    others = len(thread.answers) - 1
    place = items.Place(thread.id, answer.id)
    view = discord.ui.View(timeout=None)
    if more:
        view.add_item(items.ReadRest(place))
    if others > 0:
        view.add_item(items.OtherAnswers(place, others))
    view.add_item(items.NotMine())
    if shares:
        view.add_item(answer_buttons.Share(place))
    for value in (Vote.UP, Vote.DOWN) if votes else ():
        view.add_item(answer_buttons.CardVote(value, place))
    return view


def suggestion_card(
    options: Sequence[items.ThreadOption],
    asker_id: int,
    *,
    replaces_answer: bool = False,
    note: str = "",
) -> Card:
    """Return "Did you mean" with the threads offered, of which there is at least one.

    One alone is named, with a button that says yes; several stand in a menu.
    """
    offered = list({option.thread_id: option for option in options}.values())[: limits.SUGGESTIONS]
    first = offered[0]
    view = discord.ui.View(timeout=None)
    if len(offered) == 1:
        named = f"**{text.title(first.title, limits.ASKED)}**"
        asked = _("Did you mean {title}").format(title=named)
        asked += f"\n-# {text.title(first.hint, limits.FACT)}" if first.hint else ""
        view.add_item(items.ThisOne(asker_id, first.thread_id, replaces_answer=replaces_answer))
    else:
        asked = _("Did you mean one of these?")
        view.add_item(items.PickThread(asker_id, offered, replaces_answer=replaces_answer))
    view.add_item(items.NoneOfThese(asker_id, of_one=len(offered) == 1))
    return Card(content=noted(note, asked), view=view)


def page_card(
    thread: StoredThread,
    place: items.Place,
    *,
    embeds: bool = True,
    note: str = "",
    emoji: tuple[str, str] | None = None,
    voted: Vote | None = None,
    accepts: bool = False,
    related: Sequence[tuple[str, str | None]] = (),
) -> Card:
    """Return one page of a private pager, with buttons to turn it and to vote.

    A place whose answer or part is gone shows the nearest there is. ``note`` is a
    line of our own above it, ``emoji`` what the guild votes up and down with,
    ``voted`` what the reader voted, ``accepts`` whether they may accept answers, ``related``
    what stands below the question: titles and URLs.
    """
    answer = card_content.answer_at(thread, place)
    pages = card_content.pages(thread, answer, embeds=embeds)
    part = min(place.part, len(pages) - 1)
    answer_id = answer.id if answer else items.QUESTION
    here = items.Place(thread.id, answer_id, part, place.with_question)
    known = facts.position(thread, answer, part, len(pages))
    known += facts.of_question(thread) if answer is None else facts.of_answer(thread, answer)
    last = answer is None and part == len(pages) - 1
    before, after = _neighbours(thread, here, len(pages), embeds=embeds)
    view = discord.ui.View(timeout=None)
    view.add_item(items.TurnPage("prev", before or here, there=before is not None))
    view.add_item(items.TurnPage("next", after or here, there=after is not None))
    if answer is not None:
        signs = emoji or (None, None)
        for value, sign in zip((Vote.UP, Vote.DOWN), signs, strict=True):
            view.add_item(items.CastVote(value, here, emoji=sign, given=voted is value))
        if accepts and (answer.accepted_here or not answer.accepted):
            view.add_item(answer_buttons.Accept(here, back=answer.accepted_here))
    if not embeds:
        return _plain_card(thread, answer, pages[part], known, view, note)
    return _embed_card(
        thread, answer, pages[part], known, view, note, related=related if last else ()
    )


def vote_line(value: Vote | None, tally: int | None) -> str:
    """Return what a member reads privately after pressing a vote button."""
    done = {
        Vote.UP: _("You voted for it."),
        Vote.DOWN: _("You voted against it."),
        None: _("Your vote is taken back."),
    }
    if tally is None:
        return done[value]
    return done[value] + " " + _("The answer stands at {tally}.").format(tally=f"{tally:+d}")


def asked_note(question: str) -> str:
    """Return a small line with the question, for replies that don't stand under it."""
    return "-# " + _("asked: {question}").format(question=text.title(question, limits.ASKED))


def part_note(question: str, *, rest: bool) -> str:
    """Return a small line with the part of a message that is answered below.

    ``rest`` says that the message asks more, which was not answered.
    """
    shown = text.title(question, limits.PART)
    said = _("on: {question}")
    if rest:
        said = _("on: {question} (I left the rest of your message; ask it by itself)")
    return f"-# {said.format(question=shown)}"


def note_of(content: str) -> str:
    """Return the small line of our own that a message begins with; empty without one."""
    first = content.partition("\n")[0]
    return first if first.startswith("-# ") else ""


def noted(note: str, content: str) -> str:
    """Put a line of our own, if there is one, above a content."""
    return f"{note}\n{content}" if note else content


def _embed_card(
    thread: StoredThread,
    answer: StoredAnswer | None,
    body: str,
    known: Sequence[str],
    view: discord.ui.View,
    note: str,
    *,
    related: Sequence[tuple[str, str | None]] = (),
) -> Card:
    """Return a text of a thread with its credits and facts; the question's for ``None``."""
    heading, colour = heading_of(answer)
    own = text.safe_url(answer.url) if answer is not None else None
    paragraphs = (body, linked_credits(credits_of(thread, answer)))
    embed = discord.Embed(
        title=text.title(thread.title, limits.EMBED_TITLE),
        url=text.safe_url(thread.url) or own,
        description="\n\n".join(filter(None, paragraphs)) or None,
        colour=colour,
    )
    embed.set_author(name=heading, url=own)
    if related:
        names = [f"- {text.linked(name, url, limits.FACT)}" for name, url in related]
        embed.add_field(name=_("See also"), value=text.lines(names), inline=False)
    embed.set_footer(text=facts.joined(known))
    return Card(content=note or None, embed=embed, view=view)


def heading_of(answer: StoredAnswer | None) -> tuple[str, discord.Colour]:
    """Return the heading and the colour of an answer's card; the question's for ``None``."""
    if answer is None:
        return _("Question"), MUTED
    return (_("Accepted answer"), ACCEPTED) if answer.accepted else (_("Answer"), ANSWER)


def _plain_card(
    thread: StoredThread,
    answer: StoredAnswer | None,
    body: str,
    known: Sequence[str],
    view: discord.ui.View,
    note: str,
) -> Card:
    """Return the same without an embed. The body comes last, where it can swallow nothing."""
    own = text.safe_url(answer.url) if answer is not None else None
    url = own or text.safe_url(thread.url)
    lines = [
        note,
        f"**{text.title(thread.title, limits.PLAIN_LINE)}**",
        f"<{url}>" if url and text.width(url) <= limits.PLAIN_LINE else "",
        f"-# {text.title(' · '.join(known), limits.PLAIN_FACTS)}",
        plain_credits(credits_of(thread, answer)),
    ]
    content = "\n".join([line for line in lines if line] + [body]).rstrip()
    return Card(content=content, view=view)


def _neighbours(
    thread: StoredThread, here: items.Place, parts: int, *, embeds: bool
) -> tuple[items.Place | None, items.Place | None]:
    """Return the places before and after, text by text and within a text part by part."""
    ids = card_content.text_ids(thread, here)
    index = ids.index(here.answer_id) if here.answer_id in ids else 0
    before = after = None
    if here.part > 0:
        before = replace(here, part=here.part - 1)
    elif index > 0:
        former = ids[index - 1]
        pages = card_content.pages(thread, thread.answer(former), embeds=embeds)
        before = replace(here, answer_id=former, part=len(pages) - 1)
    if here.part + 1 < parts:
        after = replace(here, part=here.part + 1)
    elif index + 1 < len(ids):
        after = replace(here, answer_id=ids[index + 1], part=0)
    return before, after
