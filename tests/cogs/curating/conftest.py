"""A helper without Manage Server, and what tests of forms ask."""

from __future__ import annotations

import pytest
from simcord import MemberActor

from tests.kit.world import World


@pytest.fixture
async def hal(world: World) -> MemberActor:
    """A member with a helper role."""
    role = world.guild.create_role("Helpers")
    hal = world.guild.add_member(world.env.create_user("hal"), roles=[role])
    await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
    return hal
