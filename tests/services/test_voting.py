"""Votes by reactions and presses: which count, and for which answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.app import App
from bot.errors import NotFound
from bot.models import SHARED, Posting, StoredAnswer, Vote
from bot.services.voting import VoteRefused
from tests.kit.library import BREAD, HERE, THERE, post
from tests.kit.votes import (
    clear_votes,
    give_reaction,
    press_button,
    reconcile_votes,
    take_reaction,
    tally_of,
)

pytestmark = pytest.mark.both_databases

Answers = Sequence[StoredAnswer]
UP, DOWN = Vote.UP, Vote.DOWN
ALICE, BOB, CAROL = 1, 2, 3


async def tally(app: App, answer: StoredAnswer, guild: int = HERE) -> int:
    found = await tally_of(app.database, answer.id, guild)
    assert found is not None
    return found


class TestReactions:
    async def test_move_the_tally(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        assert await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        assert await give_reaction(app.voting, message_id=message, user_id=BOB, value=UP)
        assert await give_reaction(app.voting, message_id=message, user_id=CAROL, value=DOWN)
        assert [await tally(app, a) for a in bread] == [3 + 1, 1]

    async def test_are_one_vote_over_several_messages(self, app: App, bread: Answers) -> None:
        for _ in range(3):
            message = await post(app, bread[0])
            await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
            await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        assert await tally(app, bread[0]) == 3 + 1

    async def test_the_last_one_wins_and_the_former_ones_wait(
        self, app: App, bread: Answers
    ) -> None:
        first, second = await post(app, bread[0]), await post(app, bread[0])
        await give_reaction(app.voting, message_id=first, user_id=ALICE, value=UP)
        await give_reaction(app.voting, message_id=second, user_id=ALICE, value=DOWN)
        await give_reaction(app.voting, message_id=first, user_id=ALICE, value=DOWN)
        await give_reaction(app.voting, message_id=second, user_id=ALICE, value=UP)
        seen = [await tally(app, bread[0]) - 3]
        for message, value in ((second, UP), (first, DOWN), (second, DOWN), (first, UP)):
            assert await take_reaction(app.voting, message_id=message, user_id=ALICE, value=value)
            seen.append(await tally(app, bread[0]) - 3)
        assert seen == [1, -1, -1, 1, 0]

    async def test_one_given_again_is_the_newest(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        for value in (UP, DOWN, UP):
            await give_reaction(app.voting, message_id=message, user_id=ALICE, value=value)
        assert await tally(app, bread[0]) == 3 + 1

    async def test_keep_their_order_when_the_clock_goes_back(
        self, app: App, bread: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = await post(app, bread[0])
        times = iter([2_000_000_000, 1_000_000_000, 1_000_000_000])
        monkeypatch.setattr("bot.store.votes.time.time_ns", lambda: next(times))
        for value in (DOWN, UP):
            await give_reaction(app.voting, message_id=message, user_id=ALICE, value=value)
        assert await tally(app, bread[0]) == 3 + 1

    async def test_on_other_messages_are_nothing_to_us(self, app: App, bread: Answers) -> None:
        assert not await give_reaction(app.voting, message_id=1, user_id=ALICE, value=UP)
        assert not await take_reaction(app.voting, message_id=1, user_id=ALICE, value=UP)
        await clear_votes(app.voting, message_id=1)
        assert (
            await reconcile_votes(app.voting, message_id=1, reactions={ALICE: frozenset({UP})}) == 0
        )
        assert (await app.library.count()).votes == 0

    async def test_taken_away_without_having_counted(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        assert not await take_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)

    async def test_cleared_of_one_emoji(self, app: App, bread: Answers) -> None:
        message, other = await post(app, bread[0]), await post(app, bread[0])
        await give_reaction(app.voting, message_id=other, user_id=ALICE, value=DOWN)
        for user, value in ((ALICE, UP), (BOB, UP), (CAROL, DOWN)):
            await give_reaction(app.voting, message_id=message, user_id=user, value=value)
        await clear_votes(app.voting, message_id=message, value=UP)
        assert await tally(app, bread[0]) == 3 - 2  # Alice's other one and Carol's

    async def test_cleared_altogether(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        for user, value in ((ALICE, UP), (BOB, UP), (CAROL, DOWN)):
            await give_reaction(app.voting, message_id=message, user_id=user, value=value)
        await clear_votes(app.voting, message_id=message)
        assert await tally(app, bread[0]) == 3
        assert (await app.library.count()).votes == 0

    async def test_on_a_forgotten_message_stay_but_dont_change(
        self, app: App, bread: Answers
    ) -> None:
        message = await post(app, bread[0])
        await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        await app.postings.forget([message])
        assert not await take_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        assert not await give_reaction(app.voting, message_id=message, user_id=BOB, value=UP)
        assert await tally(app, bread[0]) == 3 + 1

    async def test_race_with_the_messages_deletion(self, app: App, bread: Answers) -> None:
        for _ in range(5):
            message = await post(app, bread[0])
            await asyncio.gather(
                give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP),
                take_reaction(app.voting, message_id=message, user_id=ALICE, value=UP),
                app.postings.forget([message]),
                give_reaction(app.voting, message_id=message, user_id=BOB, value=UP),
                take_reaction(app.voting, message_id=message, user_id=BOB, value=UP),
            )
        assert await tally(app, bread[0]) - 3 in (0, 1, 2)


class TestGuilds:
    async def test_votes_count_where_they_were_given(self, app: App, bread: Answers) -> None:
        here, there = await post(app, bread[0], HERE), await post(app, bread[0], THERE)
        await give_reaction(app.voting, message_id=here, user_id=ALICE, value=UP)
        await give_reaction(app.voting, message_id=there, user_id=ALICE, value=DOWN)
        await give_reaction(app.voting, message_id=there, user_id=BOB, value=DOWN)
        tallies = [await tally(app, bread[0], guild) for guild in (SHARED, HERE, THERE)]
        assert tallies == [3, 4, 1]

    async def test_a_vote_elsewhere_doesnt_change_the_order_here(
        self, app: App, bread: Answers
    ) -> None:
        for user in range(3):
            await press_button(
                app.voting, answer_id=bread[1].id, guild_id=THERE, user_id=user, value=UP
            )
        first = {}
        for guild in (SHARED, HERE, THERE):
            thread = await app.answering.find("bread", guild_id=guild)
            assert thread is not None
            first[guild] = thread.answers[0].id
        assert first == {SHARED: bread[0].id, HERE: bread[0].id, THERE: bread[1].id}


class TestOnesOwnAnswer:
    @pytest.mark.parametrize("author", ["<@42>", "<@!42>", " <@42>"])
    async def test_is_not_voted_on(self, app: App, author: str) -> None:
        own = replace(BREAD.answers[0], author=author)
        await app.library.add([replace(BREAD, answers=(own,))])
        thread = await app.answering.find("bread")
        assert thread is not None
        answer = thread.answers[0]
        message = await post(app, answer)
        voting = app.voting
        assert not await give_reaction(voting, message_id=message, user_id=42, value=UP)
        with pytest.raises(VoteRefused, match="can't vote on your own answer"):
            await press_button(voting, answer_id=answer.id, guild_id=HERE, user_id=42, value=UP)
        shown = {42: frozenset({UP}), BOB: frozenset({UP})}
        assert await reconcile_votes(voting, message_id=message, reactions=shown) == 1
        assert await tally(app, answer) == 3 + 1

    @pytest.mark.parametrize("author", ["joe", "@joe", "42", "@42", "<@421>", "<@&42>", None, ""])
    async def test_others_may_be_voted_on(self, app: App, author: str | None) -> None:
        others = replace(BREAD.answers[0], author=author)
        await app.library.add([replace(BREAD, answers=(others,))])
        assert UP is await press_button(
            app.voting, answer_id=1, guild_id=HERE, user_id=42, value=UP
        )


class TestButtons:
    async def press(self, app: App, answer: StoredAnswer, value: Vote) -> Vote | None:
        return await press_button(
            app.voting, answer_id=answer.id, guild_id=HERE, user_id=ALICE, value=value
        )

    async def test_toggle(self, app: App, bread: Answers) -> None:
        pressed = [await self.press(app, bread[0], v) for v in (UP, UP, DOWN, UP, DOWN, DOWN)]
        assert pressed == [UP, None, DOWN, UP, DOWN, None]
        assert await tally(app, bread[0]) == 3

    async def test_replace_a_reaction_and_give_way_to_it(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        assert await self.press(app, bread[0], DOWN) is DOWN
        assert await self.press(app, bread[0], DOWN) is UP  # the reaction still stands

    async def test_pressed_twice_at_once_take_turns(self, app: App, bread: Answers) -> None:
        pressed = await asyncio.gather(*(self.press(app, bread[0], UP) for _ in range(6)))
        assert sorted(pressed, key=str) == [UP] * 3 + [None] * 3
        assert await tally(app, bread[0]) == 3

    async def test_of_two_members_at_once_both_count(self, app: App, bread: Answers) -> None:
        await asyncio.gather(
            *(
                press_button(app.voting, answer_id=bread[0].id, guild_id=HERE, user_id=u, value=UP)
                for u in (ALICE, BOB)
            )
        )
        assert await tally(app, bread[0]) == 3 + 2

    async def test_of_an_answer_that_is_gone(self, app: App) -> None:
        with pytest.raises(NotFound, match="not in the library any more"):
            await press_button(app.voting, answer_id=99, guild_id=HERE, user_id=ALICE, value=UP)
        assert await tally_of(app.database, 99, HERE) is None

    async def test_of_an_answer_that_its_source_has_no_longer(
        self, app: App, bread: Answers
    ) -> None:
        await app.library.add([replace(BREAD, answers=BREAD.answers[:1])])
        with pytest.raises(NotFound, match="not in the library any more"):
            await self.press(app, bread[1], UP)


class TestReconciling:
    async def reconcile(self, app: App, message: int, **shown: set[Vote]) -> int:
        ids = {"alice": ALICE, "bob": BOB, "carol": CAROL}
        reactions = {ids[name]: frozenset(values) for name, values in shown.items()}
        return await reconcile_votes(app.voting, message_id=message, reactions=reactions)

    async def test_takes_in_what_came_and_what_went(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        await give_reaction(app.voting, message_id=message, user_id=BOB, value=UP)
        assert await self.reconcile(app, message, bob={DOWN}, carol={DOWN}) == 4
        assert await tally(app, bread[0]) == 3 - 2

    async def test_changes_nothing_when_nothing_happened(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        await give_reaction(app.voting, message_id=message, user_id=ALICE, value=DOWN)
        await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        assert await self.reconcile(app, message, alice={UP, DOWN}) == 0
        assert await tally(app, bread[0]) == 3 + 1

    async def test_looks_at_one_message_only(self, app: App, bread: Answers) -> None:
        message, other = await post(app, bread[0]), await post(app, bread[0])
        await give_reaction(app.voting, message_id=other, user_id=ALICE, value=DOWN)
        await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        await press_button(app.voting, answer_id=bread[0].id, guild_id=HERE, user_id=BOB, value=UP)
        assert await self.reconcile(app, message) == 1
        assert await tally(app, bread[0]) == 3 - 1 + 1

    async def test_counts_a_new_reaction_as_given_now(self, app: App, bread: Answers) -> None:
        message, other = await post(app, bread[0]), await post(app, bread[0])
        await give_reaction(app.voting, message_id=other, user_id=ALICE, value=DOWN)
        assert await self.reconcile(app, message, alice={UP}) == 1
        assert await tally(app, bread[0]) == 3 + 1


class TestForgetting:
    async def test_a_member_leaves_nothing_behind(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        await give_reaction(app.voting, message_id=message, user_id=BOB, value=UP)
        for guild in (HERE, THERE):
            await press_button(
                app.voting, answer_id=bread[1].id, guild_id=guild, user_id=ALICE, value=DOWN
            )
        assert await app.voting.forget_user(ALICE) == 3
        assert [await tally(app, a) for a in bread] == [3 + 1, 1]
        assert not await take_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        assert await app.voting.forget_user(ALICE) == 0

    async def test_an_askers_postings_lose_their_name(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        await app.voting.forget_user(77)
        posting = await app.postings.get(message)
        assert isinstance(posting, Posting)
        assert posting.asker_id == 0


async def test_a_tally_may_leave_64_bits(app: App) -> None:
    for score, value in ((2**63 - 1, UP), (-(2**63), DOWN)):
        highest = replace(BREAD.answers[0], score=score)
        await app.library.add([replace(BREAD, answers=(highest,))])
        for user in range(3):
            await press_button(
                app.voting, answer_id=1, guild_id=value + 5, user_id=user, value=value
            )
        thread = await app.answering.serve(1, guild_id=value + 5)
        assert thread is not None
        assert thread.answers[0].tally == score + 3 * value
        assert await tally_of(app.database, 1, value + 5) == score + 3 * value


async def test_votes_outlive_the_process(app: App, bread: Answers) -> None:
    message = await post(app, bread[0])
    await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
    again = await App.open(app.settings)
    assert await tally(again, bread[0]) == 3 + 1
    assert await take_reaction(again.voting, message_id=message, user_id=ALICE, value=UP)
    await again.close()
    assert await tally(app, bread[0]) == 3
