"""Tables: how they are recognised, what each column means, and what damage costs."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.models import Answer, Thread
from bot.sources import SourceReport, read
from bot.sources.files import MAX_TEXT, Options
from bot.sources.foreign_fields import chosen_names
from tests.kit.growth import cpu_seconds

relaxed = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "faq.csv"


def table(path: Path, report: SourceReport, content: str | bytes, **columns: str) -> list[Thread]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read(path, report, Options(columns=columns)))


def titles(found: list[Thread]) -> list[str]:
    return [thread.title for thread in found]


def refusals(report: SourceReport) -> list[tuple[int | None, str]]:
    return [(error.line, error.reason) for error in report.rejected]


def test_a_row_is_a_question_with_its_answer(path: Path, report: SourceReport):
    content = (
        "id,Question,Answer,Tags,Score,Accepted,URL,Author,Licence,Date,Alternatives\n"
        'q1,How do I vote?,"Tap an arrow.\n\nOr press.","votes; bot",+3,yes,https://e.org/1,'
        "Mina,CC0,2024-05-31,voting|how to vote\n"
    )
    assert table(path, report, content) == [
        Thread(
            key="faq#q1",
            title="How do I vote?",
            tags=("votes", "bot"),
            url="https://e.org/1",
            license="CC0",
            source="faq",
            phrasings=("voting", "how to vote"),
            answers=(
                Answer(
                    body="Tap an arrow.\n\nOr press.",
                    score=3,
                    accepted=True,
                    author="Mina",
                    answered_at=datetime(2024, 5, 31, tzinfo=UTC),
                ),
            ),
        )
    ]
    assert report == SourceReport()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "header",
    [
        "question answer",
        "Q A",
        "Prompt Response",
        "Frage Antwort",
        "TITLE Reply",
        "Pregunta Respuesta",
        "Вопрос Ответ",
        "Question_Text Answer",
    ],
)
def test_delimiters_and_usual_names_are_reported(
    path: Path, report: SourceReport, delimiter: str, header: str
):
    rows = [header.split(), ["Why?", "So."]]
    content = "\n".join(delimiter.join(row) for row in rows)
    if header.startswith("Question_Text"):
        assert table(path, report, content) == []
        assert "its columns are Question_Text, Answer" in report.rejected[0].reason
        assert titles(table(path, report, content, question="question_text")) == ["Why?"]
    else:
        assert titles(table(path, report, content)) == ["Why?"]


@pytest.mark.parametrize("name", ["faq", "faq.csv", "faq.tsv", "faq.txt", "faq.dat"])
def test_a_table_is_recognised_by_its_header(tmp_path: Path, report: SourceReport, name: str):
    assert titles(table(tmp_path / name, report, "question\tanswer\nWhy?\tSo.\n")) == ["Why?"]


def test_rows_with_the_same_question_are_answers_of_one_thread(path: Path, report: SourceReport):
    content = "q,a,votes\nWhy?,One,1\nHow?,Two,\n why? ,Three,-3\nWhy?,One,1\n"
    why, how = table(path, report, content)
    assert (why.key, how.key) == ("faq#why", "faq#how")
    assert why.answers == (Answer(body="One", score=1), Answer(body="Three", score=-3))
    assert how.answers == (Answer(body="Two"),)
    assert report.passed_over == {"repeated answers": 1}
    assert report.rejected == []


def test_an_edited_answer_or_a_moved_row_keeps_its_key(path: Path, report: SourceReport):
    before = table(path, report, "q,a\nWhy?,x\nHow?,y\n")
    after = table(path, report, "q,a\nHow?,z\nNew?,n\nWhy?,x\n")
    assert {t.key for t in before} < {t.key for t in after}


def test_the_same_id_with_the_same_answer_is_another_way_to_ask(path: Path, report: SourceReport):
    content = "id,q,a\n7,Why?,So.\n7,What for?,So.\n7,How come?,Other.\n7,Why?,Also.\n"
    (thread,) = table(path, report, content)
    assert (thread.key, thread.phrasings) == ("faq#7", ("What for?",))
    assert [a.body for a in thread.answers] == ["So.", "Also."]
    assert refusals(report) == [
        (4, "its id is the same as that of line 2, which asks something else")
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",a,,,", "q must not be empty"),
        ("Why?,,,,", "a must not be empty"),
        ("Why?,a,x,,", 'score must be a whole number, it is "x"'),
        ("Why?,a,1.5,,", 'score must be a whole number, it is "1.5"'),
        ("Why?,a,9999999999999999999,,", "score must be a whole number"),
        ("Why?,a,,maybe,", 'accepted must be yes or no, it is "maybe"'),
        ("Why?,a\0b,,,", "a holds a NUL character"),
        ("Why?,a,,,,,b", "it has 7 cells, the header 5: a text with a delimiter in it must"),
        ('"He said "hi"",a,,,', "its quotes don't fit: a quote inside a quoted text is written"),
        (f"Why?,{'x' * (MAX_TEXT + 1)},,,", "a is 524,289 characters long; up to 524,288 are"),
        (f"Why?,{'x' * (2 * MAX_TEXT + 1)},,,", "a cell is longer than 1,048,576 characters"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_loads(
    path: Path, report: SourceReport, row: str, reason: str
):
    content = f"q,a,score,accepted,date\nFirst?,a,,,\n\n{row}\nLast?,b,2.0,ja,\n"
    assert titles(table(path, report, content)) == ["First?", "Last?"]
    ((line, said),) = refusals(report)
    assert line == 4
    assert said.startswith(reason)


def test_a_second_accepted_answer_is_named(path: Path, report: SourceReport):
    content = "q,a,accepted\nWhy?,One,1\nWhy?,Two,1\nWhy?,Three,0\n"
    (thread,) = table(path, report, content)
    assert [a.body for a in thread.answers] == ["One", "Three"]
    assert refusals(report) == [(3, "a second accepted answer; the first is at line 2")]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ('q,a\n1?,x\n2?,"never closed\n3?,y\n4?,z\n', [3]),
        ('q,a\n1?,x\n2?,"never closed\n3?,"y ""so"""\n4?,z\n', [3]),
        ('q,a\n1?,x\n2?,"one "two" three"\n3?,y\n4?,z\n', [3]),
        ('q,a\n1?,x\n2?,"a\nb" c\n3?,y\n4?,z\n', [3, 4]),
    ],
)
def test_broken_quotes_cost_only_their_row(
    path: Path, report: SourceReport, content: str, lines: list[int]
):
    assert titles(table(path, report, content)) == ["1?", "3?", "4?"]
    assert [line for line, _ in refusals(report)] == lines


def test_quotes_in_tabbed_tables_may_be_letters_like_others(path: Path, report: SourceReport):
    content = 'q\ta\n"So" he asked?\tx\n"never closed?\ty\n"a\nb?"\tz\n'
    found = table(path, report, content)
    assert titles(found) == ['"So" he asked?', '"never closed?', "a b?"]
    assert report.rejected == []


def test_a_quote_within_a_text_is_text(path: Path, report: SourceReport):
    assert titles(table(path, report, 'q,a\nA 5" nail?,x\n')) == ['A 5" nail?']
    assert report.rejected == []


@pytest.mark.parametrize("date", ["2999-01-01", "31.05.2024", "5/31/2024", "32503680000"])
def test_a_date_that_cannot_be_is_left_out_with_a_warning(
    path: Path, report: SourceReport, date: str
):
    (thread,) = table(path, report, f"q,a,Datum\nWhy?,x,{date}\n")
    assert thread.answers[0].answered_at is None
    (error,) = report.warned
    assert error.line == 2
    assert error.reason.startswith(f'Datum "{date}" is ')
    assert error.reason.endswith("left out")


@pytest.mark.parametrize(
    ("date", "year"),
    [("2024/05/31", 2024), ("1717113600", 2024), ("1717113600000", 2024), ("1969-01-01", 1969)],
)
def test_dates_in_common_forms_are_read(path: Path, report: SourceReport, date: str, year: int):
    (thread,) = table(path, report, f"q,a,created_at\nWhy?,x,{date}\n")
    assert thread.answers[0].answered_at is not None
    assert thread.answers[0].answered_at.year == year


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_in_its_usual_codings_is_read(path: Path, report: SourceReport, coding: str):
    content = "Frage;Antwort\r\nWärum?;Dårüm 🦀\r\n".encode(coding)
    (thread,) = table(path, report, content)
    assert (thread.title, thread.answers[0].body) == ("Wärum?", "Dårüm 🦀")
    assert report == SourceReport()


def test_other_bytes_are_taken_for_windows_letters_with_a_warning(path: Path, report: SourceReport):
    (thread,) = table(path, report, "Frage;Antwort\nÖffnet “es”?;Ja – für 5 €\n".encode("cp1252"))
    assert (thread.title, thread.answers[0].body) == ("Öffnet “es”?", "Ja – für 5 €")
    assert [(e.line, e.reason[:21]) for e in report.warned] == [(None, "read as Windows-1252,")]


def test_where_codings_are_mixed_the_odd_rows_are_named(path: Path, report: SourceReport):
    content = "q,a\nÄ?,ü\n".encode() + "Ö?,ß\n".encode("latin-1") + b"Why?,x\n"
    assert titles(table(path, report, content)) == ["Ä?", "Why?"]
    assert refusals(report) == [(3, "it is not UTF-8 text, though other lines are")]


@pytest.mark.parametrize("data", [codecs.BOM_UTF16_LE + b"q\0,\0a\0\n\0\x00\xd8", b"\xff\xfeq"])
def test_damaged_utf16_is_refused(path: Path, report: SourceReport, data: bytes):
    assert table(path, report, data) == []
    assert "UTF-16" in report.rejected[0].reason


def test_lines_in_cells_end_as_they_do_everywhere(path: Path, report: SourceReport):
    content = b'q,a,body\r\nWhy?,"So,\r\nor so.\rOr so.",a\r\nHow?,x,"y\r\n\r\nz"\r\n'
    why, how = table(path, report, content)
    assert why.answers[0].body == "So,\nor so.\nOr so."
    assert how.body == "y\n\nz"


def test_of_html_a_title_has_the_words_alone(path: Path, report: SourceReport):
    content = 'q,a,author\n<b>Why</b> * <i>not</i>?,x,<a href="https://e.org">Mi_</a>\n'
    (thread,) = table(path, report, content)
    assert (thread.title, thread.answers[0].author) == ("Why * not?", "Mi_")


def test_html_in_cells_becomes_markdown(path: Path, report: SourceReport):
    content = 'q,a\nWhy?,"<p>So, <b>yes</b>.</p>"\nHow?,Write `<b>` or a < b\n'
    why, how = table(path, report, content)
    assert (why.answers[0].body, how.answers[0].body) == ("So, **yes**.", "Write `<b>` or a < b")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the table is empty"),
        ("\n\n", "the table is empty"),
        ("question,answer", "there are no rows below the table's header"),
        ("question,answer\n\n , \n", "there are no rows below the table's header"),
        ("name,age\nAda,36\n", "no column is named like question and answer; its columns are name"),
        ("question,age\nAda,36\n", "no column is named like answer; its columns are question, age"),
        ('"q,a\nx,y', "a quote is opened here and never closed"),
    ],
)
def test_another_table_is_refused_with_its_columns(
    path: Path, report: SourceReport, content: str, reason: str
):
    assert table(path, report, content) == []
    assert refusals(report)[0][1].startswith(reason)


def test_columns_may_be_mapped_by_name_or_number(path: Path, report: SourceReport):
    content = "Text;Reply text;Votes\nWhy?;So.;3\n"
    (thread,) = table(path, report, content, question="text", answer="Reply text")
    assert (thread.title, thread.answers[0].score) == ("Why?", 3)
    assert titles(table(path, report, content, question="1", answer="2")) == ["Text", "Why?"]
    assert table(path, report, content, question="Foo", answer="Text") == []
    assert table(path, report, content, question="1", answer="4") == []
    assert [reason for _, reason in refusals(report)] == [
        "it has no column 'Foo'; its columns are Text, Reply text, Votes",
        "it has no column 4; it has 3",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("question=Thema,answer=Thema", "column 'Thema' can't be both question and answer"),
        ("answer=1,tags=2,score=2", "column '2' can't be both tags and score"),
        ("question=Thema,answer=THEMA", "column 'THEMA' can't be both question and answer"),
        ("question=A,Question=B", "--map gives 'question' twice; it is one column"),
    ],
)
def test_a_column_is_one_field_and_a_field_one_column(text: str, reason: str):
    with pytest.raises(ConfigError) as caught:
        chosen_names(text)
    assert str(caught.value) == reason


def test_a_mapped_column_takes_the_place_of_the_usual_one(path: Path, report: SourceReport):
    content = "question,title,answer\nlong question?,Short?,x\n"
    assert titles(table(path, report, content, question="title")) == ["Short?"]
    assert titles(table(path, report, content)) == ["long question?"]


@pytest.mark.untraced
@pytest.mark.parametrize("line", ['"\n', '"x""\n', "x,y\n", "x?,y\n", '"a\n\n', ",\n", '""",'])
def test_a_long_table_takes_no_more_than_moments(path: Path, report: SourceReport, line: str):
    content = "q,a\n" + line * (256 * 1024 // len(line))
    assert cpu_seconds(lambda: table(path, report, content)) < 30


cells = st.text(st.sampled_from('ab?,;\t|"\n\r \0é<>'), max_size=6) | st.text(max_size=6)


@relaxed
@given(st.lists(st.lists(cells, max_size=4).map(",".join), max_size=8), st.booleans())
def test_any_table_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], headed: bool
):
    path = tmp_path_factory.mktemp("table") / "faq.csv"
    content = "\n".join([*(["q,a,score"] if headed else []), *rows])
    path.write_bytes(content.encode(errors="surrogatepass"))
    report = SourceReport()
    for thread in read(path, report):
        assert thread.title
        assert thread.answers
    for error in report.rejected:
        str(error).encode()


def test_two_tables_that_count_from_one_keep_apart(tmp_path: Path, report: SourceReport):
    for name in ("shop", "staff"):
        rows = f"id,question,answer\n1,Who is {name}?,We are.\n2,Where is {name}?,Here.\n"
        (tmp_path / f"{name}.csv").write_text(rows, encoding="utf-8")
    found = [thread.key for thread in read(tmp_path, report)]
    assert found == ["shop#1", "shop#2", "staff#1", "staff#2"]
    assert report.rejected == []


@pytest.mark.parametrize("name", ["faq.csv", "faq"])
def test_a_first_line_may_name_the_delimiter(tmp_path: Path, report: SourceReport, name: str):
    (tmp_path / name).write_text("sep=;\r\nquestion;answer\r\nIs it, or not?;Yes, it is.\r\n")
    (thread,) = read(tmp_path / name, report)
    assert (thread.title, thread.answers[0].body) == ("Is it, or not?", "Yes, it is.")
    assert report.rejected == report.warned == []
