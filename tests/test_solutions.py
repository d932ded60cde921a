"""Which message solved a post: each rule, their order, and the thread that is made of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Answer, Thread
from bot.post_threads import Names, thread_of, with_names
from bot.posts import LOOKED_AT, EmbedText, EmojiCount, Post, PostMessage, earliest, first_message
from bot.solutions import (
    Rule,
    Rules,
    find_solution,
    further_answers,
    is_solved_tag,
    to_ask_about,
)
from tests.kit.growth import check_linear

GUILD, FORUM, POST = 100, 150, 200
ASKER, KIM, LEE, HELPER, BOT, OWN = 1, 2, 3, 4, 8, 9
RULES = Rules(is_helper=HELPER.__eq__, own_id=OWN)
KILN = Post(
    id=POST,
    channel_id=FORUM,
    channel="help",
    guild_id=GUILD,
    title="The kiln stays cold",
    asker_id=ASKER,
)
QUESTION = PostMessage(id=POST, author_id=ASKER, author="Max", content="It has power, but no heat.")
LINK = f"https://discord.com/channels/{GUILD}/{POST}"


def by(who: int, number: int, content: str = "Look at the fuse.", **more: Any) -> PostMessage:
    return PostMessage(id=POST + number, author_id=who, content=content, **more)


def given_by(*users: int, emoji: str = "✅") -> EmojiCount:
    return EmojiCount(emoji=emoji, count=len(users), user_ids=frozenset(users))


def unknown(count: int, emoji: str = "✅") -> EmojiCount:
    return EmojiCount(emoji=emoji, count=count)


def named(number: int, *, question: int = POST) -> PostMessage:
    """Return a mark of another bot, as Answer Overflow leaves it."""
    fields = (("Question Message ID", f"{question}"), ("Solution Message ID", f"{POST + number}"))
    return by(BOT, 90, "", is_bot=True, embeds=(EmbedText(fields=fields),))


def linked(number: int, text: str = "✅ Solved: {}", **more: Any) -> PostMessage:
    return by(BOT, 91, text.format(f"{LINK}/{POST + number}"), is_bot=True, **more)


def found(
    *messages: PostMessage, post: Post = KILN, rules: Rules = RULES, **more: Any
) -> tuple[int, Rule] | None:
    solution = find_solution(post, [QUESTION, *messages], rules, **more)
    return solution and (solution.message.id - POST, solution.rule)


TAGGED = replace(KILN, tags=("Pottery", "✅ Solved"))


class TestMarked:
    def test_the_message_that_was_marked_is_the_solution(self) -> None:
        assert found(by(KIM, 1), by(LEE, 2), marked=POST + 1) == (1, Rule.MARKED)

    def test_one_that_was_deleted_is_not(self) -> None:
        assert found(by(KIM, 1), marked=POST + 7) is None

    def test_the_question_is_not_its_own_solution(self) -> None:
        assert found(by(KIM, 1), marked=POST) is None

    def test_the_bots_own_cards_are_no_solutions(self) -> None:
        assert found(by(OWN, 1, is_bot=True), marked=POST + 1) is None

    def test_marking_again_counts_for_more_than_an_earlier_refusal(self) -> None:
        assert found(by(KIM, 1), marked=POST + 1, rejected={POST + 1}) == (1, Rule.MARKED)


class TestEmoji:
    @pytest.mark.parametrize("who", [ASKER, HELPER])
    def test_the_asker_and_helpers_mark_by_emoji(self, who: int) -> None:
        assert found(by(KIM, 1), by(LEE, 2, reactions=(given_by(who),))) == (2, Rule.EMOJI)

    @pytest.mark.parametrize(
        "reaction",
        [given_by(LEE), given_by(), unknown(5), given_by(ASKER, emoji="👍")],
        ids=["somebody else", "nobody", "nobody knows who", "another emoji"],
    )
    def test_others_and_other_emoji_do_not(self, reaction: EmojiCount) -> None:
        assert found(by(KIM, 1, reactions=(reaction,))) is None

    def test_the_emoji_on_the_question_names_no_solution(self) -> None:
        ticked = replace(QUESTION, reactions=(given_by(ASKER),))
        assert find_solution(KILN, [ticked, by(KIM, 1)], RULES) is None

    def test_askers_may_have_found_it_themselves(self) -> None:
        assert found(by(ASKER, 1, reactions=(given_by(ASKER),))) == (1, Rule.EMOJI)

    @pytest.mark.parametrize("chosen", ["✔️", "<:solved:123456789012345678>"])
    def test_a_server_chooses_the_emoji(self, chosen: str) -> None:
        spelt = "✔" if chosen == "✔️" else "<a:fixed:123456789012345678>"
        message = by(KIM, 1, reactions=(given_by(ASKER, emoji=spelt),))
        assert found(message, rules=replace(RULES, solution_emoji=chosen)) == (1, Rule.EMOJI)
        assert found(message) is None

    def test_of_several_the_askers_counts_then_the_most_then_the_latest(self) -> None:
        by_helper = by(KIM, 3, reactions=(given_by(HELPER, KIM, LEE),))
        by_asker = by(KIM, 1, reactions=(given_by(ASKER),))
        assert found(by_asker, by_helper) == (1, Rule.EMOJI)
        assert found(by_asker, by(LEE, 2, reactions=(given_by(ASKER),))) == (2, Rule.EMOJI)
        most = by(LEE, 2, reactions=(given_by(ASKER, KIM),))
        assert found(most, by(KIM, 4, reactions=(given_by(ASKER),))) == (2, Rule.EMOJI)

    def test_whom_to_ask_about_is_told(self) -> None:
        ticked = by(KIM, 1, reactions=(unknown(2),))
        others = (by(LEE, 2, reactions=(given_by(LEE),)), by(LEE, 3, reactions=(unknown(2, "👍"),)))
        assert to_ask_about(KILN, [QUESTION, ticked, *others], RULES) == [ticked]


class TestMarksOfBots:
    def test_a_field_names_the_solution(self) -> None:
        assert found(by(KIM, 1), by(LEE, 2), named(1)) == (1, Rule.BOT)

    def test_names_of_fields_and_ids_are_read_as_people_write_them(self) -> None:
        value = f"[`{POST + 1}`]({LINK}/{POST + 1})"
        embed = EmbedText(fields=((" solution message id ", value),))
        assert found(by(KIM, 1), by(BOT, 9, "", is_bot=True, embeds=(embed,))) == (1, Rule.BOT)

    def test_one_that_was_deleted_is_not_named(self) -> None:
        assert found(by(LEE, 2), named(1)) is None

    def test_a_mark_of_another_question_counts_for_nothing(self) -> None:
        assert found(by(KIM, 1), by(LEE, 2), named(1, question=POST + 2)) is None

    def test_members_cannot_leave_such_a_mark(self) -> None:
        mark = replace(named(1), is_bot=False)
        assert found(by(KIM, 1), mark, replace(linked(1), is_bot=False)) is None

    def test_the_bots_own_words_are_no_mark(self) -> None:
        assert found(by(KIM, 1), replace(linked(1), author_id=OWN)) is None

    @pytest.mark.parametrize(
        "text",
        ["✅ Solved: {}", "The **solution** is {}", "answered by Kim\n{}", "SOLVED {} {}"],
    )
    def test_a_link_beside_the_word_names_it(self, text: str) -> None:
        mark = linked(1, text.replace("{}", f"{LINK}/{POST + 1}"))
        assert found(by(KIM, 1), mark) == (1, Rule.BOT)

    @pytest.mark.parametrize(
        "text",
        [
            "Look here: {}",
            "Not solved: {}",
            "This isn't solved by {}",
            "no solution yet, not even {}",
            "Is this solved? {}",
            "unsolved {}",
            "dissolved by {}",
        ],
    )
    def test_a_link_without_the_word_does_not(self, text: str) -> None:
        assert found(by(KIM, 1), linked(1, text)) is None

    def test_the_link_may_be_in_an_embed_or_under_a_button(self) -> None:
        link = f"https://ptb.discord.com/channels/{GUILD}/{POST}/{POST + 1}"
        button = by(BOT, 9, "Thanks!", is_bot=True, buttons=(("Jump to the solution", link),))
        assert found(by(KIM, 1), button) == (1, Rule.BOT)
        embed = EmbedText(text=f"Solved\n[here]({link})")
        assert found(by(KIM, 1), by(BOT, 9, "", is_bot=True, embeds=(embed,))) == (1, Rule.BOT)

    def test_a_link_to_elsewhere_names_nothing(self) -> None:
        elsewhere = f"Solved: https://discord.com/channels/{GUILD}/{POST + 5}/{POST + 1}"
        assert found(by(KIM, 1), by(BOT, 9, elsewhere, is_bot=True)) is None

    def test_the_question_may_be_linked_too_but_two_messages_are_one_too_many(self) -> None:
        both = f"{LINK}/{POST} was solved by {LINK}/{POST + 1}"
        assert found(by(KIM, 1), by(BOT, 9, both, is_bot=True)) == (1, Rule.BOT)
        two = f"Solved by {LINK}/{POST + 1} and {LINK}/{POST + 2}"
        assert found(by(KIM, 1), by(LEE, 2), by(BOT, 9, two, is_bot=True)) is None

    def test_the_latest_mark_counts(self) -> None:
        later = replace(linked(2), id=POST + 95)
        assert found(by(KIM, 1), by(LEE, 2), linked(1), later) == (2, Rule.BOT)


class TestReactions:
    LIKED = by(KIM, 1, reactions=(given_by(LEE, HELPER, emoji="👍"),))

    def test_the_most_liked_message_of_a_tagged_post_is_proposed(self) -> None:
        assert found(self.LIKED, by(LEE, 2), post=TAGGED) == (1, Rule.REACTIONS)
        solution = find_solution(TAGGED, [QUESTION, self.LIKED], RULES)
        assert solution is not None
        assert solution.is_proposed

    def test_without_the_tag_it_is_not(self) -> None:
        assert found(self.LIKED) is None

    def test_it_takes_two_others_and_more_than_any_other_message_has(self) -> None:
        once = by(KIM, 1, reactions=(given_by(KIM, LEE, emoji="👍"),))
        assert found(once, post=TAGGED) is None
        as_liked = by(LEE, 2, reactions=(given_by(KIM, ASKER, emoji="⬆️"),))
        assert found(self.LIKED, as_liked, post=TAGGED) is None

    def test_the_askers_thanks_stand_in_nobodys_way(self) -> None:
        thanks = by(ASKER, 2, "Works!", reactions=(given_by(KIM, LEE, HELPER, emoji="🎉"),))
        assert found(self.LIKED, thanks, post=TAGGED) == (1, Rule.REACTIONS)
        assert found(thanks, post=TAGGED) is None

    def test_without_an_asker_nobody_is_another(self) -> None:
        assert found(self.LIKED, post=replace(TAGGED, asker_id=None)) is None

    def test_a_server_chooses_what_is_positive(self) -> None:
        odd = by(KIM, 1, reactions=(given_by(LEE, ASKER, emoji="🥔"),))
        assert found(odd, post=TAGGED) is None
        assert found(odd, post=TAGGED, rules=replace(RULES, positive=frozenset("🥔"))) is not None

    @pytest.mark.parametrize(
        ("reactions", "people"),
        [
            ([given_by(LEE, ASKER, emoji="👍🏽")], 2),
            ([given_by(LEE, emoji="👍"), given_by(LEE, emoji="❤")], 1),
            ([given_by(LEE, emoji="👍"), given_by(ASKER, emoji="❤️")], 2),
            ([given_by(KIM, emoji="👍")], 0),
            ([unknown(2, "👍")], 2),
            ([EmojiCount(emoji="👍", count=5, user_ids=frozenset({KIM, LEE}))], 4),
            ([given_by(LEE, ASKER, emoji="👎")], 0),
        ],
    )
    def test_people_are_counted(self, reactions: list[EmojiCount], people: int) -> None:
        message = by(KIM, 1, reactions=tuple(reactions))
        assert message.people_for(RULES.positive) == people

    @pytest.mark.parametrize("tag", ["solved", "Solved!", "✅ Resolved", "Solved/Answered", "DONE"])
    def test_tags_that_say_it(self, tag: str) -> None:
        assert is_solved_tag(tag)

    @pytest.mark.parametrize("tag", ["Not solved", "unsolved", "to be done", "", "✅", "problem"])
    def test_tags_that_do_not(self, tag: str) -> None:
        assert not is_solved_tag(tag)

    def test_a_servers_own_word(self) -> None:
        assert is_solved_tag("✔ Ist gelöst", ["ist gelöst"])
        assert not is_solved_tag("solved", ["gelöst"])


class TestOrder:
    """Each rule alone finds another message; of several, the first one that holds counts."""

    POSSIBLE = (
        by(KIM, 1),
        by(KIM, 2, reactions=(given_by(ASKER),)),
        by(KIM, 3),
        by(KIM, 4, reactions=(given_by(LEE, HELPER, KIM, emoji="👍"),)),
        named(3),
    )

    def test_the_first_rule_that_holds_counts(self) -> None:
        whole = partial(found, post=TAGGED)
        one, two, three, four, mark = self.POSSIBLE
        assert whole(*self.POSSIBLE, marked=one.id) == (1, Rule.MARKED)
        assert whole(*self.POSSIBLE) == (2, Rule.EMOJI)
        assert whole(one, replace(two, reactions=()), three, four, mark) == (3, Rule.BOT)
        assert whole(one, three, four) == (4, Rule.REACTIONS)
        assert whole(one, three) is None

    def test_what_was_refused_gives_way_to_the_next(self) -> None:
        refused: set[int] = set()
        for number in (2, 3, 4):
            solution = found(*self.POSSIBLE, post=TAGGED, rejected=refused)
            assert solution is not None
            assert solution[0] == number
            refused.add(POST + number)
        assert found(*self.POSSIBLE, post=TAGGED, rejected=refused) is None


reactions = st.lists(
    st.builds(
        lambda emoji, users, hidden: EmojiCount(
            emoji=emoji, count=len(users) + hidden, user_ids=None if hidden > 1 else users
        ),
        st.sampled_from(["✅", "👍", "👍🏿", "⬆️", "👎"]),
        st.frozensets(st.integers(1, 6), max_size=4),
        st.integers(0, 3),
    ),
    max_size=3,
).map(tuple)
contents = st.sampled_from(
    ["", "\u200b", "Look at the fuse.", "solved", *(f"Solved: {LINK}/{POST + n}" for n in range(5))]
)
messages = st.lists(
    st.builds(
        PostMessage,
        id=st.integers(POST, POST + 12),
        author_id=st.sampled_from([ASKER, KIM, LEE, HELPER, OWN]),
        content=contents,
        is_bot=st.booleans(),
        is_system=st.booleans(),
        reactions=reactions,
        attachments=st.sampled_from([(), ("plan.png",)]),
    ),
    max_size=12,
    unique_by=lambda message: message.id,
).map(earliest)


@given(messages, st.none() | st.integers(POST, POST + 12), st.frozensets(st.integers(200, 212)))
def test_a_solution_is_always_a_message_that_may_be_one(
    messages: list[PostMessage], marked: int | None, rejected: frozenset[int]
) -> None:
    solution = find_solution(TAGGED, messages, RULES, marked=marked, rejected=rejected)
    if solution is None:
        return
    message, rule = solution
    assert message in messages
    assert message != first_message(TAGGED, messages)
    assert message.author_id != OWN
    assert not message.is_system
    assert message.id not in rejected or rule is Rule.MARKED
    assert (rule is Rule.MARKED) == (message.id == marked)
    if rule is Rule.EMOJI:
        mark = message.reaction("✅")
        assert mark is not None
        assert {ASKER, HELPER} & (mark.user_ids or frozenset())
    if rule is Rule.REACTIONS:
        others = further_answers(TAGGED, messages, message, RULES)
        likes = message.people_for(RULES.positive)
        assert likes >= 2
        rivals = [m for m in others if m.author_id != ASKER and m.id not in rejected]
        assert all(m.people_for(RULES.positive) < likes for m in rivals)
    thread = thread_of(TAGGED, messages, message, RULES)
    assert [answer.accepted for answer in thread.answers].count(True) == 1
    assert all(answer.body for answer in thread.answers)


@given(messages)
def test_the_order_in_which_messages_came_does_not_matter(messages: list[PostMessage]) -> None:
    first = find_solution(TAGGED, messages, RULES)
    for others in list(permutations(messages[:4]))[:5]:
        assert find_solution(TAGGED, earliest([*others, *messages[4:]]), RULES) == first


class TestFirstMessage:
    MILLISECOND = 1 << 22
    MADE = 1_100_000_000_000 * MILLISECOND
    POST = replace(KILN, id=MADE, asker_id=None)

    def test_it_has_the_posts_id(self) -> None:
        assert first_message(KILN, [QUESTION, by(KIM, 1)]) == QUESTION

    def test_a_thread_without_a_message_begins_with_one_of_the_same_time(self) -> None:
        first = replace(QUESTION, id=self.MADE + 900 * self.MILLISECOND)
        assert first_message(self.POST, [first]) == first
        assert first_message(replace(self.POST, asker_id=ASKER), [first]) == first
        assert first_message(replace(self.POST, asker_id=KIM), [first]) is None

    def test_after_it_was_deleted_the_next_is_not_the_question(self) -> None:
        later = replace(QUESTION, id=self.MADE + 61_000 * self.MILLISECOND)
        assert first_message(self.POST, [later]) is None
        reply = replace(QUESTION, id=self.MADE + 900 * self.MILLISECOND, reply_to=self.MADE)
        assert first_message(self.POST, [reply]) is None

    def test_where_discord_stands_in_for_it_the_next_is_not_the_question(self) -> None:
        stand_in = PostMessage(id=self.MADE + 1, author_id=KIM, is_system=True)
        reply = PostMessage(id=self.MADE + 2, author_id=LEE, content="Look at the fuse.")
        assert first_message(self.POST, [stand_in, reply]) is None


def test_of_a_long_post_the_beginning_is_looked_at() -> None:
    looked_at = earliest(by(KIM, number) for number in range(10_000, 0, -1))
    assert [message.id - POST for message in looked_at] == [*range(1, LOOKED_AT + 1)]


class TestThread:
    def test_a_thread_has_all_that_the_post_says(self) -> None:
        asked, answered = datetime(2024, 4, 1, 10, tzinfo=UTC), datetime(2024, 4, 2, tzinfo=UTC)
        liked = by(LEE, 2, "Or the plug.", reactions=(given_by(KIM, ASKER, emoji="👍"),))
        solution = by(KIM, 1, author="Kim", posted_at=answered)
        thread = thread_of(
            TAGGED, [replace(QUESTION, posted_at=asked), solution, liked, by(ASKER, 3)], solution,
            RULES,
        )  # fmt: skip
        assert thread == Thread(
            key="discord:150/200",
            title="The kiln stays cold",
            body="It has power, but no heat.",
            tags=("Pottery",),
            url="https://discord.com/channels/100/200",
            author="Max",
            asked_at=asked,
            source="#help",
            answers=(
                Answer(
                    key="201",
                    body="Look at the fuse.",
                    accepted=True,
                    author="Kim",
                    url="https://discord.com/channels/100/200/201",
                    answered_at=answered,
                ),
                Answer(
                    key="202",
                    body="Or the plug.",
                    url="https://discord.com/channels/100/200/202",
                ),
            ),
        )

    def test_files_are_named_and_lead_to_the_message(self) -> None:
        picture = by(KIM, 1, "\u200b", attachments=("plan[1].png", "b.pdf"))
        body = thread_of(KILN, [QUESTION, picture], picture, RULES).answers[0].body
        link = f"{LINK}/{POST + 1}"
        assert body == f"📎 [plan\\[1\\].png]({link}), [b.pdf]({link})"

    def test_a_question_that_is_a_picture(self) -> None:
        asking = replace(QUESTION, content="", attachments=("kiln.jpg",))
        assert thread_of(KILN, [asking, by(KIM, 1)], by(KIM, 1), RULES).body == (
            f"📎 [kiln.jpg]({LINK})"
        )

    def test_a_long_text_is_kept_whole(self) -> None:
        long = by(KIM, 1, "fuse " * 1_200)
        body = thread_of(KILN, [QUESTION, long], long, RULES).answers[0].body
        assert body == ("fuse " * 1_200).strip()

    def test_without_its_question_a_post_has_its_title(self) -> None:
        thread = thread_of(KILN, [by(KIM, 1)], by(KIM, 1), RULES)
        assert (thread.title, thread.body, thread.author) == (KILN.title, "", None)

    def test_a_title_that_cannot_be_seen(self) -> None:
        blank = replace(KILN, title="\u200b")
        assert thread_of(blank, [QUESTION, by(KIM, 1)], by(KIM, 1), RULES).title == QUESTION.content
        assert thread_of(blank, [by(KIM, 1)], by(KIM, 1), RULES).title == "#help"

    def test_what_no_database_keeps_is_left_out(self) -> None:
        odd = by(KIM, 1, "a\0b\ud800c")
        assert thread_of(KILN, [QUESTION, odd], odd, RULES).answers[0].body == "abc"

    def test_mentions_are_names_but_not_in_code(self) -> None:
        names = Names(users={1: "Max"}, roles={2: "Potters"}, channels={3: "rules"})
        said = "<@1> <@!1> <@5> <@&2> <@&6> <#3> <#7> `<@1>` ```\n<@1>\n``` <:ok:12> <@1> ```<@1>"
        assert with_names(said, names) == (
            "@Max @Max @somebody @Potters @somebody #rules <#7> `<@1>` ```\n<@1>\n``` <:ok:12> "
            "@Max ```<@1>"
        )


def test_looking_at_a_post_takes_time_in_proportion() -> None:
    def look(size: int) -> None:
        text = "solved https://discord.com/channels/1/2/3 <@1> ` not n't " * 20
        many = [by(KIM, number, text, is_bot=True) for number in range(1, size)]
        find_solution(KILN, many, RULES)
        thread_of(KILN, many, many[0], RULES)
        with_names(text * size, Names())

    check_linear(look, 100)
