"""A followed forum with tags, a helper, and somebody who answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from simcord import ChannelHandle

from tests.kit.forums import ask, forum_with_tags
from tests.kit.messages import last, told
from tests.kit.world import World

TITLE = "Why do the tomatoes turn yellow?"
QUESTION = "They stand in **clay**, since June."
ANSWER = "Water them less: clay holds the water."
ASKED = "why do tomatoes turn yellow"


@dataclass
class Help:
    """The forum, in which bob answers what alice asks; fern is a helper."""

    world: World
    forum: Any
    fern: Any

    async def post(self, title: str = TITLE, said: str = QUESTION, asker: Any = None) -> Any:
        return await ask(self.world, self.forum, title, said, asker)

    async def answered(self, said: str = ANSWER) -> tuple[Any, Any]:
        """A post in which bob has answered, and his message."""
        post = await self.post()
        return post, await self.say(post, said)

    async def say(self, post: Any, said: str, member: Any = None) -> Any:
        await (member or self.world.bob).send(post, said)
        return last(post)

    async def mark(self, member: Any, message: Any) -> Any:
        """Use the menu on a message; returns what the member is told."""
        place = ChannelHandle(
            self.world.env,
            self.world.guild,
            self.world.env.backend.get_channel(message.channel.id),
        )
        return await member.context_menu(place, "Mark as solution", message)

    async def mark_as(self, member: Any, message: Any) -> str:
        return str(told(await self.mark(member, message)).content)

    async def served(self, question: str = ASKED) -> Any:
        """The answer's text on the card that bob gets, or None."""
        await self.world.bob.send(self.world.general, f"{self.world.me} {question}")
        embeds = last(self.world.general).embeds
        return embeds[0].description.split("\n")[0] if embeds else None

    async def thread(self, post: Any) -> Any:
        """The thread that a post became, with its answers in the source's order."""
        known = await self.world.app.followed_posts.known(self.world.guild.id, post.id)
        if known is None or known.thread_id is None:
            return None
        found = await self.world.app.answering.serve(known.thread_id, guild_id=self.world.guild.id)
        return found

    async def state(self, post: Any) -> str | None:
        known = await self.world.app.followed_posts.known(self.world.guild.id, post.id)
        return None if known is None else known.state.value


@pytest.fixture
async def help_(world: World) -> Help:
    forum = await forum_with_tags(world.env, world.guild, "help", "Bug", "Solved", *"abcde")
    role = world.guild.create_role("Helpers")
    await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
    fern = world.guild.add_member(world.env.create_user("fern"), roles=[role])
    await world.mo.slash(world.general, "library follow", channel=forum)
    return Help(world, forum, fern)
