"""Exports of DiscordChatExporter: solved posts become threads, all else is counted or named."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.models import Answer, Thread
from bot.sources import Options, SourceReport, read
from bot.sources.discord_export import NO_REACTORS, NOT_THREADS
from tests.kit.growth import check_linear

GUILD, FORUM, POST = 100, 150, 200
MAX, KIM, LEE, HELPBOT = 1, 2, 3, 8
NAMES = {MAX: "Max", KIM: "Kim", LEE: "Lee", HELPBOT: "Helpbot"}
SOLVED = "posts that nothing marks as solved"


def user(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "name": NAMES[number].lower(),
        "discriminator": "0000",
        "nickname": NAMES[number],
        "color": None,
        "isBot": number == HELPBOT,
        "avatarUrl": "https://cdn.discordapp.com/embed/avatars/0.png",
    }


def reaction(emoji: str, *users: int, count: int | None = None) -> dict[str, Any]:
    return {
        "emoji": {"id": "", "name": emoji, "code": "x", "isAnimated": False, "imageUrl": ""},
        "count": len(users) if count is None else count,
        "users": [user(number) for number in users],
    }


def message(number: int, author: int, content: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": str(POST + number),
        "type": "Default",
        "timestamp": f"2024-04-01T{10 + number % 10:02}:00:00.123+02:00",
        "timestampEdited": None,
        "callEndedTimestamp": None,
        "isPinned": False,
        "content": content,
        "author": {**user(author), "roles": []},
        "attachments": [],
        "components": [],
        "embeds": [],
        "stickers": [],
        "reactions": [],
        "mentions": [],
        "inlineEmojis": [],
        **more,
    }


QUESTION = message(0, MAX, "It has power, but no heat.")
FUSE = message(1, KIM, "Look at the fuse.")
TICKED = {**FUSE, "reactions": [reaction("✅", MAX)]}
MARK = message(
    9,
    HELPBOT,
    embeds=[
        {
            "title": "",
            "url": None,
            "description": "**Thank you for marking this question as solved!**",
            "images": [],
            "fields": [
                {"name": "Question Message ID", "value": str(POST), "isInline": True},
                {"name": "Solution Message ID", "value": str(POST + 1), "isInline": True},
            ],
        }
    ],
)


def export(*messages: Any, **channel: Any) -> dict[str, Any]:
    return {
        "guild": {"id": str(GUILD), "name": "Workshop", "iconUrl": ""},
        "channel": {
            "id": str(POST),
            "type": "GuildPublicThread",
            "categoryId": str(FORUM),
            "category": "help",
            "name": "The kiln stays cold",
            "topic": None,
            **channel,
        },
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2024-05-01T00:00:00+00:00",
        "messages": list(messages),
        "messageCount": len(messages),
    }


def write(path: Path, value: dict[str, Any]) -> Path:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")
    return path


def threads(tmp_path: Path, report: SourceReport, *messages: Any, **channel: Any) -> list[Thread]:
    return list(read(write(tmp_path / "post.json", export(*messages, **channel)), report))


def said(report: SourceReport) -> tuple[list[str], dict[str, int]]:
    """Return what a report refuses, without the file's path, and what it counts."""
    return [problem.reason for problem in report.rejected], dict(report.passed_over)


def test_a_post_whose_asker_put_a_tick_on_the_solution(
    tmp_path: Path, report: SourceReport
) -> None:
    liked = message(2, LEE, "Or the plug, @Kim.", reactions=[reaction("👍", MAX, KIM)])
    thanks = message(3, MAX, "It was the fuse!")
    found = threads(tmp_path, report, QUESTION, TICKED, liked, thanks)
    link = f"https://discord.com/channels/{GUILD}/{POST}"
    assert found == [
        Thread(
            key="discord:150/200",
            title="The kiln stays cold",
            body="It has power, but no heat.",
            url=link,
            author="Max",
            asked_at=datetime(2024, 4, 1, 8, 0, 0, 123_000, tzinfo=UTC),
            source="#help",
            answers=(
                Answer(
                    key="201",
                    body="Look at the fuse.",
                    accepted=True,
                    author="Kim",
                    url=f"{link}/201",
                    answered_at=datetime(2024, 4, 1, 9, 0, 0, 123_000, tzinfo=UTC),
                ),
                Answer(
                    key="202",
                    body="Or the plug, @Kim.",
                    author="Lee",
                    url=f"{link}/202",
                    answered_at=datetime(2024, 4, 1, 10, 0, 0, 123_000, tzinfo=UTC),
                ),
            ),
        )
    ]
    assert said(report) == ([], {})
    assert not report.warned
    assert not report.hints


def test_a_post_with_a_bots_mark(tmp_path: Path, report: SourceReport) -> None:
    (thread,) = threads(tmp_path, report, QUESTION, FUSE, MARK)
    assert [answer.key for answer in thread.answers] == ["201"]


def test_a_button_that_leads_to_the_solution_is_a_mark(
    tmp_path: Path, report: SourceReport
) -> None:
    button = {
        "type": "Button",
        "style": "Link",
        "label": "Jump To Solution",
        "url": f"https://discord.com/channels/{GUILD}/{POST}/{POST + 1}",
    }
    row = {"type": "ActionRow", "components": [button]}
    mark = message(9, HELPBOT, "Thank you!", components=[row])
    (thread,) = threads(tmp_path, report, QUESTION, FUSE, mark)
    assert [answer.key for answer in thread.answers] == ["201"]


@pytest.mark.parametrize(
    ("reactions", "counted"),
    [
        ([reaction("✅", LEE)], SOLVED),
        ([reaction("👍", MAX, LEE)], SOLVED),
        ([reaction("✅", count=2)], "posts with a ✅ of which it isn't said who put it there"),
        (
            [{"emoji": {"id": "", "name": "✅"}, "count": 1}],
            "posts with a ✅ of which it isn't said who put it there",
        ),
        ([], SOLVED),
    ],
)
def test_what_nobody_is_known_to_have_marked_is_counted(
    tmp_path: Path, report: SourceReport, reactions: list[Any], counted: str
) -> None:
    assert threads(tmp_path, report, QUESTION, {**FUSE, "reactions": reactions}) == []
    assert said(report) == ([], {counted: 1})
    assert report.hints == ([NO_REACTORS] if counted != SOLVED else [])


def test_without_the_question_nobody_is_its_asker(tmp_path: Path, report: SourceReport) -> None:
    stand_in = message(1, MAX, type="21")
    answer = {**TICKED, "id": str(POST + 5)}
    assert threads(tmp_path, report, stand_in, answer) == []
    assert said(report) == ([], {"posts without the message that asks": 1})
    (thread,) = threads(tmp_path, report, message(-1, KIM, type="21"), FUSE, MARK)
    assert (thread.title, thread.body, thread.author) == ("The kiln stays cold", "", None)


@pytest.mark.parametrize(
    ("type_", "counted"),
    [
        ("GuildTextChat", "files of whole channels"),
        ("DirectTextChat", "files of whole channels"),
        ("GuildPrivateThread", "private threads"),
    ],
)
def test_channels_and_private_threads_are_left_out_unread(
    tmp_path: Path, report: SourceReport, type_: str, counted: str
) -> None:
    assert threads(tmp_path, report, QUESTION, TICKED, "no message", type=type_) == []
    assert said(report) == ([], {counted: 1})
    assert report.hints == ([NOT_THREADS] if "channels" in counted else [])


def test_a_folder_is_read_with_all_that_is_in_it(tmp_path: Path, report: SourceReport) -> None:
    write(tmp_path / "Workshop - help - kiln [200].json", export(QUESTION, TICKED))
    write(tmp_path / "Workshop - help - kiln [200] [part 2].json", export(MARK))
    plug = export({**QUESTION, "id": "300"}, {**TICKED, "id": "301"}, id="300", name="The plug")
    write(tmp_path / "Workshop - help - plug [300].json", plug)
    for name in ("a", "b"):
        write(tmp_path / f"Workshop - {name}.json", export(QUESTION, type="GuildTextChat"))
    (tmp_path / "cut.json").write_text(json.dumps(export(QUESTION, TICKED), indent=2)[:2_000])
    (tmp_path / "faq.json").write_text('[{"question": "Why?", "answer": "So."}]')
    found = list(read(tmp_path, report))
    assert sorted(thread.key for thread in found) == [
        "discord:150/200",
        "discord:150/300",
        "faq#why",
    ]
    (refused,) = report.rejected
    assert str(refused).startswith(f"{tmp_path / 'cut.json'}, line ")
    assert str(refused).endswith(": it breaks off; export it again")
    assert report.passed_over == {
        "later parts of posts, which began in other files": 1,
        "files of whole channels": 2,
    }
    assert report.hints == [NOT_THREADS]


def test_newest_first_is_the_same(tmp_path: Path, report: SourceReport) -> None:
    messages = [QUESTION, TICKED, message(2, LEE, "Thanks", reactions=[reaction("👍", MAX, KIM)])]
    forth = threads(tmp_path, report, *messages)
    assert threads(tmp_path, report, *reversed(messages)) == forth
    assert len(forth[0].answers) == 2


def test_of_a_long_post_the_first_500_messages_are_looked_at(
    tmp_path: Path, report: SourceReport
) -> None:
    talk = [message(number, LEE, f"Talk {number}") for number in range(2, 3_000)]
    late = message(3_000, KIM, "Late", reactions=[reaction("✅", MAX)])
    assert threads(tmp_path, report, QUESTION, FUSE, *talk, late) == []
    assert said(report)[1] == {SOLVED: 1, "messages of posts behind the first 500": 2_501}
    (thread,) = threads(tmp_path, report, late, *reversed(talk), TICKED, QUESTION)
    assert thread.answers[0].key == "201"


def test_a_message_that_is_there_twice_counts_once(tmp_path: Path, report: SourceReport) -> None:
    (thread,) = threads(tmp_path, report, QUESTION, TICKED, {**TICKED, "content": "Again"}, MARK)
    assert [answer.body for answer in thread.answers] == ["Look at the fuse."]


DAMAGED = {
    "no message": "a message must be an object",
    "no id": "id must be an id, it is null",
    "a bad id": 'id must be an id, it is "x1"',
    "a negative id": 'id must be an id, it is "-5"',
    "a huge id": 'id must be an id, it is "9999999999999999999"',
    "no author": "author must be an object, it is null",
    "no author's id": "author.id must be an id, it is null",
    "a number for a text": "content must be text, it is 7",
    "NUL": "content holds a NUL character",
    "half a surrogate": "content holds half of a surrogate pair",
    "no list": "reactions must be a list",
    "no emoji": "reactions[].emoji must be an object",
    "no count": 'reactions[].count must be a number, it is "2"',
    "odd files": "attachments[] must be an object",
    "odd mentions": "mentions[].id must be an id",
}


def damaged(how: str) -> Any:
    odd = message(5, LEE, "Odd")
    changes: dict[str, Any] = {
        "no id": {"id": None},
        "a bad id": {"id": "x1"},
        "a negative id": {"id": "-5"},
        "a huge id": {"id": "9999999999999999999"},
        "no author": {"author": None},
        "no author's id": {"author": {"name": "kim"}},
        "a number for a text": {"content": 7},
        "NUL": {"content": "a\0b"},
        "half a surrogate": {"content": "\ud800"},
        "no list": {"reactions": {}},
        "no emoji": {"reactions": [{"count": 2}]},
        "no count": {"reactions": [{**reaction("✅"), "count": "2"}]},
        "odd files": {"attachments": ["plan.png"]},
        "odd mentions": {"mentions": [{"name": "kim"}]},
    }
    return "text" if how == "no message" else {**odd, **changes[how]}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_message_is_named_and_the_rest_goes_on(
    tmp_path: Path, report: SourceReport, how: str
) -> None:
    path = tmp_path / "post.json"
    path.write_text(json.dumps(export(QUESTION, damaged(how), TICKED)))
    (thread,) = read(path, report)
    assert [answer.key for answer in thread.answers] == ["201"]
    (refused,) = report.rejected
    assert str(refused).startswith(f"{path}: message 2: {DAMAGED[how]}")


def test_dates_that_are_none_are_left_out(tmp_path: Path, report: SourceReport) -> None:
    odd = {**TICKED, "timestamp": "yesterday"}
    (thread,) = threads(tmp_path, report, {**QUESTION, "timestamp": "2999-01-01"}, odd)
    assert (thread.asked_at, thread.answers[0].answered_at) == (None, None)
    assert [problem.reason for problem in report.warned] == [
        "message 1: timestamp 2999-01-01 is far in the future, and was left out",
        'message 2: timestamp "yesterday" is no date like 2024-05-31, and was left out',
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"channel": {"type": "GuildPublicThread"}}, "channel.id must be an id, it is null"),
        ({"channel": {"id": 5, "type": "GuildPublicThread", "name": "x"}}, "channel.categoryId"),
        ({"guild": {"id": "?"}}, 'guild.id must be an id, it is "?"'),
        ({"messages": 5}, "expecting '['"),
    ],
)
def test_a_file_that_is_damaged_as_a_whole_is_refused(
    tmp_path: Path, report: SourceReport, change: dict[str, Any], why: str
) -> None:
    path = write(tmp_path / "post.json", {**export(QUESTION, TICKED), **change})
    assert list(read(path, report)) == []
    (refused,) = report.rejected
    assert str(refused).startswith(str(path))
    assert why in str(refused)


def test_a_file_without_its_messages_is_refused(tmp_path: Path, report: SourceReport) -> None:
    value = export()
    del value["messages"]
    assert list(read(write(tmp_path / "post.json", value), report)) == []
    assert said(report)[0] == ['it must have "guild", "channel" and "messages", in this order']


def test_every_place_at_which_a_file_breaks_off_is_told(
    tmp_path: Path, report: SourceReport
) -> None:
    text = json.dumps(export(QUESTION, TICKED), indent=1)
    path = tmp_path / "post.json"
    start = text.index('"messages"')
    for end in range(start, len(text), 37):
        path.write_text(text[:end])
        report = SourceReport()
        assert list(read(path, report)) == []
        (refused,) = report.rejected
        assert "it breaks off; export it again" in str(refused)
        assert refused.line is not None


def test_packed_and_in_another_encoding(tmp_path: Path, report: SourceReport) -> None:
    asking = {**QUESTION, "content": "Kälte"}
    text = json.dumps(export(asking, FUSE, MARK), ensure_ascii=False)
    packed = tmp_path / "post.json.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert [thread.body for thread in read(packed, report)] == ["Kälte"]
    for encoding in ("utf-16", "utf-8-sig"):
        path = tmp_path / "post.json"
        path.write_text(text, encoding=encoding)
        assert [thread.body for thread in read(path, report)] == ["Kälte"]
    path.write_text(text, encoding="cp1252")
    assert [t.body for t in read(path, report, Options(encoding="cp1252"))] == ["Kälte"]
    assert said(report)[0] == []


def test_bytes_that_are_no_text_and_a_packed_file_that_is_cut_off(
    tmp_path: Path, report: SourceReport
) -> None:
    text = json.dumps(export(QUESTION, TICKED), indent=2).encode()
    path = tmp_path / "post.json"
    path.write_bytes(text.replace(b"fuse", b"f\xfcse"))
    packed = tmp_path / "cut.json.gz"
    long = export(QUESTION, message(1, KIM, random.Random(1).randbytes(100_000).hex()), MARK)
    packed.write_bytes(gzip.compress(json.dumps(long).encode())[:-30])
    assert [*read(path, report), *read(packed, report)] == []
    line = text[: text.index(b"fuse")].count(b"\n") + 1
    assert [str(problem) for problem in report.rejected] == [
        f"{path}, line {line}: it is not UTF-8 text; save it as UTF-8, or say what it is: "
        "--encoding NAME",
        f"{packed}: the gzip file is damaged or cut off; pack it again",
    ]


def test_what_a_message_has_beside_its_text(tmp_path: Path, report: SourceReport) -> None:
    files = [{"id": "7", "url": "plan.png", "fileName": "plan.png", "fileSizeBytes": 5}]
    asking = {**QUESTION, "content": "", "attachments": files}
    forwarded = {"timestamp": "2024-01-01T00:00:00Z", "content": "Said <@3>", "attachments": files}
    answer = {**TICKED, "content": "", "forwardedMessage": forwarded, "mentions": [user(LEE)]}
    (thread,) = threads(tmp_path, report, asking, answer)
    link = f"https://discord.com/channels/{GUILD}/{POST}"
    assert thread.body == f"📎 [plan.png]({link})"
    assert thread.answers[0].body == f"Said @Lee\n\n📎 [plan.png]({link}/201)"


@pytest.mark.parametrize("name", ["Deleted User", "deleted_user_0a1b2c3d", "", "Deleted User#0000"])
def test_of_a_deleted_user_no_name_is_kept(tmp_path: Path, report: SourceReport, name: str) -> None:
    gone = {**TICKED, "author": {**user(KIM), "nickname": name, "name": name}}
    (thread,) = threads(tmp_path, report, QUESTION, gone)
    assert thread.answers[0].author == "somebody"


def test_bots_reactions_speak_for_nothing(tmp_path: Path, report: SourceReport) -> None:
    liked = message(2, LEE, "Or the plug.", reactions=[reaction("👍", HELPBOT, MAX)])
    (thread,) = threads(tmp_path, report, QUESTION, TICKED, liked)
    assert len(thread.answers) == 1


def test_a_large_post_takes_little_memory_and_time_in_proportion(tmp_path: Path) -> None:
    path = tmp_path / "post.json"

    def make(size: int) -> None:
        talk = [message(number, LEE, "Talk. " * 1_500) for number in range(2, size)]
        write(path, export(QUESTION, TICKED, *talk))

    make(3_000)
    assert path.stat().st_size > 25 * 1024**2
    tracemalloc.start()
    try:
        assert len(list(read(path, SourceReport()))) == 1
        assert tracemalloc.get_traced_memory()[1] < 12 * 1024**2
    finally:
        tracemalloc.stop()

    def look(size: int) -> None:
        make(size)
        assert len(list(read(path, SourceReport()))) == 1

    check_linear(look, 700)
