"""Cards within Discord's limits, whatever a thread holds."""

from __future__ import annotations

import re

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.guild_settings import percent
from bot.models import StoredAnswer, StoredThread, Vote
from bot.ui import card_content, cards, items, limits, moderator_cards, text
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
    assert len(ids) == len(set(ids)) <= discord_limits.COMPONENTS_A_ROW
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
    check(cards.page_card(shown, items.Place(HUGE, 0, 0, True), embeds=embeds))
    check(cards.page_card(shown, items.Place(HUGE, HUGE + 1, 99_999), embeds=embeds, note="n" * 90))
    options = [items.Option(HUGE + n, words, words) for n in range(30)] * 2
    check(cards.suggestion_card(options, HUGE, again=True, note="Taken back."))


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
        items.PickThread(HUGE, [items.Option(1, "t")]),
        items.PickThread(HUGE, [items.Option(1, "t")], again=True),
        items.NoneOfThese(HUGE),
        moderator_cards.RemoveThese(HUGE, 10**8, whole_source=False),
        moderator_cards.RemoveThese(HUGE, 10**8, whole_source=True),
        moderator_cards.KeepThem(),
        moderator_cards.BringBack(HUGE - 1),
    ]
    known = (*items.ALL, *moderator_cards.ALL)
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


def test_the_tally_is_found_wherever_it_stands_in_the_footer() -> None:
    footer = "answered 2024-05-03 · ▲ 3 · 78 % sure"
    drawn = cards.with_tally(discord.Embed().set_footer(text=footer), 4)
    assert drawn is not None
    assert drawn.footer.text == "answered 2024-05-03 · ▲ 4 · 78 % sure"
