"""Author, origin and licence on cards: on every card, and never misleading."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.models import Answer, StoredAnswer, StoredThread, Thread
from bot.ui import card_content, cards, items, limits, text
from tests.kit.messages import shown
from tests.kit.world import World
from tests.ui.test_cards import NASTY, check

PAGE = "https://history.stackexchange.com/questions/1"
OWN = "https://history.stackexchange.com/a/2"


def thread(answer: dict[str, Any] | None = None, **more: Any) -> StoredThread:
    said = StoredAnswer(id=2, body="Because.", **(answer or {}))
    return StoredThread(id=1, scope=0, key="k", title="Why?", answers=(said,), **more)


def line(answer: dict[str, Any] | None = None, **more: Any) -> str:
    """The line of credits under an answer."""
    it = thread(answer, **more)
    return card_content.linked_credits(card_content.credits_of(it, it.answers[0]))


def test_everything_is_named_and_linked():
    said = line(
        {"author": "T.E.D.", "url": OWN},
        url=PAGE,
        source="history.stackexchange.com",
        license="CC BY-SA 3.0",
    )
    assert said == (
        f"— [T.E.D.]({OWN}) · [history.stackexchange.com]({PAGE}) · "
        "[CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/)"
    )


def test_answers_own_licence_comes_before_the_threads():
    assert "4.0" in line({"license": "CC BY-SA 4.0"}, license="CC BY-SA 3.0")
    assert "3.0" in line({}, license="CC BY-SA 3.0")


def test_what_nobody_claims_has_no_credits():
    assert line() == ""
    assert line(source="faq") == ""
    card = cards.answer_card(thread(), thread().answers[0])
    assert card.embed is not None
    assert card.embed.description == "Because."


@pytest.mark.parametrize(
    ("source", "url", "site"),
    [
        ("history.stackexchange.com", PAGE, "history.stackexchange.com"),
        ("stackexchange.com", PAGE, "stackexchange.com"),
        ("faq", "https://www.example.org/1", "example.org"),
        (None, "https://example.org:8080/1", "example.org"),
        ("history.stackexchange.com", "https://evil.example/", "evil.example"),
        ("exchange.com", PAGE, "history.stackexchange.com"),
        ("History.StackExchange.com", None, "history.stackexchange.com"),
        ("a file.txt", None, None),
        ("faq.jsonl", "javascript:alert(1)", "faq.jsonl"),
    ],
)
def test_site_is_where_the_address_leads(source: str | None, url: str | None, site: str | None):
    said = line(source=source, url=url)
    assert said.partition("](")[0] == (f"— [{site}" if url and url[0] == "h" else f"— {site}") or (
        site is None and said == ""
    )


@pytest.mark.parametrize(
    ("license", "terms"),
    [
        ("CC BY-SA 4.0", "licenses/by-sa/4.0/"),
        ("cc-by-nc-nd-2.5", "licenses/by-nc-nd/2.5/"),
        ("CC BY 4.0", "licenses/by/4.0/"),
        ("CC0", "publicdomain/zero/1.0/"),
        ("CC0 1.0", "publicdomain/zero/1.0/"),
    ],
)
def test_well_known_licences_lead_to_their_terms(license: str, terms: str):
    assert f"](https://creativecommons.org/{terms})" in line(license=license)


@pytest.mark.parametrize("license", ["MIT", "all rights reserved", "CC BY-SA 4.0 or later"])
def test_other_licences_are_named(license: str):
    assert line(license=license) == f"— {text.escape(license)}"


def test_links_end_where_they_should():
    said = line({"author": "[x](https://evil.example)", "url": "https://e.org/a_(b)"})
    name = "\\(x\\)\\(https\\://evil.example\\) (e.org)"
    assert said.startswith(f"— [{name}](https://e.org/a_%28b%29)")


def test_member_is_not_shown_as_a_number():
    assert line({"author": "<@123>"}) == "— a member"


def test_links_that_take_too_much_room_are_left_out_names_never():
    far = "https://example.org/" + "x" * 900
    said = line({"author": "joe", "url": far}, url=far, source="example.org", license="CC0")
    assert said == "— joe · example.org · CC0"
    near = "https://example.org/" + "x" * 400
    said = line({"author": "joe", "url": near}, url=PAGE, source="x", license="CC0")
    assert said.startswith(f"— [joe]({near})")
    assert text.width(said) <= limits.CREDITS


def test_nothing_in_credits_pings_or_breaks_out():
    it = thread({"author": NASTY, "license": NASTY}, source=NASTY)
    for said in (card_content.linked_credits, card_content.plain_credits):
        shown = said(card_content.credits_of(it, it.answers[0]))
        assert "@everyone" not in shown
        assert "<@1>" not in shown
        assert "**x**" not in shown
        assert "\n" not in shown


async def test_a_cut_answer_keeps_its_credits():
    it = thread({"author": "joe", "url": OWN})
    long = replace(it, answers=(replace(it.answers[0], body="A sentence of words. " * 900),))
    for card in (
        cards.answer_card(long, long.answers[0]),
        cards.page_card(long, items.Place(1, 2)),
    ):
        check(card)
        assert card.embed is not None
        assert (card.embed.description or "").endswith(
            f"\n\n— [joe]({OWN}) · history.stackexchange.com"
        )


async def test_question_page_tells_closed_and_related():
    it = thread(closed_at=datetime(2015, 6, 7, tzinfo=UTC), author="ann", url=PAGE)
    related: list[tuple[str, str | None]] = [("Why [not]?", PAGE), ("Why ever?", None)]
    card = cards.page_card(it, items.Place(1, 0, 0, True), related=related)
    assert card.embed is not None
    assert card.embed.footer.text == "question · 1 answer · closed 2015-06-07"
    assert card.embed.description == f"— ann · [history.stackexchange.com]({PAGE})"
    (field,) = card.embed.fields
    assert field.name == "See also"
    assert (field.value or "").splitlines() == [f"- [Why \\(not\\)?]({PAGE})", "- Why ever?"]
    answer = cards.page_card(it, items.Place(1, 2), related=related)
    assert answer.embed is not None
    assert answer.embed.fields == []


async def test_related_threads_are_those_that_this_server_sees(world: World):
    keys = ("pins", "nowhere", "theirs", "mine", "hub", *(f"r{n}" for n in range(9)))
    more = [Thread(key=f"r{n}", title=f"Row {n}") for n in range(9)]
    hub = Thread(key="hub", title="Where?", body="It?", related=keys, answers=(Answer(body="x"),))
    await world.app.library.add([hub, *more])
    await world.app.library.add([Thread(key="mine", title="My own?")], scope=world.guild.id)
    await world.app.library.add([Thread(key="theirs", title="Theirs?")], scope=12345)
    result = await world.alice.slash(world.general, "thread", query="hub")
    (field,) = shown(result).embeds[0].fields
    assert field.value.splitlines() == [
        "- How can I pin a message in my channel?", "- My own?", "- Row 0", "- Row 1", "- Row 2",
    ]  # fmt: skip
    turned = await world.alice.click(shown(result), label="Next")
    assert shown(turned).embeds[0].fields == []


@pytest.mark.parametrize("words", ["a", NASTY * 40, "🛶" * 900])
async def test_credits_and_related_keep_cards_within_limits(words: str):
    link = "https://example.org/" + "x" * 900
    body = "A sentence of words. " * 900
    it = thread({"author": words, "license": words, "url": link}, source=words, url=link, body=body)
    it = replace(it, author=words, license=words, tags=(words,), answers=it.answers)
    it = replace(it, answers=(replace(it.answers[0], body=body),))
    related: list[tuple[str, str | None]] = [(words, link)] * limits.RELATED
    for embeds in (True, False):
        note = cards.asked_note(words)
        check(cards.answer_card(it, it.answers[0], confidence=0.5, embeds=embeds, note=note))
        for part in (0, 999):
            place = items.Place(1, 0, part, True)
            check(cards.page_card(it, place, embeds=embeds, note=note, related=related))
            check(cards.page_card(it, items.Place(1, 2, part), embeds=embeds, note=note))
