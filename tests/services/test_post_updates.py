"""What newer messages make of a thread that helpers edited: whose words stay, what is proposed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.curation import Action, Revision, ThreadState
from bot.models import Answer, Thread
from bot.services.post_updates import helpers_words, updated, without_answers

WHEN = datetime(2026, 11, 29, tzinfo=UTC)


def thread(*bodies: str, title: str = "How?", body: str = "b") -> Thread:
    """A thread of which the first answer is accepted; answers' keys count from 1."""
    answers = [
        Answer(key=str(n), body=said, accepted=n == 1) for n, said in enumerate(bodies, 1) if said
    ]
    return Thread(key="k", title=title, body=body, answers=tuple(answers))


def state(of: Thread) -> ThreadState:
    ids = tuple(100 + int(a.key or 0) for a in of.answers)
    return ThreadState(thread=of, answer_ids=ids)


def history(*states: tuple[Action, ThreadState]) -> list[Revision]:
    return [
        Revision(id=n, thread_id=1, action=action, user_id=9, made_at=WHEN, change=n, state=each)
        for n, (action, each) in enumerate(states, 1)
    ]


def update(revisions: list[Revision], now: Thread, *gone: str, is_whole: bool = True) -> Any:
    current = revisions[-1].state
    return updated(current, helpers_words(revisions), now, gone, is_whole=is_whole)


def bodies(of: ThreadState | None) -> list[str]:
    assert of is not None
    return [answer.body for answer in of.thread.answers]


SOLVED = (Action.SOLVED, state(thread("a", "b")))


def test_without_helpers_all_follows_the_messages():
    done = update(history(SOLVED), thread("a2", "b", "c", title="Why?", body="b2"))
    assert done.proposed is None
    assert (done.state.thread.title, done.state.thread.body) == ("Why?", "b2")
    assert bodies(done.state) == ["a2", "b", "c"]
    assert done.state.answer_ids == (101, 102, None)


def test_the_same_messages_change_nothing():
    done = update(history(SOLVED), thread("a", "b"))
    assert (done.state, done.proposed) == (SOLVED[1], None)


def test_a_helper_s_answer_stays_and_the_message_is_proposed():
    edited = (Action.EDITED, state(thread("helper", "b")))
    done = update(history(SOLVED, edited), thread("a2", "b2"))
    assert bodies(done.state) == ["helper", "b2"]
    assert bodies(done.proposed) == ["a2", "b2"]


def test_a_helper_s_title_stays_and_the_body_follows():
    edited = (Action.EDITED, state(thread("a", "b", title="Better?")))
    done = update(history(SOLVED, edited), thread("a", "b", title="Why?", body="b2"))
    assert (done.state.thread.title, done.state.thread.body) == ("Better?", "b2")
    assert done.proposed is not None
    assert done.proposed.thread.title == "Why?"


def test_what_a_helper_edited_stays_so_after_other_edits():
    edited = (Action.EDITED, state(thread("helper", "b")))
    followed = (Action.FOLLOWED, state(thread("helper", "b2")))
    done = update(history(SOLVED, edited, followed), thread("a3", "b3"))
    assert bodies(done.state) == ["helper", "b3"]


def test_what_a_helper_took_out_stays_out():
    edited = (Action.EDITED, state(thread("a", "")))
    assert bodies(update(history(SOLVED, edited), thread("a", "b2")).state) == ["a"]


def test_what_a_helper_added_stays():
    more = replace(state(thread("a", "b")).thread, answers=(Answer(key="9", body="mine"),))
    added = (Action.ANSWERED, ThreadState(thread=more, answer_ids=(109,)))
    done = update(history(SOLVED, added), thread("a2"))
    assert bodies(done.state) == ["mine"]  # the others were taken out, by the same helper


def test_a_message_that_is_liked_no_longer_stays_and_a_deleted_one_goes():
    assert bodies(update(history(SOLVED), thread("a")).state) == ["a", "b"]
    assert bodies(update(history(SOLVED), thread("a"), "2").state) == ["a"]


def test_another_solution_is_the_accepted_answer():
    now = replace(thread("a", "b"), answers=(Answer(key="2", body="b", accepted=True),))
    done = update(history(SOLVED), now)
    assert [(a.body, a.accepted) for a in done.state.thread.answers] == [("a", False), ("b", True)]


def test_merged_into_another_thread_only_the_answers_follow():
    other = replace(thread("a", "b", title="Another?"), answers=thread("a", "b").answers)
    merged = (Action.MERGED, state(other))
    done = update(
        history((Action.ADDED, state(thread("a", title="Another?"))), merged),
        thread("", "b2", "c", title="Why?"),
        is_whole=False,
    )
    assert done.state.thread.title == "Another?"
    assert bodies(done.state) == ["a", "b2", "c"]
    assert not done.state.thread.answers[2].accepted


def test_without_its_answers_a_thread_is_retired():
    left = without_answers(SOLVED[1], {"1"})
    assert (bodies(left), left.answer_ids, left.retired) == (["b"], (102,), False)
    assert without_answers(SOLVED[1], {"1", "2"}).retired


WORDS = st.sampled_from(["a", "b", "c"])
DONE = st.sampled_from([Action.SOLVED, Action.FOLLOWED, Action.EDITED, Action.RESTORED])
STATES = st.builds(lambda *said: state(thread(*said)), WORDS, st.sampled_from(["", "b", "c"]))


@given(st.lists(st.tuples(DONE, STATES), min_size=1, max_size=6), WORDS, WORDS)
def test_words_of_helpers_are_never_written_over(
    done: list[tuple[Action, ThreadState]], first: str, second: str
):
    made = history(*done)
    words = helpers_words(made)
    before = dict(zip(made[-1].state.answer_ids, made[-1].state.thread.answers, strict=True))
    after = update(made, thread(first, second))
    ids = after.state.answer_ids
    now = dict(zip(ids, after.state.thread.answers, strict=True))
    for answer_id in words.answers & {i for i in before if i is not None}:
        assert now[answer_id].body == before[answer_id].body
    again = updated(after.state, words, thread(first, second), (), is_whole=True)
    assert again.state.thread == after.state.thread
