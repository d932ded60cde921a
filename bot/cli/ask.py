"""``ask`` and ``thread``: replies and threads in the terminal."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.cli import runtime
from bot.cli.console import out, plain_table, write_json
from bot.cli.options import AsJson, Guild, argument, number, option
from bot.errors import NotFound
from bot.models import SHARED, Match, Reply, StoredAnswer, StoredThread, Verdict
from bot.sources.jsonl import write_thread

Printer = Callable[[Reply], None]
"""Writes a reply to stdout."""

HEADLINES = {
    Verdict.ANSWER: ("Answer", "green"),
    Verdict.SUGGEST: ("Did you mean one of these?", "yellow"),
    Verdict.NONE: ("Nothing that fits yet", "red"),
}


_LIMIT = number(int, "a whole number from 1 to 100", 1, 100)


def ask(
    question: Annotated[str | None, argument("QUESTION", "What you want to know.")] = None,
    limit: Annotated[
        int, option("--limit", "N", "At most so many matches, up to 100.", True, parser=_LIMIT)
    ] = 5,
    guild: Guild = SHARED,
    as_json: AsJson = False,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read questions from standard input, one a line.")
    ] = False,
) -> None:
    """Ask a question, or each line of standard input, and print the replies."""
    if stdin == (question is not None):
        raise typer.BadParameter('give either a question in quotes, or --stdin: ask "QUESTION"')
    show = print_reply_json if as_json else print_reply
    if question is None:
        _ask_lines(limit=limit, guild=guild, show=show)
        return
    text = _clean(question)

    async def reply() -> Reply:
        async with runtime.open_with_seeds() as app:
            return await app.answering.ask(text, guild_id=guild, limit=limit)

    show(runtime.run(reply()))


def _ask_lines(*, limit: int, guild: int, show: Printer) -> None:
    """Ask each line of standard input and print the replies in the same order.

    The lines are read outside the event loop, so that each is answered as it
    comes and Ctrl-C works while waiting for the next.
    """
    with asyncio.Runner() as runner:
        library = runtime.open_with_seeds()
        app = runner.run(library.__aenter__())
        try:
            for line in _lines():
                show(runner.run(app.answering.ask(line, guild_id=guild, limit=limit)))
        finally:
            runner.run(library.__aexit__(None, None, None))


def show_thread(
    words: Annotated[str, argument("KEY_OR_WORDS", "A thread's source key, or words of it.")],
    guild: Guild = SHARED,
    as_json: AsJson = False,
) -> None:
    """Print the thread with this key, else the one that fits the words best.

    Raises NotFound when there is none.
    """

    async def find() -> StoredThread | None:
        async with runtime.open_with_seeds() as app:
            return await app.answering.find(_clean(words), guild_id=guild)

    thread = runtime.run(find())
    if thread is None:
        raise NotFound(f"no thread has the key {words!r} or fits these words")
    if as_json:
        write_json(thread_as_dict(thread))
    else:
        print_thread(thread)


def print_reply_json(reply: Reply) -> None:
    """Print the reply in the documented form of ``ask --json``."""
    matches = [
        {"key": m.key, "title": m.title, "confidence": round(m.confidence, 4)}
        for m in reply.matches
    ]
    answer, names = reply.answer, ("key", "body", "score", "accepted", "author", "url")
    write_json(
        {
            "question": reply.question,
            "verdict": reply.verdict.value,
            "confidence": round(reply.confidence, 4),
            "matches": matches,
            "answer": answer and {name: getattr(answer, name) for name in names},
            "took_ms": round(reply.took_ms, 2),
        }
    )


def thread_as_dict(thread: StoredThread) -> dict[str, Any]:
    """Return the thread in its JSONL form, with the tally of each answer."""
    form: dict[str, Any] = json.loads(write_thread(thread))
    for answer, fields in zip(thread.answers, form["answers"], strict=True):
        fields["tally"] = answer.tally
    return form


def print_reply(reply: Reply) -> None:
    """Print the reply for a person: the verdict, the answer, the other matches."""
    console = out()
    headline, colour = HEADLINES[reply.verdict]
    line = Text.assemble((headline, f"bold {colour}"))
    if reply.matches:
        line.append(f"  {reply.confidence:.0%} sure, {reply.took_ms:.0f} ms", "dim")
    console.print(line)
    others = reply.matches
    if reply.thread is not None and reply.answer is not None:
        license = reply.answer.license or reply.thread.license
        console.print(_panel(reply.answer, title=reply.thread.title, license=license))
        others = tuple(m for m in others if m.thread_id != reply.thread.id)
    if others:
        console.print(_match_table(others))


def print_thread(thread: StoredThread) -> None:
    """Print a thread for a person: the question, then each answer."""
    console = out()
    console.print(Text(thread.title, style="bold"))
    about = [thread.key, *([", ".join(thread.tags)] if thread.tags else [])]
    about += [text for text in (thread.author, thread.license, thread.url) if text]
    console.print(Text(" · ".join(about), style="dim"))
    if thread.body:
        console.print(_body(thread.body))
    if not thread.answers:
        console.print(Text("Nobody has answered yet.", style="yellow"))
    for place, answer in enumerate(thread.answers, 1):
        title = f"Answer {place} of {len(thread.answers)}"
        console.print(_panel(answer, title=title, license=answer.license))


def _panel(answer: StoredAnswer, *, title: str, license: str | None) -> Panel:
    facts = ["✅ accepted"] if answer.accepted else []
    facts.append(f"{answer.tally:+d}" if answer.tally else "0")
    facts += [text for text in (answer.author, license, answer.url) if text]
    heading, footing = Text(title, style="bold"), Text(" · ".join(facts), style="dim")
    # A border cuts off what is too long for it; inside, it is wrapped.
    width = out().width - 6
    above, below = cell_len(heading.plain) > width, cell_len(footing.plain) > width
    inside: list[RenderableType] = [_body(answer.body)]
    if above:
        inside[:0] = [heading, ""]
    if below:
        inside += ["", footing]
    return Panel(
        Group(*inside),
        title=None if above else heading,
        title_align="left",
        subtitle=None if below else footing,
        subtitle_align="left",
        border_style="green" if answer.accepted else "blue",
    )


def _body(text: str) -> RenderableType:
    """Return a text's Markdown with nothing left out: URLs of links, and HTML as it was written."""
    from rich.markdown import Markdown  # with all of Pygments, which other commands don't need

    rendered = Markdown(text, hyperlinks=False)
    if any(token.type == "table_open" for token in rendered.parsed):
        return Text(text)  # narrow columns lose the ends of long words
    for token in rendered.parsed:
        if token.type == "html_block":
            token.type = "code_block"
        for child in token.children or ():
            if child.type == "html_inline":
                child.type = "text"
    return rendered


def _match_table(matches: tuple[Match, ...]) -> Table:
    table = plain_table("sure", "thread", "key")
    table.header_style = "dim"
    sure, thread, key = table.columns
    sure.justify, key.style = "right", "dim"
    thread.overflow = key.overflow = "fold"
    for match in matches:
        table.add_row(f"{match.confidence:.0%}", Text(match.title), Text(match.key))
    return table


def _lines() -> Iterator[str]:
    # A call each time: a Ctrl-C that another thread got is noticed after it.
    while raw := sys.stdin.buffer.readline():
        yield raw.decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r\n")


def _clean(text: str) -> str:
    """Replace lone surrogates, as which arguments that are not valid UTF-8 reach Python, by "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
