"""Helpers change a guild's threads: saved, answered, edited, merged, undone; votes go along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from bot.app import App
from bot.curation import Action, Origin, ThreadState
from bot.errors import NotAccepted, NotFound
from bot.models import SHARED, Answer, StoredAnswer, StoredThread, Thread, Vote
from bot.services.curating import Conflict
from bot.sources.writers import OneFile
from bot.store import origins, soft_delete
from bot.store.tables import learned_phrasings, threads
from tests.kit.library import BREAD, HERE, THERE, post
from tests.kit.revisions import kept
from tests.kit.votes import give_reaction, press_button, take_reaction, tally_of

ANN, BOB, HELPER = 1, 2, 9
CAKE = Thread(
    key="cake",
    title="How long does a cake keep?",
    answers=(Answer(body="Three days.", key="a"), Answer(body="Until it is eaten.", key="b")),
)
PIE = Thread(
    key="pie",
    title="How long can a pie be kept?",
    answers=(Answer(body="three  DAYS.", key="c"), Answer(body="Two days.", key="d")),
    tags=("pies",),
)


async def served(app: App, thread_id: int, guild: int = HERE) -> StoredThread:
    thread = await app.answering.serve(thread_id, guild_id=guild)
    assert thread is not None
    return thread


async def found(app: App, question: str, guild: int = HERE) -> list[str]:
    """The titles that a question finds, best first."""
    reply = await app.answering.ask(question, guild_id=guild)
    return [match.title for match in reply.matches]


async def vote(app: App, answer_id: int, user_id: int, value: Vote) -> None:
    await press_button(app.voting, answer_id=answer_id, guild_id=HERE, user_id=user_id, value=value)


async def add(app: App, thread: Thread = CAKE, guild: int = HERE) -> int:
    return (await app.curating.add(guild, HELPER, thread)).thread_id


def with_title(title: str):
    return lambda state: replace(state, thread=replace(state.thread, title=title))


def bodies(thread: StoredThread) -> list[str]:
    return sorted(answer.body for answer in thread.answers)


async def test_what_changes_nothing_is_no_change(app: App) -> None:
    thread_id = await add(app)
    with pytest.raises(NotAccepted, match="Nothing was changed"):
        await app.curating.edit(HERE, HELPER, thread_id, lambda state: state)
    await app.curating.undo(HERE, HELPER, thread_id)  # of the adding
    assert CAKE.title not in await found(app, CAKE.title)


class TestAdding:
    async def test_is_found_at_once_and_in_its_guild_alone(self, app: App) -> None:
        await add(app)
        assert await found(app, "how long does cake keep?") == [CAKE.title]
        assert await found(app, "how long does cake keep?", THERE) == []
        assert await found(app, "how long does cake keep?", SHARED) == []

    async def test_again_replaces_it_and_keeps_its_votes(self, app: App) -> None:
        thread_id = await add(app)
        first = (await served(app, thread_id)).answers[0]
        await vote(app, first.id, ANN, Vote.UP)
        changed = (replace(CAKE.answers[0], body="Four days."), CAKE.answers[1])
        assert await add(app, replace(CAKE, answers=changed)) == thread_id
        again = await served(app, thread_id)
        assert (again.answers[0].id, again.answers[0].votes) == (first.id, 1)
        assert bodies(again) == ["Four days.", "Until it is eaten."]

    @pytest.mark.parametrize(
        "thread",
        [replace(CAKE, title=" \u200b "), replace(CAKE, answers=(Answer(body="\u200b"),))],
    )
    async def test_nothing_blank_is_added(self, app: App, thread: Thread) -> None:
        with pytest.raises(NotAccepted, match="Nothing was changed"):
            await add(app, thread)
        assert await kept(app, HERE) == []

    async def test_messages_are_known_and_authors_cant_vote_for_themselves(self, app: App) -> None:
        done = await app.curating.add(
            HERE,
            HELPER,
            CAKE,
            Action.SAVED,
            question=Origin(channel_id=5, message_id=50, author_id=ANN),
            answers={"a": Origin(channel_id=5, message_id=51, author_id=BOB)},
        )
        first = (await served(app, done.thread_id)).answers[0]
        message = await post(app, first)
        for user, counts in ((ANN, True), (BOB, False)):
            given = give_reaction(app.voting, message_id=message, user_id=user, value=Vote.UP)
            assert await given is counts
        async with app.database.read() as connection:
            assert await origins.answers_of_message(connection, HERE, 51) == [first.id]
            assert await origins.answers_of_message(connection, THERE, 51) == []
            asked = await origins.of_thread(connection, done.thread_id, HERE)
            assert asked is not None
            assert asked.message_id == 50


class TestEditing:
    async def test_changes_what_is_found(self, app: App) -> None:
        thread_id = await add(app)
        edited = await app.curating.edit(HERE, HELPER, thread_id, with_title("Is moss edible?"))
        assert edited.title == "Is moss edible?"
        assert await found(app, "is moss edible") == ["Is moss edible?"]

    async def test_two_at_once_the_second_is_told_what_the_first_did(self, app: App) -> None:
        thread_id = await add(app)
        token = (await app.curating.editable(HERE, thread_id)).token
        await app.curating.edit(HERE, ANN, thread_id, with_title("First?"), token=token)
        with pytest.raises(Conflict) as conflict:
            await app.curating.edit(HERE, BOB, thread_id, with_title("Second?"), token=token)
        assert conflict.value.revision is not None
        assert conflict.value.revision.user_id == ANN
        assert (await served(app, thread_id)).title == "First?"

    async def test_an_answer_can_be_added_once_a_message(self, app: App) -> None:
        thread_id = await add(app)
        more = Answer(body="A week in the fridge.", key="77")
        await app.curating.add_answer(HERE, HELPER, thread_id, more)
        await app.curating.add_answer(HERE, HELPER, thread_id, replace(more, body="Ten days."))
        thread = await served(app, thread_id)
        assert bodies(thread) == ["Ten days.", "Three days.", "Until it is eaten."]

    async def test_an_import_is_proposed_once_and_replaces_nothing(self, app: App) -> None:
        await app.library.add([CAKE], scope=HERE)
        thread_id = (await app.curating.editable(HERE, 1)).thread_id
        await app.curating.edit(HERE, HELPER, thread_id, with_title("Mine?"))
        await app.library.add([CAKE], scope=HERE)  # as it was before: nothing new
        assert await kept(app, HERE, proposed=True) == []
        for _ in range(3):
            await app.library.add([replace(CAKE, body="Says the baker.")], scope=HERE)
        (proposed,) = await kept(app, HERE, proposed=True)
        assert (await served(app, thread_id)).title == "Mine?"
        assert await kept(app, THERE, proposed=True) == []
        await app.curating.restore(HERE, HELPER, proposed.id)
        taken = await served(app, thread_id)
        assert (taken.title, taken.body) == (CAKE.title, "Says the baker.")
        assert await kept(app, HERE, proposed=True) == []


@pytest.fixture
async def version(app: App, bread: Sequence[StoredAnswer]) -> int:
    """HERE's own version of BREAD, after ann voted for its second answer there."""
    message = await post(app, bread[1])
    await give_reaction(app.voting, message_id=message, user_id=ANN, value=Vote.UP)
    done = await app.curating.edit(HERE, HELPER, 1, with_title("Why is my sourdough bread flat?"))
    return done.thread_id


class TestOverriding:
    async def test_stands_in_for_the_shared_one_in_its_guild_alone(
        self, app: App, version: int
    ) -> None:
        asked = "why does my sourdough bread not rise"
        assert await found(app, asked) == ["Why is my sourdough bread flat?"]
        assert await found(app, asked, THERE) == [BREAD.title]
        titles = [m.title for m in await app.answering.complete("why", guild_id=HERE, limit=5)]
        assert titles == ["Why is my sourdough bread flat?"]
        thread = await app.answering.find("bread", guild_id=HERE)
        assert thread is not None
        assert thread.id == version

    async def test_votes_go_along_and_back(
        self, app: App, version: int, bread: Sequence[StoredAnswer]
    ) -> None:
        mine = {a.body: a for a in (await served(app, version)).answers}
        assert mine[bread[1].body].votes == 1
        assert (await tally_of(app.database, bread[1].id, HERE)) == bread[1].score
        await vote(app, mine[bread[1].body].id, BOB, Vote.UP)
        (*_, first) = await kept(app, HERE, version)
        await app.curating.restore(HERE, HELPER, first.id)
        assert (await tally_of(app.database, bread[1].id, HERE)) == bread[1].score + 2
        assert await found(app, "why does my sourdough bread not rise") == [BREAD.title]

    async def test_editing_again_takes_the_same_version_up(self, app: App, version: int) -> None:
        (*_, first) = await kept(app, HERE, version)
        await app.curating.restore(HERE, HELPER, first.id)
        again = await app.curating.edit(HERE, HELPER, 1, with_title("Flat bread?"))
        assert again.thread_id == version
        votes = {a.body: a.votes for a in (await served(app, version)).answers}
        assert votes[BREAD.answers[1].body] == 1

    async def test_removing_it_shows_the_shared_one_with_the_votes(
        self, app: App, version: int, bread: Sequence[StoredAnswer]
    ) -> None:
        target = await app.guild_library.find(HERE, version)
        removal = await app.guild_library.remove(HERE, target)
        assert await found(app, "why does my sourdough bread not rise") == [BREAD.title]
        assert (await tally_of(app.database, bread[1].id, HERE)) == bread[1].score + 1
        await app.guild_library.restore(HERE, removal.moment)
        assert {a.votes for a in (await served(app, version)).answers} == {0, 1}

    async def test_an_import_of_its_key_brings_it_back_with_the_votes(
        self, app: App, version: int, bread: Sequence[StoredAnswer]
    ) -> None:
        await app.guild_library.remove(HERE, await app.guild_library.find(HERE, version))
        await app.library.add([replace(BREAD, body="Flat.")], scope=HERE)
        thread = await served(app, version)
        assert (thread.id, thread.body) == (version, "Flat.")
        assert {a.body: a.votes for a in thread.answers}[bread[1].body] == 1

    async def test_pruning_it_shows_the_shared_one_with_the_votes(
        self, app: App, version: int, bread: Sequence[StoredAnswer]
    ) -> None:
        async with app.database.write() as connection:
            assert await soft_delete.retire(connection, HERE, [version]) == 1
        assert (await tally_of(app.database, bread[1].id, HERE)) == bread[1].score + 1
        assert (await served(app, 1)).id == 1

    async def test_a_new_import_of_the_shared_one_is_proposed(self, app: App, version: int) -> None:
        new = replace(BREAD, answers=(*BREAD.answers, Answer(body="The flour is too old.")))
        await app.library.add([new])
        (proposed,) = await kept(app, HERE, proposed=True)
        assert proposed.thread_id == version
        assert len((await served(app, version)).answers) == 2
        await app.curating.restore(HERE, HELPER, proposed.id)
        thread = await served(app, version)
        assert len(thread.answers) == 3
        assert {a.body: a.votes for a in thread.answers}[BREAD.answers[1].body] == 1

    async def test_votes_on_what_comes_back_to_the_shared_one_go_along_and_back(
        self, app: App, bread: Sequence[StoredAnswer]
    ) -> None:
        """HERE voted for an answer that the shared thread had no more when HERE edited it."""
        message = await post(app, bread[1])
        await give_reaction(app.voting, message_id=message, user_id=ANN, value=Vote.UP)
        await app.library.add([replace(BREAD, answers=BREAD.answers[:1])])
        done = await app.curating.edit(HERE, HELPER, 1, with_title("Flat bread?"))
        await app.library.add([BREAD])
        (proposed,) = await kept(app, HERE, proposed=True)
        assert bodies(await served(app, done.thread_id)) == [BREAD.answers[0].body]
        await app.curating.restore(HERE, HELPER, proposed.id)
        votes = {a.body: a.votes for a in (await served(app, done.thread_id)).answers}
        assert votes[BREAD.answers[1].body] == 1
        (*_, first) = await kept(app, HERE, done.thread_id)
        await app.curating.restore(HERE, HELPER, first.id)
        assert (await tally_of(app.database, bread[1].id, HERE)) == bread[1].score + 1

    async def test_votes_on_what_is_proposed_are_the_shared_ones_once_that_is_shown(
        self, app: App, version: int
    ) -> None:
        new = replace(BREAD, answers=(*BREAD.answers, Answer(body="The flour is too old.")))
        await app.library.add([new])
        shared = next(a for a in (await served(app, 1, THERE)).answers if "flour" in a.body)
        with pytest.raises(NotFound):  # it is not shown there
            await vote(app, shared.id, BOB, Vote.UP)
        (*_, first) = await kept(app, HERE, version)
        await app.curating.restore(HERE, HELPER, first.id)
        await vote(app, shared.id, BOB, Vote.UP)
        assert (await tally_of(app.database, shared.id, HERE)) == 1
        again = await app.curating.edit(HERE, HELPER, 1, with_title("Flat bread?"))
        thread = await served(app, again.thread_id)
        assert {a.body: a.votes for a in thread.answers}["The flour is too old."] == 1

    async def test_is_removed_with_its_phrasings_where_the_shared_one_is_no_more(
        self, app: App, version: int
    ) -> None:
        async with app.database.write() as connection:
            row = {"guild_id": HERE, "thread_id": version, "text": "flat", "wording": "flat"}
            row |= {"user_id": ANN, "message_id": 5, "chosen": True, "learned_at": 1}
            await connection.execute(insert(learned_phrasings).values(row))
            await connection.execute(delete(threads).where(threads.c.id == 1))
        target = await app.guild_library.find(HERE, version)
        assert (await app.guild_library.remove(HERE, target)).threads == 1


async def cake_and_posted_pie(app: App) -> tuple[int, int, int, int, int]:
    """Return two threads, an answer of each, and the message that shows that of the second."""
    cake, pie = await add(app), await add(app, PIE)
    ours = (await served(app, cake)).answers[0]
    theirs = next(one for one in (await served(app, pie)).answers if one.key == "c")
    return cake, pie, ours.id, theirs.id, await post(app, theirs)


async def merge_shared_ones_and_remove(app: App) -> None:
    """Merge BREAD, 1, and PIE, 2, of which an answer has a vote; take out what that makes."""
    await app.library.add([BREAD, PIE])
    two = next(a.id for a in (await served(app, 2)).answers if a.body == "Two days.")
    await vote(app, two, ANN, Vote.UP)
    await app.curating.merge(HERE, HELPER, 1, 2)
    await app.guild_library.remove(HERE, await app.guild_library.find(HERE, "bread"))


class TestMerging:
    async def test_keeps_the_older_with_all_answers_and_votes(self, app: App) -> None:
        cake, pie = await add(app), await add(app, PIE)
        same = {a.body: a for a in (await served(app, pie)).answers}
        days, two = same["three  DAYS."], same["Two days."]
        kept = (await served(app, cake)).answers[0]
        for user, value, answer in (
            (ANN, Vote.UP, kept),
            (ANN, Vote.DOWN, days),
            (BOB, Vote.UP, days),
            (BOB, Vote.UP, two),
        ):
            await vote(app, answer.id, user, value)
        done = await app.curating.merge(HERE, HELPER, pie, cake)
        assert done.thread_id == cake
        thread = await served(app, cake)
        assert bodies(thread) == ["Three days.", "Two days.", "Until it is eaten."]
        votes = {a.body: a.votes for a in thread.answers}
        assert votes == {"Three days.": 0, "Two days.": 1, "Until it is eaten.": 0}
        assert thread.tags == ("pies",)
        assert (await served(app, pie)).id == cake
        assert await found(app, "how long can a pie be kept?") == [CAKE.title]

    async def test_undone_gives_votes_and_cards_back_to_where_they_were_given(
        self, app: App
    ) -> None:
        cake, pie, a, c, message = await cake_and_posted_pie(app)
        await give_reaction(app.voting, message_id=message, user_id=ANN, value=Vote.UP)
        await vote(app, a, BOB, Vote.UP)
        await app.curating.merge(HERE, HELPER, cake, pie)
        assert await tally_of(app.database, a, HERE) == 2
        await vote(app, a, HELPER, Vote.DOWN)  # given since, it stays
        for _ in range(2):
            await app.curating.undo(HERE, HELPER, cake)
            given = [await tally_of(app.database, answer_id, HERE) for answer_id in (a, c)]
            assert given == [0, 1]
            assert (await app.postings.of([message]))[message].answer_id == c
            await app.curating.undo(HERE, HELPER, cake)
            assert await tally_of(app.database, a, HERE) == 1
            assert (await app.postings.of([message]))[message].answer_id == a
        await app.curating.undo(HERE, HELPER, cake)
        assert await take_reaction(app.voting, message_id=message, user_id=ANN, value=Vote.UP)
        assert await tally_of(app.database, c, HERE) == 0

    async def test_undone_reactions_go_back_with_their_card_though_given_since(
        self, app: App
    ) -> None:
        cake, pie, a, c, message = await cake_and_posted_pie(app)
        await app.curating.merge(HERE, HELPER, cake, pie)
        await give_reaction(app.voting, message_id=message, user_id=ANN, value=Vote.UP)
        for _ in range(2):
            assert await tally_of(app.database, a, HERE) == 1
            await app.curating.undo(HERE, HELPER, cake)
            assert [await tally_of(app.database, i, HERE) for i in (a, c)] == [0, 1]
            await app.curating.undo(HERE, HELPER, cake)
        await app.curating.undo(HERE, HELPER, cake)
        assert await take_reaction(app.voting, message_id=message, user_id=ANN, value=Vote.UP)
        assert [await tally_of(app.database, i, HERE) for i in (a, c)] == [0, 0]

    async def test_two_undone_at_once_give_back_votes_that_went_from_one_to_the_other(
        self, app: App
    ) -> None:
        same = "Two days in the fridge."
        cake = await add(app)
        first, second = [
            await add(app, Thread(key=key, title=f"{key}?", answers=(Answer(body=same),)))
            for key in ("first", "second")
        ]
        given = (await served(app, second)).answers[0].id
        await vote(app, given, ANN, Vote.UP)
        for other in (first, second):
            await app.curating.merge(HERE, HELPER, cake, other)
        assert {a.body: a.votes for a in (await served(app, cake)).answers}[same] == 1
        before = (await kept(app, HERE, cake))[-1]
        await app.curating.restore(HERE, HELPER, before.id)
        assert [(await served(app, i)).answers[0].votes for i in (first, second)] == [0, 1]

    async def test_can_be_undone_and_done_again(self, app: App) -> None:
        cake, pie = await add(app), await add(app, PIE)
        await app.curating.merge(HERE, HELPER, cake, pie)
        await app.curating.undo(HERE, HELPER, cake)
        assert bodies(await served(app, cake)) == ["Three days.", "Until it is eaten."]
        assert bodies(await served(app, pie)) == ["Two days.", "three  DAYS."]
        await app.curating.undo(HERE, HELPER, cake)
        assert bodies(await served(app, cake)) == ["Three days.", "Two days.", "Until it is eaten."]
        assert (await served(app, pie)).id == cake

    async def test_of_a_shared_one_leaves_it_to_others(
        self, app: App, bread: Sequence[StoredAnswer]
    ) -> None:
        cake = await add(app)
        done = await app.curating.merge(HERE, HELPER, cake, 1)
        assert done.title == BREAD.title
        asked = "how long does a cake keep"
        assert await found(app, asked) == [BREAD.title]
        assert len((await served(app, 1, THERE)).answers) == 2
        assert len((await served(app, done.thread_id)).answers) == 4
        await app.curating.undo(HERE, HELPER, done.thread_id)
        assert (await found(app, asked))[0] == CAKE.title

    async def test_undone_gives_votes_back_to_a_shared_one_that_had_no_version(
        self, app: App, bread: Sequence[StoredAnswer]
    ) -> None:
        await app.library.add([PIE])
        ours = next(a.id for a in (await served(app, 2)).answers if a.body == "Two days.")
        await vote(app, ours, ANN, Vote.UP)
        await app.curating.merge(HERE, HELPER, 1, 2)
        for _ in range(2):
            merged = next(a for a in (await served(app, 1)).answers if a.body == "Two days.")
            assert merged.id != ours
            assert merged.votes == 1
            await app.curating.undo(HERE, HELPER, 1)
            assert {a.id: a.votes for a in (await served(app, 2)).answers}[ours] == 1
            await app.curating.undo(HERE, HELPER, 1)

    async def test_what_a_removed_thread_has_merged_is_shown_with_its_votes(
        self, app: App, bread: Sequence[StoredAnswer]
    ) -> None:
        cake = await add(app)
        await app.library.add([PIE])
        pie = await app.answering.find(PIE.key, guild_id=HERE)
        assert pie is not None
        ours = next(a.id for a in pie.answers if a.body == "Two days.")
        await app.curating.merge(HERE, HELPER, cake, pie.id)
        own = next(a.id for a in (await served(app, cake)).answers if a.body == "Two days.")
        await vote(app, own, ANN, Vote.UP)
        target = await app.guild_library.find(HERE, cake)
        removal = await app.guild_library.remove(HERE, target)
        assert {a.id: a.votes for a in (await served(app, pie.id)).answers}[ours] == 1
        await app.guild_library.restore(HERE, removal.moment)
        assert {a.id: a.votes for a in (await served(app, pie.id)).answers}[own] == 1

    async def test_again_after_what_it_made_was_removed(self, app: App) -> None:
        await merge_shared_ones_and_remove(app)
        await app.curating.merge(HERE, HELPER, 1, 2)
        assert len((await served(app, 1)).answers) == 4

    async def test_of_shared_ones_removed_and_one_edited_again_shows_the_other(
        self, app: App
    ) -> None:
        await merge_shared_ones_and_remove(app)
        await app.curating.edit(HERE, HELPER, 1, with_title("Flat?"))
        assert {a.body: a.votes for a in (await served(app, 2)).answers} == {
            "three  DAYS.": 0,
            "Two days.": 1,
        }

    async def test_of_shared_ones_removed_and_one_imported_again_shows_the_other(
        self, app: App
    ) -> None:
        await merge_shared_ones_and_remove(app)
        await app.library.add([replace(BREAD, body="Flat.")], scope=HERE)
        assert (await served(app, 1)).body == "Flat."
        assert {a.body: a.votes for a in (await served(app, 2)).answers}["Two days."] == 1

    async def test_with_itself_is_refused(self, app: App) -> None:
        cake = await add(app)
        with pytest.raises(NotAccepted):
            await app.curating.merge(HERE, HELPER, cake, cake)

    async def test_an_import_of_the_merged_one_doesnt_bring_it_back(self, app: App) -> None:
        await app.library.add([CAKE, PIE], scope=HERE)
        await app.curating.merge(HERE, HELPER, 1, 2)
        report = await app.library.add([replace(PIE, body="New.")], scope=HERE)
        assert report.unchanged == 1
        assert (await served(app, 2)).id == 1

    async def test_is_not_pruned_while_the_source_has_what_was_merged(
        self, app: App, tmp_path: Path
    ) -> None:
        page = tmp_path / "faq.md"
        page.write_text("# Why a?\n\nSo a.\n\n# Why b?\n\nSo b.\n\n# Why c?\n\nSo c.\n")
        await app.library.import_paths([page], scope=HERE)
        await app.curating.merge(HERE, HELPER, 2, 3)  # c into b
        await app.curating.merge(HERE, HELPER, 1, 2)  # and b into a
        page.write_text("# Why c?\n\nSo c.\n")
        assert (await app.library.import_paths([page], scope=HERE, prune=True)).retired == 0
        assert {a.body for a in (await served(app, 3)).answers} == {"So a.", "So b.", "So c."}
        page.write_text("# Why d?\n\nSo d.\n\n# Why e?\n\nSo e.\n")
        await app.library.import_paths([page], scope=HERE)
        report = await app.library.import_paths([page], scope=HERE, prune=True)
        assert (report.retired, report.not_retired) == (3, None)

    @pytest.mark.parametrize("is_shared", [False, True])
    async def test_a_press_on_an_answer_whose_text_another_has_counts_there(
        self, app: App, is_shared: bool
    ) -> None:
        kept = await add(app, Thread(key="o", title="Flat bread?", answers=(Answer(body="Wait."),)))
        other = Thread(key="p", title="Flat cake?", answers=(Answer(body="wait. "),))
        await app.library.add([other], scope=SHARED if is_shared else HERE)
        thread = await app.answering.find("p", guild_id=HERE)
        assert thread is not None
        await app.curating.merge(HERE, HELPER, kept, thread.id)
        await vote(app, thread.answers[0].id, ANN, Vote.UP)
        assert [(a.body, a.votes) for a in (await served(app, kept)).answers] == [("Wait.", 1)]
        await app.accepting.accept(HERE, thread.answers[0].id, HELPER)
        assert (await served(app, kept)).answers[0].accepted_here

    async def test_what_a_guild_said_is_not_imported_beside_its_version(
        self, app: App, tmp_path: Path, bread: Sequence[StoredAnswer]
    ) -> None:
        await vote(app, bread[0].id, ANN, Vote.UP)
        await app.accepting.accept(HERE, bread[1].id, HELPER)
        file = tmp_path / "library.jsonl"
        with file.open("w") as stream:
            await app.library.export(OneFile(stream).write)
        await app.curating.edit(HERE, HELPER, 1, with_title("Flat?"))
        version = await served(app, 1)
        await app.accepting.accept(HERE, version.answers[-1].id, HELPER)
        now = [(a.body, a.votes, a.accepted_here) for a in (await served(app, 1)).answers]
        await app.library.import_paths([file])
        await app.curating.undo(HERE, HELPER, 1)
        shown = await served(app, 1)
        assert shown.id == 1
        assert [(a.body, a.votes, a.accepted_here) for a in shown.answers] == now

    async def test_what_another_source_has_is_shown_again_when_the_rest_is_pruned(
        self, app: App, tmp_path: Path
    ) -> None:
        one, two = tmp_path / "one.md", tmp_path / "two.md"
        one.write_text("# Why a?\n\nSo a.\n\n# Why b?\n\nSo b.\n\n# Why c?\n\nSo c.\n")
        two.write_text("# Why d?\n\nSo d.\n")
        await app.library.import_paths([one, two], scope=HERE)
        for merged in (2, 4):  # b and d into a
            await app.curating.merge(HERE, HELPER, 1, merged)
        d = next(a for a in (await served(app, 1)).answers if a.body == "So d.")
        await vote(app, d.id, ANN, Vote.UP)
        one.write_text("# Why c?\n\nSo c.\n")
        report = await app.library.import_paths([one], scope=HERE, prune=True)
        assert (report.retired, report.not_retired) == (2, None)
        assert {(a.body, a.votes) for a in (await served(app, 4)).answers} == {("So d.", 1)}
        for title in ("why a?", "why b?"):
            assert title.capitalize() not in await found(app, title)

    @pytest.mark.parametrize("names", ["bd", "abd", "bcd", "abcd", "cd"])
    async def test_into_a_thread_that_was_removed_keeps_none_from_coming_back(
        self, app: App, tmp_path: Path, names: str
    ) -> None:
        def write(names: str) -> Path:
            page = tmp_path / "faq.md"
            page.write_text("".join(f"# Why {n}?\n\nSo {n}.\n\n" for n in names))
            return page

        await app.library.import_paths([write("abcd")], scope=HERE)
        for thread_id in (2, 3):
            given = (await served(app, thread_id)).answers[0].id
            await vote(app, given, ANN, Vote.UP)
        await app.curating.merge(HERE, HELPER, 2, 3)  # c into b
        await app.curating.merge(HERE, HELPER, 1, 2)  # and b into a
        await app.guild_library.remove(HERE, soft_delete.Target(1))
        await app.library.import_paths([write(names)], scope=HERE)
        found = [await app.answering.find(f"faq#why-{n}", guild_id=HERE) for n in names]
        said = [[(a.body, a.votes) for a in thread.answers] for thread in found if thread]
        assert said == [[(f"So {n}.", int(n in "bc"))] for n in names]


class TestUndoing:
    async def test_takes_a_saved_thread_out_and_back(self, app: App) -> None:
        thread_id = await add(app)
        await app.curating.undo(HERE, HELPER, thread_id)
        assert await found(app, "how long does cake keep?") == []
        await app.curating.undo(HERE, HELPER, thread_id)
        assert await found(app, "how long does cake keep?") == [CAKE.title]

    async def test_goes_back_to_any_state(self, app: App) -> None:
        thread_id = await add(app)
        for title in ("One?", "Two?", "Three?"):
            await app.curating.edit(HERE, HELPER, thread_id, with_title(title))
        history = await kept(app, HERE, thread_id)
        assert [r.state.thread.title for r in history] == ["Three?", "Two?", "One?", CAKE.title]
        await app.curating.restore(HERE, HELPER, history[2].id)
        assert (await served(app, thread_id)).title == "One?"

    async def test_brings_a_removed_answer_back_with_its_votes(self, app: App) -> None:
        thread_id = await add(app)
        answer = (await served(app, thread_id)).answers[1]
        await vote(app, answer.id, ANN, Vote.UP)

        def without_it(state: ThreadState) -> ThreadState:
            place = state.answer_ids.index(answer.id)
            given, ids = [*state.thread.answers], [*state.answer_ids]
            del given[place], ids[place]
            thread = replace(state.thread, answers=tuple(given))
            return replace(state, thread=thread, answer_ids=tuple(ids))

        await app.curating.edit(HERE, HELPER, thread_id, without_it)
        assert len((await served(app, thread_id)).answers) == 1
        await app.curating.undo(HERE, HELPER, thread_id)
        assert {a.votes for a in (await served(app, thread_id)).answers} == {0, 1}

    async def test_other_guilds_see_nothing_of_it(self, app: App) -> None:
        thread_id = await add(app)
        (made,) = await kept(app, HERE, thread_id)
        assert await kept(app, THERE, thread_id) == []
        for attempt in (
            app.curating.restore(THERE, HELPER, made.id),
            app.curating.revision(THERE, made.id),
            app.curating.undo(THERE, HELPER, thread_id),
            app.curating.editable(THERE, thread_id),
            app.curating.edit(THERE, HELPER, thread_id, with_title("Stolen?")),
            app.curating.merge(THERE, HELPER, thread_id, thread_id + 1),
        ):
            with pytest.raises(NotFound):
                await attempt
        assert (await served(app, thread_id)).title == CAKE.title
