"""Forums of SimCord that a bot follows: their tags, posts and messages."""

from __future__ import annotations

from typing import Any

import simcord
from simcord import ChannelHandle
from simcord.builders import GuildHandle

from tests.kit.simcord import forum_post
from tests.kit.world import World


async def forum_with_tags(env: simcord.Env, guild: GuildHandle, name: str, *tags: str) -> Any:
    """Make a forum that has these tags."""
    forum = guild.create_forum_channel(name)
    made = [
        {
            "id": str(env.backend.snowflake()),
            "name": tag,
            "moderated": False,
            "emoji_id": None,
            "emoji_name": None,
        }
        for tag in tags
    ]
    env.backend.edit_channel(forum.id, {"available_tags": made})
    await env.settle()
    return forum


def tag_names(env: simcord.Env, post: ChannelHandle) -> list[str]:
    """Return the names of the tags that a post has."""
    stored: Any = env.backend.get_channel(post.id)
    forum: Any = env.backend.get_channel(stored.parent_id)
    names = {int(tag["id"]): str(tag["name"]) for tag in forum.available_tags}
    return [names[tag_id] for tag_id in stored.applied_tags]


async def set_tags(env: simcord.Env, post: ChannelHandle, *names: str) -> None:
    """Put tags on a post, as its author does."""
    stored: Any = env.backend.get_channel(post.id)
    forum: Any = env.backend.get_channel(stored.parent_id)
    ids = [int(tag["id"]) for tag in forum.available_tags if tag["name"] in names]
    env.backend.edit_channel(post.id, {"applied_tags": ids})
    await env.settle()


async def ask(
    world: World, forum: ChannelHandle, title: str, said: str, asker: Any = None
) -> ChannelHandle:
    """Open a post in a forum, as alice does."""
    return await forum_post(world.env, asker or world.alice, forum, title, said)
