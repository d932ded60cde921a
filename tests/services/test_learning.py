"""Learning of phrasings: which are kept, which are in memory, how current the search is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import App
from bot.errors import NotFound
from bot.models import SHARED, Posting, StoredAnswer, Thread, Verdict, Vote
from bot.search.guild_phrasings import TAUGHT_CONFIDENCE
from bot.services import guilds, recent_questions
from bot.services.learning import MAX_PER_THREAD
from bot.services.recent_questions import RecentQuestion, RecentQuestions
from bot.services.teaching_rules import MAX_A_DAY, MAX_LENGTH
from tests.kit.library import BREAD, HERE, LONG_AGO, THERE, post, titles
from tests.kit.votes import give_reaction

ASKER, SECOND, OTHER = 77, 78, 79
OVEN = "my loaf came out like a brick"


@pytest.fixture(autouse=True)
async def library(bread: Sequence[StoredAnswer]) -> StoredAnswer:
    """The answer to post."""
    return bread[0]


async def teach(
    app: App,
    answer: StoredAnswer,
    question: str,
    *,
    guild: int = HERE,
    user: int | None = None,
    asker: int = ASKER,
    joined_at: datetime | None = LONG_AGO,
) -> int:
    """Let a member be answered and vote for it; returns the message."""
    message = await post(app, answer, guild, asker=asker)
    await app.learning.remember_question(
        message,
        guild_id=guild,
        user_id=asker if user is None else user,
        question=question,
        joined_at=joined_at,
    )
    assert await give_reaction(app.voting, message_id=message, user_id=asker, value=Vote.UP)
    await app.learning.voted(message, asker)
    return message


async def teach_all(app: App, answer: StoredAnswer, question: str, *, guild: int = HERE) -> None:
    """Let two members teach a wording, so that it counts for everybody in the guild."""
    for member in (ASKER, SECOND):
        await teach(app, answer, question, guild=guild, asker=member)


async def texts(app: App, guild: int = HERE) -> list[str]:
    return [phrasing.text for phrasing in await app.learning.phrasings(guild)]


async def asks(
    app: App, question: str = OVEN, guild: int = HERE, asker: int | None = None
) -> Verdict:
    return (await app.answering.ask(question, guild_id=guild, asker=asker)).verdict


class TestWhatIsLearned:
    async def test_the_words_without_markup(self, app: App, library: StoredAnswer) -> None:
        await teach(app, library, f"<@5> {OVEN}\n<:sad:123456789012345678> https://example.org/x")
        assert await texts(app) == [OVEN]

    @pytest.mark.parametrize(
        "question",
        [
            "how do I do it?",  # says nothing of what it is about
            "what?",
            "help",
            "Hello, is there somebody?",
            "What's the problem again, please?",
            "<@1> ???",
            "x" * 20 + " word" * (MAX_LENGTH // 5),
            "WHY does my sourdough-bread not rise??",  # the title
            "my sourdough is flat!",  # a phrasing of its own
        ],
    )
    async def test_what_is_not_worth_it(
        self, app: App, library: StoredAnswer, question: str
    ) -> None:
        await app.library.add([replace(BREAD, phrasings=("My sourdough is flat",))])
        await teach(app, library, question)
        assert await texts(app) == []

    async def test_as_long_as_may_be(self, app: App, library: StoredAnswer) -> None:
        longest = ("brick " * MAX_LENGTH)[: MAX_LENGTH - 1] + "k"
        await teach(app, library, longest)
        assert await texts(app) == [longest]

    async def test_the_oldest_gives_way(self, app: App, library: StoredAnswer) -> None:
        for number in range(MAX_PER_THREAD + 2):
            await teach(app, library, f"loaf number {number}")
        assert await texts(app) == [f"loaf number {n}" for n in range(MAX_PER_THREAD + 1, 1, -1)]

    async def test_only_the_askers_own_words(self, app: App, library: StoredAnswer) -> None:
        await teach(app, library, OVEN, user=ASKER + 1)
        assert await texts(app) == []

    async def test_nothing_of_direct_messages(self, app: App, library: StoredAnswer) -> None:
        message = await teach(app, library, OVEN, guild=SHARED)
        await app.learning.chose(message)
        await app.learning.pressed(answer_id=library.id, guild_id=SHARED, user_id=ASKER)
        assert await texts(app, SHARED) == []
        assert app.learning.question(message) == ""

    async def test_a_thread_that_is_gone(self, app: App, library: StoredAnswer) -> None:
        message = await post(app, library)
        await app.learning.remember_question(message, guild_id=HERE, user_id=ASKER, question=OVEN)
        await app.postings.record(_elsewhere(message, guild=HERE, thread=1, answer=library.id))
        await app.postings.forget([message])
        await app.learning.chose(message)
        await app.learning.cleared(message)
        assert await texts(app) == []

    async def test_a_guilds_own_thread(self, app: App) -> None:
        own = Thread(key="own", title="Where is the oven?", answers=BREAD.answers)
        await app.library.add([own], scope=HERE)
        thread = await app.answering.find("own", guild_id=HERE)
        assert thread is not None
        message = await post(app, thread.answers[0])
        await app.postings.record(
            _elsewhere(message, guild=HERE, thread=thread.id, answer=thread.answers[0].id)
        )
        await app.learning.remember_question(message, guild_id=HERE, user_id=ASKER, question=OVEN)
        await app.learning.chose(message)
        assert await asks(app, asker=ASKER) is Verdict.ANSWER
        assert await asks(app, guild=THERE, asker=ASKER) is Verdict.NONE


class TestWhoItCountsFor:
    async def test_the_member_who_taught_it(self, app: App, library: StoredAnswer) -> None:
        await teach(app, library, OVEN)
        (phrasing,) = await app.learning.phrasings(HERE)
        assert (phrasing.confirmed, phrasing.teachers) == (False, (ASKER,))
        assert await asks(app, "My loaf came out like a BRICK!", asker=ASKER) is Verdict.ANSWER
        assert await asks(app, "my loaf came out like a bricck", asker=ASKER) is Verdict.ANSWER
        assert await asks(app, "why a brick of a loaf", asker=ASKER) is Verdict.NONE
        for other in (OTHER, None):
            assert await asks(app, asker=other) is Verdict.NONE

    async def test_all_once_a_second_member_teaches_it(
        self, app: App, library: StoredAnswer
    ) -> None:
        await teach(app, library, OVEN)
        await teach(app, library, OVEN)  # the same member again
        assert await asks(app) is Verdict.NONE
        await teach(app, library, OVEN.upper(), asker=SECOND)
        (phrasing,) = await app.learning.phrasings(HERE)
        assert (phrasing.confirmed, phrasing.teachers) == (True, (ASKER, SECOND))
        assert (phrasing.text, phrasing.user_id) == (OVEN, ASKER)
        reply = await app.answering.ask(OVEN, guild_id=HERE)
        assert (reply.verdict, reply.confidence >= TAUGHT_CONFIDENCE) == (Verdict.ANSWER, True)

    async def test_all_once_a_moderator_keeps_it(self, app: App, library: StoredAnswer) -> None:
        message = await teach(app, library, OVEN)
        (phrasing,) = await app.learning.phrasings(HERE)
        for guild, number in ((THERE, phrasing.id), (HERE, phrasing.id + 1)):
            with pytest.raises(NotFound):
                await app.learning.keep(guild, number)
        assert await asks(app) is Verdict.NONE
        assert await app.learning.keep(HERE, phrasing.id) == OVEN
        assert await asks(app) is Verdict.ANSWER
        await give_reaction(app.voting, message_id=message, user_id=OTHER, value=Vote.DOWN)
        await app.learning.voted(message, OTHER)
        assert await asks(app) is Verdict.ANSWER  # a member's vote doesn't overrule a moderator
        await app.learning.remove(HERE, phrasing.id)
        assert await asks(app) is Verdict.NONE

    @pytest.mark.parametrize("age", [None, timedelta(hours=23)])
    async def test_new_members_teach_themselves_alone(
        self, app: App, library: StoredAnswer, age: timedelta | None
    ) -> None:
        joined_at = None if age is None else datetime.now(UTC) - age
        await teach(app, library, OVEN)
        await teach(app, library, OVEN, asker=SECOND, joined_at=joined_at)
        assert await asks(app, asker=SECOND) is Verdict.ANSWER
        assert await asks(app) is Verdict.NONE
        settled = datetime.now(UTC) - timedelta(hours=25)
        await teach(app, library, OVEN, asker=SECOND, joined_at=settled)  # a day later, say
        assert await asks(app) is Verdict.ANSWER

    async def test_the_eleventh_of_a_day_counts_for_nobody_else(
        self, app: App, library: StoredAnswer
    ) -> None:
        said = [f"loaf number {'x' * n}" for n in range(1, MAX_A_DAY + 2)]
        for question in said:
            await teach(app, library, question, asker=SECOND)
            await teach(app, library, question, asker=OTHER if question == said[-1] else ASKER)
        confirmed = {p.text: p.confirmed for p in await app.learning.phrasings(HERE)}
        assert confirmed == {question: question != said[-1] for question in said}
        assert await asks(app, said[-1], asker=SECOND) is Verdict.ANSWER

    async def test_ones_own_goes_before_the_servers(self, app: App, library: StoredAnswer) -> None:
        await app.library.add([Thread(key="kiln", title="Who fires clay?", answers=BREAD.answers)])
        await teach_all(app, library, OVEN)
        kiln = await app.answering.find("kiln", guild_id=HERE)
        assert kiln is not None
        message = await post(app, kiln.answers[0], asker=OTHER)
        posting = _elsewhere(message, guild=HERE, thread=kiln.id, answer=kiln.answers[0].id)
        await app.postings.record(replace(posting, asker_id=OTHER))
        await app.learning.remember_question(message, guild_id=HERE, user_id=OTHER, question=OVEN)
        await app.learning.chose(message)
        for asker, key in ((OTHER, "kiln"), (ASKER, "bread"), (None, "bread")):
            reply = await app.answering.ask(OVEN, guild_id=HERE, asker=asker)
            assert (reply.verdict, reply.matches[0].key) == (Verdict.ANSWER, key)


class TestJapan:
    """What a member chose by mistake for one question is neither told to others, nor for others."""

    JAPAN, MONGOLIA = "what's the capital of Japan?", "what's the capital of Mongolia?"

    @pytest.fixture(autouse=True)
    async def league(self, app: App) -> StoredAnswer:
        title = "Why did Japan leave the League of Nations?"
        await app.library.add([Thread(key="league", title=title, answers=BREAD.answers)])
        thread = await app.answering.find("league", guild_id=HERE)
        assert thread is not None
        return thread.answers[0]

    async def chooses(self, app: App, answer: StoredAnswer, member: int) -> None:
        message = await post(app, answer, asker=member)
        thread = await app.answering.find("league", guild_id=HERE)
        assert thread is not None
        posting = _elsewhere(message, guild=HERE, thread=thread.id, answer=answer.id)
        await app.postings.record(replace(posting, asker_id=member))
        await app.learning.remember_question(
            message, guild_id=HERE, user_id=member, question=self.JAPAN, joined_at=LONG_AGO
        )
        await app.learning.chose(message)

    async def test_the_capital_of_japan(self, app: App, league: StoredAnswer) -> None:
        await self.chooses(app, league, ASKER)
        own = await app.answering.ask(self.JAPAN, guild_id=HERE, asker=ASKER)
        assert own.verdict is Verdict.ANSWER
        assert own.confidence >= TAUGHT_CONFIDENCE
        others = await app.answering.ask(self.JAPAN, guild_id=HERE, asker=SECOND)
        assert others.confidence < TAUGHT_CONFIDENCE
        assert others.verdict is not Verdict.ANSWER
        for asker in (ASKER, SECOND, None):
            assert await asks(app, self.MONGOLIA, asker=asker) is not Verdict.ANSWER
        await self.chooses(app, league, SECOND)
        for asker in (ASKER, SECOND, OTHER, None):
            reply = await app.answering.ask(self.JAPAN, guild_id=HERE, asker=asker)
            assert reply.verdict is Verdict.ANSWER
            assert reply.confidence >= TAUGHT_CONFIDENCE
            assert await asks(app, self.MONGOLIA, asker=asker) is not Verdict.ANSWER

    async def test_slips_of_the_same_words(self, app: App, league: StoredAnswer) -> None:
        for member in (ASKER, SECOND):
            await self.chooses(app, league, member)
        for said in (
            "whats teh capital",
            "what's the captial of Japan",
            "what is capital of japann",
        ):
            reply = await app.answering.ask(said, guild_id=HERE)
            assert (reply.confidence == TAUGHT_CONFIDENCE) == ("japan" in said.casefold()), said


class TestTheNextQuestion:
    async def test_is_answered_in_this_guild_only(self, app: App, library: StoredAnswer) -> None:
        assert await asks(app) is Verdict.NONE
        await teach_all(app, library, OVEN)
        assert await asks(app) is Verdict.ANSWER
        assert await asks(app, guild=THERE) is Verdict.NONE
        assert await asks(app, guild=SHARED) is Verdict.NONE

    async def test_finds_the_thread_by_its_words(self, app: App, library: StoredAnswer) -> None:
        await teach_all(app, library, OVEN)
        thread = await app.answering.find(OVEN, guild_id=HERE)
        assert thread is not None
        assert thread.key == "bread"

    async def test_knows_what_was_taken_back(self, app: App, library: StoredAnswer) -> None:
        await teach_all(app, library, OVEN)
        assert await asks(app) is Verdict.ANSWER
        (phrasing,) = await app.learning.phrasings(HERE)
        await app.learning.remove(HERE, phrasing.id)
        assert await asks(app) is Verdict.NONE

    async def test_in_another_program(self, app: App, second: App, library: StoredAnswer) -> None:
        assert await asks(second) is Verdict.NONE
        await teach_all(app, library, OVEN)
        assert await asks(second) is Verdict.ANSWER
        await app.learning.forget_user(ASKER)
        assert await asks(second) is Verdict.NONE
        assert await asks(second, asker=SECOND) is Verdict.ANSWER

    async def test_after_the_thread_got_another_title(
        self, app: App, library: StoredAnswer
    ) -> None:
        await teach_all(app, library, OVEN)
        await asks(app)
        await app.library.add([replace(BREAD, title="Why is it so flat?", body="")])
        reply = await app.answering.ask(OVEN, guild_id=HERE)
        assert reply.matches[0].title == "Why is it so flat?"

    async def test_of_more_guilds_than_are_kept_in_memory(
        self, app: App, library: StoredAnswer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(guilds, "GUILDS", 2)
        for guild in range(1, 5):
            await teach_all(app, library, OVEN, guild=guild)
        for guild in (1, 2, 3, 4, 1, 1, 4):
            assert await asks(app, guild=guild) is Verdict.ANSWER

    async def test_leaves_titles_and_export_alone(self, app: App, library: StoredAnswer) -> None:
        await teach_all(app, library, OVEN)
        assert await titles(app, HERE) == [BREAD.title]
        assert len(app.engine) == 1
        thread = await app.answering.serve(1, guild_id=HERE)
        assert thread is not None
        assert thread.phrasings == ()


class TestSwitch:
    async def test_the_hosts(self, app: App, library: StoredAnswer) -> None:
        await teach_all(app, library, OVEN)
        off = app.settings.model_copy(update={"learn_phrasings": False})
        other = await App.open(off)
        assert await asks(other) is Verdict.NONE
        await teach(other, library, "like a stone")
        assert await texts(other) == [OVEN]
        await other.guilds.update(HERE, learn_phrasings=True)
        assert await asks(other) is Verdict.ANSWER
        await other.close()

    async def test_switched_off_between_question_and_vote(
        self, app: App, library: StoredAnswer
    ) -> None:
        message = await post(app, library)
        await app.learning.remember_question(message, guild_id=HERE, user_id=ASKER, question=OVEN)
        await app.guilds.update(HERE, learn_phrasings=False)
        await app.learning.chose(message)
        assert await texts(app) == []


class TestMemory:
    def test_the_oldest_question_goes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recent_questions, "MAX_RECENT", 3)
        memory = RecentQuestions()
        for message in (1, 2, 3, 1, 4):  # the first one is asked again
            memory.keep(message, RecentQuestion(7, str(message)))
        assert [memory.get(message) is not None for message in (1, 2, 3, 4)] == [
            True,
            False,
            True,
            True,
        ]
        assert len(memory) == 3

    def test_a_member_is_forgotten(self) -> None:
        memory = RecentQuestions()
        memory.keep(1, RecentQuestion(7, "a"))
        memory.keep(2, RecentQuestion(8, "b"))
        memory.forget_user(7)
        assert memory.get(1) is None
        assert memory.get(2) == RecentQuestion(8, "b")


def _elsewhere(message: int, *, guild: int, thread: int, answer: int) -> Posting:
    return Posting(
        message_id=message,
        channel_id=5,
        guild_id=guild,
        thread_id=thread,
        answer_id=answer,
        asker_id=ASKER,
    )
