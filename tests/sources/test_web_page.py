"""FAQ pages of the web: each way in which they mark questions, and pages that are none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.models import Answer, Thread
from bot.sources import SourceReport, read
from bot.sources.files import MAX_HTML_BYTES, Options
from tests.kit.growth import cpu_seconds

relaxed = settings(deadline=None, suppress_health_check=list(HealthCheck))

QUESTION = {
    "@type": "Question",
    "name": "How do I <i>vote</i> &amp; why?",
    "acceptedAnswer": {"@type": "Answer", "text": "<p>Tap <b>it</b>.</p><ul><li>once</li></ul>"},
}


def page(tmp_path: Path, report: SourceReport, html: str | bytes) -> list[Thread]:
    path = tmp_path / "faq.html"
    path.write_bytes(html if isinstance(html, bytes) else html.encode())
    return list(read(path, report))


def with_ld(*values: object, more: str = "") -> str:
    scripts = (f'<script type="application/ld+json">{json.dumps(v)}</script>' for v in values)
    return f"<!DOCTYPE html>\n<html><head>{''.join(scripts)}</head><body>{more}</body></html>"


def bodies(found: list[Thread]) -> dict[str, list[str]]:
    return {thread.title: [answer.body for answer in thread.answers] for thread in found}


def refusals(report: SourceReport) -> list[tuple[int | None, str]]:
    return [(error.line, error.reason) for error in report.rejected]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda q: {"@context": "https://schema.org", "@type": "FAQPage", "mainEntity": [q]},
        lambda q: {"@graph": [{"@type": "WebSite"}, {"@type": ["FAQPage"], "mainEntity": q}]},
        lambda q: [q],
        lambda q: q,
    ],
)
def test_json_ld_is_read_wherever_it_holds_questions(
    tmp_path: Path, report: SourceReport, wrap: Any
):
    (thread,) = page(tmp_path, report, with_ld(wrap(QUESTION)))
    assert (thread.key, thread.title) == ("faq#how-do-i-vote-why", "How do I vote & why?")
    assert thread.answers == (Answer(body="Tap **it**.\n\n- once", accepted=True),)
    assert report == SourceReport()


def test_a_qa_page_gives_every_answer_with_its_author_and_date(
    tmp_path: Path, report: SourceReport
):
    question = {
        "@type": "Question",
        "name": "Why?",
        "text": "I wonder.",
        "upvoteCount": "4",
        "author": {"@type": "Person", "name": "Al"},
        "dateCreated": "2020-01-02T03:04:05Z",
        "acceptedAnswer": {
            "text": "So.",
            "upvoteCount": 3,
            "url": "https://e.org/1#a",
            "author": [{"name": "Bo"}],
            "datePublished": "2020-01-03",
        },
        "suggestedAnswer": [{"text": "Or so.", "upvoteCount": -1}, {"text": "Perhaps"}],
        "url": "/questions/1",
    }
    html = with_ld({"@type": "QAPage", "mainEntity": question})
    head = '<link rel="canonical" href="https://e.org/x#y">'
    (thread,) = page(tmp_path, report, html.replace("<head>", f"<head>{head}"))
    assert (thread.body, thread.score, thread.author) == ("I wonder.", 4, "Al")
    assert thread.asked_at == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert thread.url == "https://e.org/x"
    assert thread.answers == (
        Answer(
            body="So.",
            score=3,
            accepted=True,
            author="Bo",
            url="https://e.org/1#a",
            answered_at=datetime(2020, 1, 3, tzinfo=UTC),
        ),
        Answer(body="Or so.", score=-1),
        Answer(body="Perhaps"),
    )


def test_what_json_ld_tells_is_not_read_again_from_the_page(tmp_path: Path, report: SourceReport):
    more = "<details><summary>How do I vote?</summary>Tap.</details>"
    assert len(page(tmp_path, report, with_ld(QUESTION, more=more))) == 1


def test_broken_json_ld_is_named_and_the_page_itself_is_read(tmp_path: Path, report: SourceReport):
    html = "<!doctype html>\n<script type=application/ld+json>{oops</script>\n<h2>Why?</h2><p>x"
    assert bodies(page(tmp_path, report, html)) == {"Why?": ["x"]}
    assert [(e.line, e.reason) for e in report.warned] == [
        (2, "its JSON-LD is not JSON, and was passed over")
    ]


def test_microdata_is_read(tmp_path: Path, report: SourceReport):
    html = """<!doctype html><link rel="canonical" href="https://e.org/faq">
<main itemscope itemtype="https://schema.org/FAQPage">
 <section itemscope itemprop="mainEntity" itemtype="https://schema.org/Question" id="q1">
  <h3 itemprop="name">Why?</h3><p itemprop="text">I wonder.</p>
  <meta itemprop="upvoteCount" content="2">
  <div itemscope itemprop="acceptedAnswer" itemtype="https://schema.org/Answer">
   <div itemprop="text"><p>Because of <a href="/x">this</a></p></div>
   <span itemprop="author" itemscope itemtype="https://schema.org/Person">
    <span itemprop="name">Mi</span></span>
   <time itemprop="dateCreated" datetime="2021-01-01">yesterday</time>
  </div>
  <div itemprop="suggestedAnswer">No idea</div>
 </section>
</main>"""
    (thread,) = page(tmp_path, report, html)
    assert (thread.key, thread.title, thread.body) == ("faq#q1", "Why?", "I wonder.")
    assert (thread.score, thread.url) == (2, "https://e.org/faq#q1")
    assert thread.answers == (
        Answer(
            body="Because of [this](https://e.org/x)",
            accepted=True,
            author="Mi",
            answered_at=datetime(2021, 1, 1, tzinfo=UTC),
        ),
        Answer(body="No idea"),
    )
    assert report == SourceReport()


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("<b>Bold?</b>", "Bold?"),
        ("<p>What is<br>a_b_ * c &amp; d?</p>", "What is a_b_ * c & d?"),
        ("Is a < b?", "Is a < b?"),
        ("Write &lt;b&gt;?", "Write <b>?"),
    ],
)
def test_a_title_is_plain_text(tmp_path: Path, report: SourceReport, name: str, title: str):
    (thread,) = page(tmp_path, report, with_ld(QUESTION | {"name": name}))
    assert thread.title == title


def test_a_title_of_microdata_is_plain_text(tmp_path: Path, report: SourceReport):
    html = """<!doctype html><div itemscope itemtype="https://schema.org/Question">
<meta itemprop="name" content="&lt;b&gt;Bold?&lt;/b&gt;"><p itemprop="acceptedAnswer">x</p></div>"""
    assert bodies(page(tmp_path, report, html)) == {"Bold?": ["x"]}


def test_details_with_questions_are_read_and_their_neighbours_with_them(
    tmp_path: Path, report: SourceReport
):
    html = """<!doctype html>
<details id="vote"><summary>How do I <i>vote</i>?</summary><p>Tap.</p>And wait.</details>
<details><summary>Shipping</summary>Soon.</details>
<section><details><summary>Show the code</summary>x</details></section>
<details><summary>Billing</summary>
 <details><summary>Who pays?</summary>You.</details><details><summary>When</summary>Now</details>
</details>
<details>nothing</details>"""
    found = page(tmp_path, report, html)
    assert bodies(found) == {
        "How do I vote?": ["Tap.\n\nAnd wait."],
        "Shipping": ["Soon."],
        "Who pays?": ["You."],
        "When": ["Now"],
    }
    assert found[0].key == "faq#vote"
    assert refusals(report) == [(8, "question must not be empty")]


def test_a_question_over_two_lines_is_one_line_with_its_words_apart(
    tmp_path: Path, report: SourceReport
):
    html = "<!doctype html><details><summary>How do<br>I vote?</summary>x</details>"
    html += "<dl><dt><p>Why</p><p>so?</p></dt><dd>y</dd></dl>"
    assert bodies(page(tmp_path, report, html)) == {"How do I vote?": ["x"], "Why so?": ["y"]}


def test_definition_lists_with_questions_are_read(tmp_path: Path, report: SourceReport):
    html = """<!doctype html><dl>
<div><dt id="a">What is a vote?</dt><dd>An <b>arrow</b>.</dd></div>
<dt>Where?<dt>In which place?<dd>Here.<dd>There.
<dt>Else</dt><dd><dl><dt>inner</dt><dd>list</dd></dl></dd>
</dl><dl><dt>vote</dt><dd>a thing</dd></dl>"""
    found = page(tmp_path, report, html)
    assert [(t.key, t.title, t.phrasings) for t in found] == [
        ("faq#a", "What is a vote?", ()),
        ("faq#where", "Where?", ("In which place?",)),
        ("faq#else", "Else", ()),
    ]
    assert [a.body for a in found[1].answers] == ["Here.", "There."]
    assert found[0].answers[0].body == "An **arrow**."


def test_headings_are_read_where_there_is_nothing_else(tmp_path: Path, report: SourceReport):
    html = """<!doctype html><nav><h2>Lost?</h2>x</nav><main><h1>FAQ</h1>
<h5>1. Why?</h5><p>So.</p><h5>Note</h5>y<h2>How?</h2><p>Like <code># that?</code></p></main>
<footer>z</footer>"""
    found = page(tmp_path, report, html)
    assert [t.key for t in found] == ["faq#why", "faq#how"]
    assert bodies(found)["How?"] == ["Like `# that?`"]
    assert report.rejected == []


def test_headings_without_a_question_mark_are_read_beside_others_or_counted(
    tmp_path: Path, report: SourceReport
):
    html = """<!doctype html><h1>FAQ</h1><h3>1. How do I pay?</h3><p>By card.</p>
<h3>How long does it take</h3><p>3 days.</p><h3>Shipping costs</h3><p>5</p>
<h4>What is that in dollars</h4><p>6</p><h2>Contact</h2><p>mail</p>"""
    assert bodies(page(tmp_path, report, html)) == {
        "How do I pay?": ["By card."],
        "How long does it take": ["3 days."],
    }
    assert report.passed_over == {"sections whose heading is no question": 1}


def test_small_headings_ask_without_a_question_mark_where_one_of_their_size_has_it(
    tmp_path: Path, report: SourceReport
):
    html = "<!doctype html><h1>FAQ</h1><h4>Why?</h4>a<h4>Is it so then</h4>b<h5>How is it</h5>c"
    assert bodies(page(tmp_path, report, html)) == {
        "Why?": ["a"],
        "Is it so then": ["b\n\n**How is it**\n\nc"],
    }


def test_a_question_that_cannot_be_is_named_and_the_rest_loads(
    tmp_path: Path, report: SourceReport
):
    html = "<!doctype html>\n<details><summary>Why?</summary></details>\n"
    html += "<details><summary>How?</summary>x</details>"
    assert bodies(page(tmp_path, report, html)) == {"How?": ["x"]}
    assert refusals(report) == [(2, "answer must not be empty")]


def test_a_page_without_questions_is_refused_when_named_and_else_passed_over(
    tmp_path: Path, report: SourceReport
):
    assert page(tmp_path, report, "<!doctype html><h1>Hello</h1>") == []
    assert refusals(report)[0][1].startswith("no question is found in it: neither schema.org's")
    (tmp_path / "faq.txt").write_text("T\nUpvote:1\nx")
    report = SourceReport()
    assert [t.key for t in read(tmp_path, report)] == ["faq"]
    assert report.passed_over == {"pages without a question": 1}
    assert report.rejected == []


@pytest.mark.parametrize(
    ("html", "warned"),
    [
        ("<!doctype html><h2>Wärum?</h2><p>Därum".encode(), 0),
        ('<!doctype html><meta charset="latin-1"><h2>Wärum?</h2><p>Därum'.encode("latin-1"), 0),
        ("<!doctype html><h2>Wärum?</h2><p>Därum".encode("utf-16"), 0),
        ("<!doctype html><meta charset=x><h2>Wärum?</h2><p>Därum".encode("cp1252"), 1),
        ('<!doctype html><meta charset="hex"><h2>Wärum?</h2><p>Därum'.encode(), 0),
        ('<!doctype html><meta charset="undefined"><h2>Wärum?</h2><p>Därum'.encode(), 0),
        ('<!doctype html><meta charset="punycode"><h2>Wärum?</h2><p>Därum'.encode(), 0),
        ('<!doctype html><meta charset="unicode_escape"><h2>Wärum?</h2><p>Därum'.encode(), 0),
    ],
)
def test_codings_are_reported(tmp_path: Path, report: SourceReport, html: bytes, warned: int):
    assert bodies(page(tmp_path, report, html)) == {"Wärum?": ["Därum"]}
    assert len(report.warned) == warned


@pytest.mark.parametrize("name", ["faq", "faq.php", "faq.html"])
@pytest.mark.parametrize(
    "start",
    [
        "<!DOCTYPE html>",
        "<html>",
        "\n<!-- a --><!-- b -->\n<body>",
        "<?xml version='1.0'?>\n<html>",
    ],
)
def test_a_page_is_recognised_by_its_beginning(
    tmp_path: Path, report: SourceReport, name: str, start: str
):
    (tmp_path / name).write_text(f"{start}<h2>Why?</h2><p>x")
    assert [t.title for t in read(tmp_path / name, report)] == ["Why?"]


def test_a_large_page_is_refused(tmp_path: Path, report: SourceReport):
    assert page(tmp_path, report, b"<!doctype html>" + b"x" * MAX_HTML_BYTES) == []
    assert refusals(report)[0][1].startswith("such a file may have up to 16 MB")


@pytest.mark.untraced
@pytest.mark.parametrize(
    "piece",
    [
        "<script ",
        '<script type="application/ld+json">{',
        "<details><summary>a",
        "<details><summary>a?</summary>x</details>",
        "<details><summary>a</summary>x</details>",
        "<dl><dt>a?<dd>b",
        "<dt>",
        "<div itemscope itemtype=x/Question>",
        "<!--",
        "<!-- -->",
        "<h2>a?</h2>",
        "&amp;",
    ],
)
def test_a_hostile_page_takes_no_more_than_moments(
    tmp_path: Path, report: SourceReport, piece: str
):
    html = "<!doctype html>" + piece * (64 * 1024 // len(piece))
    assert cpu_seconds(lambda: page(tmp_path, report, html)) < 30


tags = st.sampled_from(
    "<details>|<summary>|</summary>|</details>|<dl>|<dt>|<dd>|</dl>|<h2>|</h2>|<p>|why?|x|<div "
    'itemscope itemtype="https://schema.org/Question">|<b itemprop="name">|</b>|</div>|<span '
    'itemprop="acceptedAnswer">|</span>|<script type="application/ld+json">|{"@type":"Question",'
    '"name":"a"}|</script>|<!--|-->|&#0;|\0|<main>|<pre>'.split("|")
)


@relaxed
@given(st.lists(tags | st.text(max_size=5), max_size=25).map("".join))
def test_any_page_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, html: str
):
    path = tmp_path_factory.mktemp("page") / "faq.html"
    path.write_bytes(html.encode(errors="replace"))
    report = SourceReport()
    for thread in read(path, report, Options(format="html")):
        assert thread.title
        assert thread.answers


def test_json_ld_that_is_cut_off_is_named_and_that_in_a_comment_is_none(
    tmp_path: Path, report: SourceReport
) -> None:
    file = tmp_path / "faq.html"
    script = '<script type="application/ld+json">{"@type": "Question", "name": "Why?"'
    page = f"<html><!-- {script}}}</script> -->\n<h2>Who?</h2><p>We.</p>\n{script}"
    file.write_text(page, encoding="utf-8")
    assert [thread.title for thread in read(file, report)] == ["Who?"]
    assert [(error.line, error.reason) for error in report.warned] == [
        (3, "its JSON-LD is not JSON, and was passed over")
    ]
