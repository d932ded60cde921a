"""A forum with many posts, of which is known what is to come of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.posts import LOOKED_AT
from tests.kit.loopback import Guild, Loopback
from tests.kit.loopback.forums import Forum, Post, add_forum, add_post, write
from tests.kit.loopback.world import Message

KINDS = 10
"""Posts of all kinds, in turn."""

EACH = 8
"""Messages of a post, on the average."""

LONG = 100
"""One post of so many is long."""

VIEWS = (1 << 10) | (1 << 11) | (1 << 16) | (1 << 38)
"""View Channel, Send Messages, Read Message History, Send Messages in Threads."""


@dataclass
class Expected:
    """What a backfill is to make of a forum: by post, the messages that are its answers."""

    solved: dict[int, list[int]] = field(default_factory=dict)
    proposed: dict[int, int] = field(default_factory=dict)
    cut: int = 0


@dataclass
class Scene:
    """A forum of a guild, with the people in it."""

    loopback: Loopback
    guild: Guild
    forum: Forum
    asker: int
    friend: int
    other: int
    robot: int
    messages: int = 0

    def say(self, post: Post, author: int, said: str) -> Message:
        self.messages += 1
        return write(self.loopback, self.forum, post, author, said)

    def mark(self, post: Post, solution: Message) -> None:
        """Let another bot say what solved a post."""
        fields = [
            {"name": "Question Message ID", "value": str(post.id)},
            {"name": "Solution Message ID", "value": str(solution.id)},
        ]
        embed = {"type": "rich", "title": "Solved", "fields": fields}
        self.messages += 1
        write(self.loopback, self.forum, post, self.robot, "", embeds=[embed])


def make(loopback: Loopback, posts: int) -> tuple[Scene, Expected]:
    """Make a guild with a forum of so many posts, and eight times as many messages."""
    guild = loopback.add_guild("Garden club", channels=("general",))
    guild.permissions = VIEWS
    ann, bob, eve = (loopback.add_member(guild, name) for name in ("ann", "bob", "eve"))
    robot = loopback.add_member(guild, "helpful", bot=True)
    forum = add_forum(loopback, guild, "help", "Solved")
    scene, expected = Scene(loopback, guild, forum, ann, bob, eve, robot), Expected()
    began = datetime(2024, 1, 1, tzinfo=UTC)
    made = [_post(scene, expected, number) for number in range(posts)]
    long = [post for number, post in enumerate(made) if number % LONG == LONG // 2]
    left = posts * EACH - scene.messages
    for number, post in enumerate(long):
        size = min(LOOKED_AT + 100, left) if number == 0 else left // len(long)
        for n in range(max(0, min(size, posts * EACH - scene.messages))):
            scene.say(post, scene.other, f"I don't know either ({n}).")
        expected.cut += len(loopback.sent[post.id]) > LOOKED_AT
    for number, post in enumerate(made):
        if number % 33:  # the others are active; some are archived at the same time
            post.archived_at = began + timedelta(minutes=number - number % 7 % 2)
    return scene, expected


def _post(scene: Scene, expected: Expected, number: int) -> Post:
    """Make a post of one kind, with a question and two answers or more."""
    kind = number % KINDS
    tags = ["Solved"] if kind == 6 else []
    title = f"How do I water plant number {number}?"
    post = add_post(scene.loopback, scene.forum, scene.asker, title, "It looks dry.", *tags)
    scene.messages += 1
    first = scene.say(post, scene.friend, f"Water plant {number} on Mondays.")
    second = scene.say(post, scene.other, f"Plant {number} needs rain.")
    for _ in range(number % 4):
        scene.say(post, scene.friend, "Did that help?")
    if kind < 4:  # the asker marked it
        scene.loopback.react(second, scene.asker, "✅", silent=True)
        expected.solved[post.id] = [second.id]
    elif kind == 4:  # somebody else did, who is no helper
        scene.loopback.react(second, scene.friend, "✅", silent=True)
    elif kind == 5:
        scene.mark(post, first)
        expected.solved[post.id] = [first.id]
    elif kind == 6:
        for user in (scene.asker, scene.other):
            scene.loopback.react(first, user, "👍", silent=True)
        expected.proposed[post.id] = first.id
    if kind == 0:  # another answer that people like
        for user in (scene.asker, scene.other):
            scene.loopback.react(first, user, "👍", silent=True)
        expected.solved[post.id].append(first.id)
    return post
