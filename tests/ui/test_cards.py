"""Cards within Discord's limits, whatever a thread holds."""

from __future__ import annotations

import re
from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.client import PRESSABLE
from bot.curation import AuthorChoice
from bot.guild_settings import percent
from bot.i18n import languages, speaking
from bot.models import StoredAnswer, StoredThread, Vote
from bot.ui import (
    answer_buttons,
    backfill_cards,
    card_content,
    card_updates,
    cards,
    confirmations,
    curation_items,
    following_cards,
    helpers_page,
    items,
    limits,
    moderator_cards,
    quiet_card,
    review_cards,
    setup_page,
    text,
)
from tests.kit import limits as discord_limits

HUGE = 10**18
NASTY = "@everyone ](https://evil.example) **x** `` ``` <@1> 😀 \ud800 \x00 \u202e >>> "


def thread(words: str, answers: int = 3, **more) -> StoredThread:
    return StoredThread(
        id=HUGE,
        scope=0,
        key=words,
        title=words,
        body=words,
        author=words,
        license=words,
        tags=(words, words),
        url=more.get("url"),
        answers=tuple(
            StoredAnswer(
                id=HUGE + n, body=words, author=words, score=HUGE, votes=-n, accepted=n == 0,
                url=more.get("url"),
            )
            for n in range(answers)
        ),
    )  # fmt: skip


@pytest.mark.parametrize("language", languages())
def test_the_part_of_a_long_question_fits_above_any_answer(language: str):
    long = thread("*_~" * 2_000, url="https://example.org/" + "x" * 400)
    with speaking(language):
        asked = cards.asked_note("*" * 3_000)
        note = cards.noted(asked, cards.part_note("*" * 3_000, rest=True))
        for embeds in (True, False):
            check(cards.answer_card(long, long.answers[0], embeds=embeds, note=note))


def check(card: cards.Card) -> None:
    """Assert all that Discord would refuse a message for."""
    assert text.width(card.content or "") <= limits.MESSAGE
    embed = card.embed
    if embed is not None:
        assert text.width(embed.title or "") <= limits.EMBED_TITLE
        assert text.width(embed.description or "") <= limits.EMBED_DESCRIPTION
        assert text.width(embed.footer.text or "") <= limits.EMBED_FOOTER
        assert text.width(embed.author.name or "") <= discord_limits.EMBED_AUTHOR
        assert all(text.width(f.value or "") <= limits.EMBED_FIELD for f in embed.fields)
        assert len(embed) <= discord_limits.EMBED_TOTAL
    if card.view is None:
        return
    ids = [getattr(child, "custom_id", "") for child in card.view.children]
    assert len(ids) == len(set(ids)) <= 2 * discord_limits.COMPONENTS_A_ROW
    for child in card.view.children:
        assert isinstance(child, discord.ui.DynamicItem)
        assert 1 <= len(child.custom_id) <= discord_limits.CUSTOM_ID
        if isinstance(child.item, discord.ui.Button):
            assert child.item.label or child.item.emoji
            assert len(child.item.label or "") <= discord_limits.BUTTON_LABEL
        if isinstance(child.item, discord.ui.Select):
            assert 1 <= len(child.item.options) <= limits.SELECT_OPTIONS
            for option in child.item.options:
                assert 1 <= text.width(option.label) <= limits.OPTION_TEXT
                assert text.width(option.description or "") <= limits.OPTION_TEXT


def buttons(card: cards.Card) -> list[discord.ui.Button[Any]]:
    """Return the buttons of a card, in their order."""
    assert card.view is not None
    inner = [c.item for c in card.view.children if isinstance(c, discord.ui.DynamicItem)]
    return [item for item in inner if isinstance(item, discord.ui.Button)]


WORDS = st.sampled_from(["", "a", NASTY, NASTY * 100, "word " * 5000, "```py\nx\n" * 900])


@settings(max_examples=60, deadline=None)
@given(WORDS | st.text(max_size=300), st.integers(1, 3), st.booleans(), st.booleans())
async def test_every_card_is_within_discords_limits(
    words: str, answers: int, embeds: bool, linked: bool
):
    url = "https://example.org/" + "x" * 900 if linked else words
    shown = thread(words, answers, url=url)
    answer = shown.answers[0]
    check(
        cards.answer_card(
            shown, answer, confidence=1.0, embeds=embeds, note=cards.asked_note(words)
        )
    )
    check(cards.answer_card(shown, answer, embeds=embeds, votes=True, shares=linked))
    check(confirmations.forget_card(HUGE))
    check(confirmations.reset_card(HUGE))
    check(cards.page_card(shown, items.Place(HUGE, 0, 0, True), embeds=embeds))
    check(cards.page_card(shown, items.Place(HUGE, HUGE + 1, 99_999), embeds=embeds, note="n" * 90))
    options = [items.ThreadOption(HUGE + n, words, words) for n in range(30)] * 2
    check(cards.suggestion_card(options, HUGE, replaces_answer=True, note="Taken back."))
    check(cards.suggestion_card(options[:1], HUGE, note=cards.asked_note(words)))


async def test_nothing_of_a_thread_leaves_its_place():
    shown = thread(NASTY, url="https://example.org/")
    for embeds in (True, False):
        card = cards.answer_card(shown, shown.answers[0], embeds=embeds)
        everything = (card.content or "") + (
            f"{card.embed.title} {card.embed.description}" if card.embed else ""
        )
        assert "@everyone" not in everything
        assert "<@1>" not in everything
        assert "\ud800" not in everything
        assert "\u202e" not in everything
        heading = card.embed.title if card.embed else (card.content or "").split("\n")[0][2:-2]
        assert heading
        assert re.search(r"(?<!\\)[*`\]]", heading) is None


async def test_plain_card_has_its_facts_above_the_answer():
    shown = thread("Title", url="https://example.org/")
    content = cards.answer_card(shown, shown.answers[0], embeds=False).content or ""
    assert content.split("\n")[-1] == "Title"
    assert content.startswith("**Title**\n<https://example.org/>\n-# ✅ accepted · ")


async def test_unsafe_links_are_left_out():
    shown = thread("Title", url="javascript:alert(1)")
    card = cards.answer_card(shown, shown.answers[0])
    assert card.embed is not None
    assert card.embed.url is None


async def test_member_as_author_is_not_shown_as_a_number():
    shown = thread("<@123456>")
    card = cards.answer_card(shown, shown.answers[0])
    assert card.embed is not None
    assert "— a member" in (card.embed.description or "")


async def test_pages_of_a_long_answer_lead_through_all_of_it():
    shown = thread("A sentence of many words, which goes on. " * 300)
    place: items.Place | None = items.Place(HUGE, items.QUESTION, 0, True)
    seen = []
    while place is not None:
        card = cards.page_card(shown, place)
        assert card.embed is not None
        assert card.view is not None
        seen.append((place.answer_id, place.part))
        turn = card.view.children[1]
        assert isinstance(turn, items.TurnPage)
        place = None if turn.item.disabled else turn.place
    parts = len(card_content.pages(shown, None))
    assert seen == [(i, p) for i in (0, HUGE, HUGE + 1, HUGE + 2) for p in range(parts)]
    back = cards.page_card(shown, items.Place(HUGE, HUGE, 0, True))
    assert back.view is not None
    before = back.view.children[0]
    assert isinstance(before, items.TurnPage)
    assert before.place == items.Place(HUGE, items.QUESTION, parts - 1, True)


async def test_page_of_an_answer_that_is_gone_is_the_first():
    shown = thread("words")
    card = cards.page_card(shown, items.Place(HUGE, 5))
    assert card.embed is not None
    assert "answer 1 of 3" in (card.embed.footer.text or "")
    empty = cards.page_card(thread("words", 0), items.Place(HUGE, 5))
    assert empty.embed is not None
    assert "no answers" in (empty.embed.footer.text or "")


async def test_custom_ids_of_one_kind_are_not_read_as_another():
    place = items.Place(HUGE, HUGE, 99_999, True)
    made = [
        items.ReadRest(place),
        items.OtherAnswers(place),
        items.NotMine(),
        items.TurnPage("prev", place),
        items.TurnPage("next", place),
        items.CastVote(Vote.UP, place),
        items.CastVote(Vote.DOWN, place),
        items.PickThread(HUGE, [items.ThreadOption(1, "t")]),
        items.PickThread(HUGE, [items.ThreadOption(1, "t")], replaces_answer=True),
        items.ThisOne(HUGE, HUGE),
        items.ThisOne(HUGE, HUGE, replaces_answer=True),
        items.NoneOfThese(HUGE),
        quiet_card.PickQuietly(HUGE, items.ThreadOption(HUGE, "t")),
        answer_buttons.CardVote(Vote.UP, place),
        answer_buttons.CardVote(Vote.DOWN, place),
        answer_buttons.Share(place),
        answer_buttons.Accept(place),
        answer_buttons.Accept(place, back=True),
        backfill_cards.StopBackfill(HUGE),
        review_cards.ReviewPosts(),
        review_cards.TakeProposed(HUGE, HUGE),
        review_cards.SkipProposed(HUGE),
        review_cards.ChooseAnother(HUGE),
        confirmations.ChooseAuthor(HUGE, AuthorChoice.WITHOUT_NAME),
        confirmations.ConfirmForget(HUGE),
        confirmations.ConfirmReset(HUGE),
        confirmations.LeaveIt(HUGE),
        helpers_page.SetHelpers(range(HUGE, HUGE + 30)),
        helpers_page.NotifyHelpers(notify=True),
        helpers_page.NotifyHelpers(notify=False),
        backfill_cards.StopBackfill(HUGE),
        following_cards.TellInGuidelines(HUGE),
        following_cards.NotTheSolution(),
        following_cards.Reopen(),
        moderator_cards.RemoveThese(HUGE, 10**8, whole_source=False),
        moderator_cards.RemoveThese(HUGE, 10**8, whole_source=True),
        moderator_cards.KeepThem(),
        moderator_cards.BringBack(HUGE - 1),
        moderator_cards.JudgePhrasing(HUGE, HUGE, keeps=True),
        moderator_cards.JudgePhrasing(HUGE, HUGE, keeps=False),
        curation_items.UndoChange(1),
        curation_items.MergeInto(1, 2),
        curation_items.RestoreRevision(1),
        curation_items.PickRevision([discord.SelectOption(label="a")]),
        curation_items.PickPart(1, [discord.SelectOption(label="a")]),
        curation_items.PickPart(1, [discord.SelectOption(label="a")], menu=4),
        curation_items.TurnHistory(HUGE, 99_999),
        curation_items.TurnHistory(0, 0, is_newer=True),
    ]
    modules = [module for module in PRESSABLE if module is not setup_page]
    known = tuple(item for module in modules for item in module.ALL)
    assert {type(item) for item in made} == set(known)
    for item in made:
        fits = [k for k in known if k.__discord_ui_compiled_template__.fullmatch(item.custom_id)]
        assert fits == [type(item)]


@pytest.mark.parametrize(("confidence", "shown"), [(0.0, "0 %"), (0.876, "88 %"), (1.0, "99 %")])
def test_confidence_is_never_quite_certain(confidence: float, shown: str):
    assert percent(confidence) == shown


async def test_many_channel_modes_fit_into_the_settings_card(settings):
    modes = [(HUGE + n, "questions") for n in range(500)]
    card = moderator_cards.settings_card(settings.guild_defaults, modes, ["a note " * 20] * 50)
    check(card)
    assert card.embed is not None
    channels = next(field for field in card.embed.fields if field.name == "Channels")
    assert "more" in (channels.value or "")


def voted(*scores: int) -> StoredThread:
    """A thread of which the first answer is accepted, with these scores."""
    answers = [
        StoredAnswer(id=n, body="b", score=score, accepted=n == 0) for n, score in enumerate(scores)
    ]
    return StoredThread(id=1, scope=0, key="k", title="t", answers=tuple(answers))


def test_a_card_of_an_older_version_is_redrawn_without_its_percentage() -> None:
    thread = voted(4)
    embed = discord.Embed(title="t").set_footer(text="✅ accepted · ▲ 3 · 78 % sure")
    drawn = card_updates.updated(embed, thread, thread.answers[0])
    assert drawn is not None
    assert (drawn.title, drawn.footer.text) == ("t", "✅ accepted · ▲ 4")
    assert card_updates.updated(drawn, thread, thread.answers[0]) is None


@pytest.mark.parametrize(
    ("scores", "trails"), [((3, 14), "(+14)"), ((-5, -2), "(-2)"), ((3, 3), ""), ((3,), "")]
)
async def test_an_accepted_answer_says_that_another_has_more_votes(
    scores: tuple[int, ...], trails: str
):
    thread = voted(*scores)
    first, last = (cards.answer_card(thread, a) for a in (thread.answers[0], thread.answers[-1]))
    assert first.embed is not None
    assert last.embed is not None
    said = f"another answer has more votes {trails}" if trails else "▲"
    assert said in (first.embed.footer.text or "")
    assert ("more votes" in (first.embed.footer.text or "")) == bool(trails)
    if len(scores) > 1:
        assert "more votes" not in (last.embed.footer.text or "")


async def test_one_suggestion_is_a_question_with_a_button():
    one = cards.suggestion_card([items.ThreadOption(7, "How to **vote**?")] * 2, 5)
    assert one.content == "Did you mean **How to \\*\\*vote\\*\\*?**"
    assert [(button.label, button.custom_id) for button in buttons(one)] == [
        ("Yes, that one", "tw:this:5:7"),
        ("No, not that one", "tw:none:5"),
    ]


async def test_the_vote_buttons_of_a_page_differ_and_show_what_was_voted():
    thread, place = voted(1, 2), items.Place(1, 0)

    def shown(voted: Vote | None) -> list[tuple[str | None, discord.ButtonStyle]]:
        page = cards.page_card(thread, place, voted=voted)
        return [(button.label, button.style) for button in buttons(page)[2:]]

    grey, green, red = (
        discord.ButtonStyle.secondary,
        discord.ButtonStyle.success,
        discord.ButtonStyle.danger,
    )
    assert shown(None) == [("▲ Helpful", grey), ("▼ Not helpful", grey)]
    assert shown(Vote.UP) == [("▲ You voted for it", green), ("▼ Not helpful", grey)]
    assert shown(Vote.DOWN) == [("▲ Helpful", grey), ("▼ You voted against it", red)]
