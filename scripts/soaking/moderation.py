"""What helpers and moderators do: curate, import, follow a forum, change settings."""

from __future__ import annotations

from typing import Any

from simcord import ChannelHandle

from soaking import content
from soaking.events import Alone, Missed, need
from soaking.servers import Server
from soaking.state import Soak
from tests.kit.messages import items, labels, offered, shown, told
from tests.kit.simcord import forum_post

POSTS = 30
"""Posts of a server's forum that members still write in, the newest."""

TITLES = 8
"""Threads of the shared library that helpers come back to, so that changes meet each other."""


def _place(server: Server) -> ChannelHandle:
    return server.channels["spare"]


def _key(soak: Soak, server: Server) -> str:
    if server.imported and soak.random.random() < 0.4:
        return f"own-{soak.random.randrange(server.imported)}"
    deed = content.DEEDS[soak.random.randrange(TITLES)][0]
    return f"{deed}-{content.THINGS[server.number % len(content.THINGS)]}"


async def _import(soak: Soak, server: Server, first: int, count: int) -> None:
    server.edition += 1
    data = content.own_file(soak.random, server.number, first, count, server.edition)
    mo = server.moderator
    result = await mo.slash(_place(server), "library import", file=("own.jsonl", data))
    said = told(result)
    if not said.embeds:
        soak.fault(f"an import was refused: {said.content}")


async def import_file(soak: Soak, server: Server) -> None:
    """Bring in threads of the server's own."""
    first, server.imported = server.imported, min(60, server.imported + 10)
    await _import(soak, server, first, server.imported - first or 10)


async def import_again(soak: Soak, server: Server) -> None:
    """Bring a file in again, of which some answers say something else."""
    if not server.imported:
        raise Missed
    await _import(soak, server, 0, server.imported)
    soak.refresh(server)


async def save_answer(soak: Soak, server: Server) -> None:
    """Save a writer's message as an answer."""
    channel = server.channels["general"]
    writer = soak.random.choice(server.writers)
    number = soak.random.randrange(40)
    text = f"The {content.secret(server.number, 1000 + number)} lies on shelf {number}."
    message = await writer.send(channel, text)
    opened = await server.helper.context_menu(channel, "Save as answer", message)
    title = f"Where is the {content.secret(server.number, 1000 + number)} kept?"
    fields = [row["component"] for row in need(opened.modal)["components"]]
    values = {each["custom_id"]: each.get("value") or "" for each in fields}
    await server.helper.submit_modal(opened, values | {"title": title})
    soak.refresh(server)


async def edit_answer(soak: Soak, server: Server) -> None:
    """Edit an answer, or take it out; a shared thread becomes a version of the server's own."""
    helper, place = server.helper, _place(server)
    menu = (await helper.slash(place, "answer edit", thread=_key(soak, server))).response
    if menu is None or not any(item.get("options") for item in items(menu)):
        raise Missed
    parts = [value for label, value in offered(menu).items() if label.startswith("Answer ")]
    if not parts:
        raise Missed
    opened = await helper.select(menu, [soak.random.choice(parts)])
    text = f"As server {server.number} does it, in its edition {soak.event}."
    if soak.random.random() < 0.1:
        text = ""
    await helper.submit_modal(opened, {"text": text})
    soak.refresh(server)


async def undo(soak: Soak, server: Server) -> None:
    """Take the last change of a thread back."""
    await server.helper.slash(_place(server), "answer undo", thread=_key(soak, server))
    soak.refresh(server)


async def merge(soak: Soak, server: Server) -> None:
    """Make one thread of two, and mostly take it back."""
    first, second = _key(soak, server), _key(soak, server)
    done = await server.helper.slash(_place(server), "answer merge", first=first, second=second)
    soak.refresh(server)
    said: Any = told(done)
    if soak.random.random() < 0.7 and said is not None and "Undo" in labels(said):
        await server.helper.click(said, label="Undo")
        soak.refresh(server)


async def accept(soak: Soak, server: Server) -> None:
    """Accept an answer, or take that back."""
    mo = server.moderator
    page = need((await mo.slash(_place(server), "thread", query=_key(soak, server))).response)
    ids = [str(item.get("custom_id")) for item in items(page)]
    pressed = need(next((i for i in ids if i.startswith(("tw:accept:", "tw:unaccept:"))), None))
    await mo.click(page, custom_id=pressed)


async def open_post(soak: Soak, server: Server) -> None:
    """Ask in the followed forum, and get an answer there."""
    asker, writer = soak.random.choice(server.voters), soak.random.choice(server.writers)
    word = content.secret(server.number, 5000 + soak.event)
    title = f"How is the {word} mended?"
    post = await forum_post(soak.env, asker, server.channels["help"], title, "It is broken.")
    await writer.send(post, f"Turn the {word} round, and glue it.")
    server.posts.append((post, asker))
    for old, _ in server.posts[:-POSTS]:
        soak.env.backend.messages.pop(old.id, None)
    del server.posts[:-POSTS]


def _post(soak: Soak, server: Server) -> tuple[Any, Any, list[Any]]:
    if not server.posts:
        raise Missed
    post, asker = soak.random.choice(server.posts)
    written = [m for m in post.history() if m.author.id in {w.id for w in server.writers}]
    if not written or asker not in server.voters:
        raise Missed
    return post, asker, written


async def solve_post(soak: Soak, server: Server) -> None:
    """Mark a message as what solved a post."""
    post, asker, written = _post(soak, server)
    await asker.context_menu(post, "Mark as solution", soak.random.choice(written))
    soak.refresh(server)


async def edit_post(soak: Soak, server: Server) -> None:
    """Edit what may have solved a post."""
    _, _, written = _post(soak, server)
    message = soak.random.choice(written)
    writer = next(w for w in server.writers if w.id == message.author.id)
    await writer.edit(message, f"Turn it twice and glue it in step {soak.event}.")
    soak.refresh(server)


async def delete_in_post(soak: Soak, server: Server) -> None:
    """Delete what may have solved a post, or all of the post."""
    post, _, written = _post(soak, server)
    if soak.random.random() < 0.4:
        soak.env.backend.delete_channel(post.id)
        server.posts[:] = [each for each in server.posts if each[0] is not post]
        await soak.env.settle()
    else:
        await server.moderator.delete(soak.random.choice(written))
    soak.refresh(server)


async def remove_thread(soak: Soak, server: Server) -> None:
    """Take a thread of the server's own out; it is deleted for good a day later, or comes back."""
    if not server.imported:
        raise Missed
    key = f"own-{soak.random.randrange(server.imported)}"
    mo = server.moderator
    asked = await mo.slash(_place(server), "library remove", thread=key)
    page = need(asked.response)
    await mo.click(page, label=need(next((text for text in labels(page) if text), None)))
    if soak.random.random() < 0.5:
        await mo.slash(_place(server), "library restore")
    soak.refresh(server)


async def change_setting(soak: Soak, server: Server) -> None:
    """Change one of the settings, or look at them."""
    mo, place = server.moderator, _place(server)
    way = soak.random.randrange(6)
    if way == 0:
        await mo.slash(place, "settings show")
    elif way == 1:
        await mo.slash(place, "settings policy", policy=soak.random.choice(("score", "accepted")))
    elif way == 2:
        await mo.slash(place, "settings learning", confirm=soak.random.choice(("on", "off")))
    elif way == 3:
        mode = soak.random.choice(("mention", "ask", "questions", "off"))
        await mo.slash(place, "settings channel", channel=server.channels["general"], mode=mode)
    elif way == 4:
        preset = soak.random.choice(("cautious", "balanced", "talkative"))
        await mo.slash(place, "settings thresholds", preset=preset)
    else:
        await mo.slash(place, "settings unanswered", emoji=soak.random.choice(("👀", "off", "🔍")))


async def list_phrasings(soak: Soak, server: Server) -> None:
    """Look at what was learned, and now and then take one out."""
    page = shown(await server.moderator.slash(_place(server), "phrasings list"))
    remove = [str(text) for text in labels(page) if text and str(text).startswith("Remove ")]
    if remove and soak.random.random() < 0.3:
        await server.moderator.click(page, label=soak.random.choice(remove))


async def renew_channel(soak: Soak, server: Server) -> None:
    """Delete a channel with all that is in it, and make another."""
    old = server.channels["general"]
    soak.env.backend.delete_channel(old.id)
    soak.env.backend.messages.pop(old.id, None)
    server.drop_messages({c.message_id for c in server.cards.values() if c.channel_id == old.id})
    server.drop_messages({q for q, (c, _) in server.questions.items() if c == old.id})
    server.channels["general"] = server.guild.create_text_channel("general")
    await soak.env.settle()


ALONE: dict[Alone, float] = {
    import_file: 0.4,
    import_again: 0.6,
    save_answer: 4,
    edit_answer: 4,
    undo: 3,
    merge: 1.5,
    accept: 4,
    open_post: 6,
    solve_post: 5,
    edit_post: 3,
    delete_in_post: 2,
    remove_thread: 1.5,
    change_setting: 3,
    list_phrasings: 1,
    renew_channel: 0.3,
}
