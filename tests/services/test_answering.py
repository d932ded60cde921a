"""Answers to questions: matches, verdicts, and which threads a server sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app import App
from bot.models import SHARED, Answer, Policy, StoredAnswer, StoredThread, Thread, Verdict, Vote
from bot.services.answering import in_serving_order, likelihood
from tests.kit.library import BREAD, HERE, THERE
from tests.kit.votes import press_button

DAY = datetime(2020, 1, 1, tzinfo=UTC)
QUESTION = "why does my sourdough bread not rise"


def answer(
    number: int, tally: int = 0, *, accepted: bool = False, day: int | None = None
) -> StoredAnswer:
    when = None if day is None else DAY + timedelta(days=day)
    return StoredAnswer(
        id=number, body=str(number), votes=tally, accepted=accepted, answered_at=when
    )


def order(policy: Policy, *answers: StoredAnswer) -> list[int]:
    return [a.id for a in in_serving_order(answers, policy)]


class TestServingOrder:
    @pytest.mark.parametrize(
        ("answers", "accepted", "score"),
        [
            # The accepted one leads, however well others do.
            ([answer(1, 9), answer(2, 0, accepted=True)], [2, 1], [1, 2]),
            # A disliked one leads only while nobody likes another.
            ([answer(1, 1), answer(2, -1, accepted=True)], [1, 2], [1, 2]),
            ([answer(1, 0), answer(2, -1, accepted=True)], [2, 1], [1, 2]),
            # By tally, then the older, those without a date last.
            ([answer(1, 1), answer(2, 5)], [2, 1], [2, 1]),
            ([answer(1, 1, day=9), answer(2, 1, day=3), answer(3, 1)], [2, 1, 3], [2, 1, 3]),
            ([answer(2), answer(1)], [1, 2], [1, 2]),
            # Accepted breaks ties.
            ([answer(1, 4, day=1), answer(2, 4, accepted=True, day=2)], [2, 1], [2, 1]),
            ([], [], []),
        ],
    )
    def test_follows_the_policy(
        self, answers: Sequence[StoredAnswer], accepted: list[int], score: list[int]
    ) -> None:
        assert order(Policy.ACCEPTED, *answers) == accepted
        assert order(Policy.SCORE, *answers) == score

    @given(
        st.lists(
            st.builds(
                answer,
                st.integers(1, 99),
                st.integers(-3, 3),
                accepted=st.booleans(),
                day=st.none() | st.integers(0, 3),
            ),
            max_size=7,
            unique_by=lambda a: a.id,
        ),
        st.sampled_from(Policy),
    )
    def test_is_what_the_policy_defines(self, answers: list[StoredAnswer], policy: Policy) -> None:
        served = list(in_serving_order(answers, policy))
        assert sorted(a.id for a in served) == sorted(a.id for a in answers)
        assert served == list(in_serving_order(answers[::-1], policy))
        chosen = [a for a in answers if a.accepted]
        disliked = any(a.tally < 0 for a in chosen)
        others_liked = any(a.tally > 0 for a in answers if not a.accepted)
        lead = 0
        if policy is Policy.ACCEPTED and not (disliked and others_liked):
            lead = len(chosen)
            assert all(a.accepted for a in served[:lead])
        for group in (served[:lead], served[lead:]):
            for first, second in pairwise(group):
                assert first.tally >= second.tally
                if first.tally == second.tally:
                    if policy is Policy.SCORE:
                        assert first.accepted or not second.accepted
                    if policy is Policy.ACCEPTED or first.accepted is second.accepted:
                        assert _age(first) <= _age(second)


def _age(found: StoredAnswer) -> tuple[bool, datetime, int]:
    return (found.answered_at is None, found.answered_at or DAY, found.id)


class TestVerdicts:
    @pytest.fixture(autouse=True)
    async def library(self, app: App) -> None:
        await app.library.add([BREAD, Thread(key="silent", title="Which oven is the hottest?")])

    async def test_above_the_answer_threshold_there_is_an_answer(self, app: App) -> None:
        reply = await app.answering.ask(QUESTION)
        assert reply.verdict is Verdict.ANSWER
        assert reply.thread is not None
        assert reply.answer == reply.thread.answers[0]
        assert reply.answer.body == "The starter is too young."
        assert reply.confidence == reply.matches[0].confidence
        assert (reply.question, reply.matches[0].key) == (QUESTION, "bread")
        assert reply.took_ms > 0

    async def test_thresholds_are_the_guilds_and_the_bounds_belong_above(self, app: App) -> None:
        weak = "sourdough rise in the cold cellar of an old mill"
        reply = await app.answering.ask(weak)
        sure, hope = reply.confidence, likelihood(reply.matches)
        assert 0 < sure <= hope < 1
        more = math.nextafter(sure, 1)

        async def verdict(suggest: float, answer: float) -> Verdict:
            await app.guilds.update(HERE, suggest_threshold=suggest, answer_threshold=answer)
            reply = await app.answering.ask(weak, guild_id=HERE)
            assert (reply.thread is None) is (reply.answer is None)
            assert (reply.thread is not None) is (reply.verdict is Verdict.ANSWER)
            assert reply.matches[0].confidence == sure
            return reply.verdict

        assert await verdict(0, sure) is Verdict.ANSWER
        assert await verdict(0, more) is Verdict.SUGGEST
        assert await verdict(hope, 1) is Verdict.SUGGEST
        assert await verdict(math.nextafter(hope, 1), 1) is Verdict.NONE
        elsewhere = await app.answering.ask(weak, guild_id=THERE)
        assert elsewhere.verdict is (await app.answering.ask(weak)).verdict

    async def test_a_thread_without_answers_is_suggested(self, app: App) -> None:
        reply = await app.answering.ask("Which oven is the hottest?")
        assert (reply.verdict, reply.matches[0].key) == (Verdict.SUGGEST, "silent")
        assert reply.confidence >= app.settings.answer_threshold
        assert (reply.thread, reply.answer) == (None, None)

    async def test_nothing_like_it_is_no_match(self, app: App) -> None:
        reply = await app.answering.ask("quantum chromodynamics")
        assert (reply.verdict, reply.confidence, reply.matches) == (Verdict.NONE, 0.0, ())

    async def test_no_more_matches_than_asked_for(self, app: App) -> None:
        answers = [(Answer(body=f"Because of {n}."),) for n in range(9)]
        await app.library.add(
            [replace(BREAD, key=f"k{n}", answers=a) for n, a in enumerate(answers)]
        )
        for limit in (1, 5, 9):
            assert len((await app.answering.ask(QUESTION, limit=limit)).matches) == limit

    async def test_a_guild_is_answered_from_its_own_and_the_shared_threads(self, app: App) -> None:
        ours = Thread(key="ours", title="Where is the club's key to the greenhouse?")
        await app.library.add([replace(ours, answers=BREAD.answers)], scope=HERE)
        verdicts = {
            guild: (await app.answering.ask(ours.title, guild_id=guild)).verdict
            for guild in (SHARED, HERE, THERE)
        }
        assert verdicts.pop(HERE) is Verdict.ANSWER
        assert set(verdicts.values()) == {Verdict.NONE}
        assert (await app.answering.ask(QUESTION, guild_id=HERE)).verdict is Verdict.ANSWER

    @pytest.mark.parametrize(
        "question",
        [
            "",
            " \n\t",
            "🦀🎉👩‍👩‍👧",
            "?!... -- (&) \"' \\ AND OR NOT *:^~[]{}",
            "title:bread AND (",
            "\u200b\u200d\ufeff\u2060",
            "パンはなぜ膨らまないのですか",
            "почему мой хлеб не поднимается",
            "**why** does `my` ||bread|| <@123> @everyone <#5> not __rise__",
            "bread " * 1_000,
            "x" * 6_000,
            "\x00\ud800",
        ],
    )
    async def test_odd_questions_get_a_reply(self, app: App, question: str) -> None:
        reply = await app.answering.ask(question)
        assert 0 <= reply.confidence <= 1
        await app.answering.find(question)
        await app.answering.complete(question)


class TestServing:
    async def test_a_thread_in_the_guilds_order(self, app: App) -> None:
        await app.library.add([BREAD])
        for user in range(3):
            await press_button(app.voting, answer_id=2, guild_id=HERE, user_id=user, value=Vote.UP)
        for guild, expected in ((SHARED, [1, 2]), (HERE, [2, 1])):
            thread = await app.answering.serve(1, guild_id=guild)
            assert thread is not None
            assert [a.id for a in thread.answers] == expected
        assert thread is not None
        answer = thread.answer(2)
        assert answer is not None
        assert (answer.score, answer.votes, answer.tally) == (1, 3, 4)
        assert thread.answer(9) is None

    async def test_by_the_guilds_policy(self, app: App) -> None:
        second = replace(BREAD.answers[1], accepted=True)
        await app.library.add([replace(BREAD, answers=(BREAD.answers[0], second))])
        await app.guilds.update(HERE, answer_policy=Policy.SCORE)
        for guild, first in ((HERE, 1), (THERE, 2)):
            thread = await app.answering.serve(1, guild_id=guild)
            assert thread is not None
            assert thread.answers[0].id == first

    async def test_not_what_a_guild_may_not_see_or_is_gone(self, app: App) -> None:
        await app.library.add([BREAD], scope=HERE)
        assert await app.answering.serve(1, guild_id=HERE)
        assert await app.answering.serve(1, guild_id=THERE) is None
        assert await app.answering.serve(1) is None
        assert await app.answering.serve(99, guild_id=HERE) is None


class TestFinding:
    async def test_by_key_then_by_words(self, app: App) -> None:
        await app.library.add([BREAD, Thread(key="sourdough", title="What is a levain?")])

        async def found(text: str, guild: int = SHARED) -> str | None:
            thread: StoredThread | None = await app.answering.find(text, guild_id=guild)
            return thread.key if thread else None

        assert await found("bread") == "bread"
        assert await found("  bread\n") == "bread"
        assert await found("sourdough") == "sourdough"  # a key, though the word is in a title
        assert await found("why does bread not rise") == "bread"
        assert await found("something else altogether") is None
        assert await found("a loaf on the shelf of the astronaut in orbit") is None
        assert await found("") is None

    async def test_a_guilds_own_before_the_shared_one(self, app: App) -> None:
        await app.library.add([BREAD])
        await app.library.add([replace(BREAD, title="Our bread")], scope=HERE)
        for guild, title in ((HERE, "Our bread"), (THERE, BREAD.title)):
            thread = await app.answering.find("bread", guild_id=guild)
            assert thread is not None
            assert thread.title == title


class TestCompleting:
    @pytest.fixture(autouse=True)
    async def library(self, app: App) -> None:
        await app.library.add(
            [BREAD, Thread(key="cake", title="How long does a cake bake?")]
            + [Thread(key=f"k{n}", title=f"Kitchen question {n}") for n in range(40)]
        )
        await app.library.add([Thread(key="ours", title="Kitchen rota of our club")], scope=HERE)

    @pytest.mark.parametrize(
        "typed", ["why does my sour", "sourdo", "sourdugh bread", "WHY DOES MY SOURDOUGH BREAD"]
    )
    async def test_half_typed_and_misspelt(self, app: App, typed: str) -> None:
        assert (await app.answering.complete(typed))[0].key == "bread"

    async def test_as_many_as_fit_in_a_menu(self, app: App) -> None:
        assert len(await app.answering.complete("kitchen")) == 25
        assert len(await app.answering.complete("", limit=3)) == 3

    async def test_only_what_the_guild_may_see(self, app: App) -> None:
        keys = {
            guild: [m.key for m in await app.answering.complete("kitchen rota", guild_id=guild)]
            for guild in (HERE, THERE)
        }
        assert keys[HERE][0] == "ours"
        assert "ours" not in keys[THERE]
