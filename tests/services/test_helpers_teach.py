"""What helpers teach at once, what their choice is worth, and what waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.app import App
from bot.models import SHARED, StoredAnswer, Thread, Verdict, Vote
from bot.search.guild_phrasings import TAUGHT_CONFIDENCE
from bot.services.learning import MAX_PER_THREAD
from bot.services.teaching_rules import MAX_A_DAY
from tests.kit.library import BREAD, HERE, LONG_AGO, THERE, post
from tests.kit.votes import give_reaction

ASKER, SECOND, HELPER, OTHER = 77, 78, 79, 80
OVEN = "my loaf came out like a brick"
MESSAGE = 12


@pytest.fixture(autouse=True)
async def library(bread: Sequence[StoredAnswer]) -> StoredAnswer:
    """The answer to post."""
    return bread[0]


async def bread_id(app: App) -> int:
    thread = await app.answering.find("bread", guild_id=HERE)
    assert thread is not None
    return thread.id


async def teach(app: App, text: str = OVEN, *, guild: int = HERE, thread: int = 0) -> bool:
    thread = thread or await bread_id(app)
    return await app.learning.teach(guild, thread, text, ASKER, MESSAGE)


async def chooses(
    app: App, answer: StoredAnswer, member: int = ASKER, *, helps: bool = False
) -> int:
    message = await post(app, answer, asker=member)
    await app.learning.remember_question(
        message, guild_id=HERE, user_id=member, question=OVEN, joined_at=LONG_AGO
    )
    await app.learning.chose(message, helps=helps)
    return message


async def asks(app: App, guild: int = HERE, asker: int | None = None) -> Verdict:
    return (await app.answering.ask(OVEN, guild_id=guild, asker=asker)).verdict


class TestTeaching:
    async def test_counts_for_the_guild_at_once(self, app: App) -> None:
        assert await asks(app) is Verdict.NONE
        assert await teach(app, f"<@5> {OVEN}")
        reply = await app.answering.ask(OVEN, guild_id=HERE)
        assert (reply.verdict, reply.confidence >= TAUGHT_CONFIDENCE) == (Verdict.ANSWER, True)
        for elsewhere in (THERE, SHARED):
            assert await asks(app, elsewhere) is Verdict.NONE
        (phrasing,) = await app.learning.phrasings(HERE)
        assert (phrasing.text, phrasing.user_id, phrasing.message_id) == (OVEN, ASKER, MESSAGE)
        assert (phrasing.confirmed, phrasing.kept) == (True, True)

    async def test_counts_where_helpers_confirm_what_members_teach(self, app: App) -> None:
        await app.guilds.update(HERE, confirm_phrasings=True)
        assert await teach(app)
        assert await asks(app) is Verdict.ANSWER

    @pytest.mark.parametrize("member", [ASKER, SECOND])
    async def test_makes_what_a_member_had_taught_count(
        self, app: App, library: StoredAnswer, member: int
    ) -> None:
        await app.guilds.update(HERE, confirm_phrasings=True)
        await chooses(app, library, member)
        assert await asks(app) is Verdict.NONE
        assert await teach(app, OVEN.upper())
        assert await asks(app) is Verdict.ANSWER
        (phrasing,) = await app.learning.phrasings(HERE)
        assert (phrasing.text, phrasing.kept) == (OVEN, True)

    async def test_twice_is_once(self, app: App) -> None:
        assert await teach(app)
        assert await teach(app)
        assert len(await app.learning.phrasings(HERE)) == 1

    async def test_no_vote_takes_it_back(self, app: App, library: StoredAnswer) -> None:
        await teach(app)
        message = await chooses(app, library, OTHER)
        await give_reaction(app.voting, message_id=message, user_id=SECOND, value=Vote.DOWN)
        await app.learning.voted(message, SECOND)
        assert await asks(app) is Verdict.ANSWER

    async def test_goes_with_whose_words_they_are(self, app: App) -> None:
        await teach(app)
        assert await app.learning.forget_user(ASKER) == 1
        assert await asks(app) is Verdict.NONE

    async def test_as_much_as_there_is(self, app: App) -> None:
        """Helpers have no limit a day, and don't push out what they taught before."""
        for number in range(MAX_PER_THREAD + MAX_A_DAY):
            assert await teach(app, f"loaf number {number}")
        known = await app.learning.phrasings(HERE)
        assert len(known) == MAX_PER_THREAD + MAX_A_DAY
        assert all(phrasing.kept for phrasing in known)

    @pytest.mark.parametrize(
        "text", ["what?", "", "WHY does my sourdough-bread not rise??", "word " * 100]
    )
    async def test_what_is_not_worth_it(self, app: App, text: str) -> None:
        assert not await teach(app, text)
        assert await app.learning.phrasings(HERE) == []

    async def test_nothing_where_nothing_is_learned(self, app: App) -> None:
        await app.guilds.update(HERE, learn_phrasings=False)
        assert not await teach(app)
        assert not await teach(app, guild=SHARED)
        await app.guilds.update(HERE, learn_phrasings=True)
        assert await app.learning.phrasings(HERE) == []

    async def test_nothing_of_a_thread_that_the_guild_does_not_see(self, app: App) -> None:
        own = Thread(key="own", title="Where is the oven?", answers=BREAD.answers)
        await app.library.add([own], scope=THERE)
        theirs = await app.answering.find("own", guild_id=THERE)
        assert theirs is not None
        assert not await teach(app, thread=theirs.id)
        assert not await teach(app, thread=10**9)
        assert await app.learning.phrasings(HERE) == []
        assert await teach(app, guild=THERE, thread=theirs.id)
        assert await app.learning.phrasings(HERE) == []

    async def test_goes_before_what_members_agree_upon(
        self, app: App, library: StoredAnswer
    ) -> None:
        """They had meant another thread by the same words."""
        for member in (ASKER, SECOND):
            await chooses(app, library, member)
        await app.library.add([replace(BREAD, key="kiln", title="Who fires clay?")])
        kiln = await app.answering.find("kiln", guild_id=HERE)
        assert kiln is not None
        assert await teach(app, thread=kiln.id)
        reply = await app.answering.ask(OVEN, guild_id=HERE, asker=OTHER)
        assert (reply.verdict, reply.matches[0].key) == (Verdict.ANSWER, "kiln")


class TestAHelpersChoice:
    async def test_is_enough(self, app: App, library: StoredAnswer) -> None:
        await chooses(app, library, helps=True)
        (phrasing,) = await app.learning.phrasings(HERE)
        assert (phrasing.confirmed, phrasing.agreed, phrasing.kept) == (True, True, False)
        assert await asks(app) is Verdict.ANSWER
        assert await asks(app, THERE) is Verdict.NONE

    async def test_is_enough_after_the_helper_taught_it_as_a_member(
        self, app: App, library: StoredAnswer
    ) -> None:
        await chooses(app, library)
        assert await asks(app) is Verdict.NONE
        await chooses(app, library, helps=True)
        assert await asks(app) is Verdict.ANSWER
        await chooses(app, library)
        assert await asks(app) is Verdict.ANSWER

    async def test_is_taken_back_by_a_vote(self, app: App, library: StoredAnswer) -> None:
        message = await chooses(app, library, helps=True)
        await give_reaction(app.voting, message_id=message, user_id=OTHER, value=Vote.DOWN)
        await app.learning.voted(message, OTHER)
        assert await asks(app) is Verdict.NONE

    async def test_waits_where_helpers_confirm(self, app: App, library: StoredAnswer) -> None:
        await app.guilds.update(HERE, confirm_phrasings=True)
        await chooses(app, library, HELPER, helps=True)
        assert await asks(app) is Verdict.NONE
        assert await asks(app, asker=HELPER) is Verdict.ANSWER
        (phrasing,) = await app.learning.find(HERE, "brick")
        assert (phrasing.confirmed, phrasing.agreed) == (False, True)
        await app.learning.keep(HERE, phrasing.id)
        assert await asks(app) is Verdict.ANSWER


class TestConfirming:
    async def test_is_looked_at_with_each_question(self, app: App, library: StoredAnswer) -> None:
        for member in (ASKER, SECOND):
            await chooses(app, library, member)
        for on, verdict in ((True, Verdict.NONE), (False, Verdict.ANSWER), (True, Verdict.NONE)):
            await app.guilds.update(HERE, confirm_phrasings=on)
            assert await asks(app) is verdict
            (phrasing,) = await app.learning.phrasings(HERE)
            assert (phrasing.confirmed, phrasing.agreed) == (not on, True)

    async def test_is_one_guilds(self, app: App, library: StoredAnswer) -> None:
        await app.guilds.update(THERE, confirm_phrasings=True)
        for member in (ASKER, SECOND):
            await chooses(app, library, member)
        assert await asks(app) is Verdict.ANSWER
