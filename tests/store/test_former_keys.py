"""Threads of before ids were part of a key with the file's name: found again, never doubled."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app import App
from bot.models import Answer, Thread
from bot.settings import Settings
from bot.store import threads


@pytest.fixture
async def app(tmp_path: Path):
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        seeds_dir=tmp_path / "none",
        embedding_model="off",
    )
    opened = await App.open(settings)
    yield opened
    await opened.close()


def thread(key: str, source: str = "desk", title: str = "Beans", body: str = "In May.") -> Thread:
    return Thread(
        key=key,
        former_key=key.partition("#")[2] or None,
        title=title,
        source=source,
        answers=(Answer(body=body),),
    )


async def keys(app: App) -> list[str]:
    async with app.database.read() as connection:
        return [each.key for each in await threads.page(connection, 0, 100)]


async def test_a_thread_under_the_bare_id_from_the_same_source_keeps_it(app: App):
    await app.library.add([thread("7")])
    report = await app.library.add([thread("desk#7", title="Beans and peas", body="In June.")])
    assert (report.added, report.updated) == (0, 1)
    assert await keys(app) == ["7"]
    report = await app.library.add([thread("desk#7", title="Beans and peas", body="In June.")])
    assert report.unchanged == 1


async def test_another_source_does_not_take_it_over(app: App):
    await app.library.add([thread("7")])
    report = await app.library.add([thread("other#7", source="other")])
    assert report.added == 1
    assert await keys(app) == ["7", "other#7"]


async def test_in_a_folder_the_title_tells_too(app: App):
    await app.library.add([thread("install", source="docs", title="How do I install it?")])
    report = await app.library.add(
        [
            thread("faq#install", source="docs", title="What if that fails?"),
            thread("faq#7", source="docs", title="Peas"),
        ]
    )
    assert report.added == 2
    await app.library.add([thread("9", source="docs", title="Corn")])
    report = await app.library.add([thread("desk#9", source="docs", title="Corn")])
    assert (report.added, report.unchanged) == (0, 1)


async def test_a_thread_that_is_brought_itself_is_left_alone(app: App):
    await app.library.add([thread("7")])
    report = await app.library.add([thread("7"), thread("desk#7", title="Beans")])
    assert (report.added, report.unchanged) == (1, 1)


async def test_of_several_files_in_one_batch_that_of_the_source_keeps_it(app: App):
    await app.library.add([thread("7", source="desk1", title="Beans")])
    await app.library.add(
        [
            thread("desk1#7", source="desk1", title="Beans"),
            thread("desk2#7", source="desk2", title="Peas"),
        ]
    )
    assert await keys(app) == ["7", "desk2#7"]


async def test_of_several_files_in_one_folder_that_with_its_title_keeps_it(app: App):
    await app.library.add([thread("7", source="docs", title="Beans")])
    await app.library.add(
        [
            thread("a#7", source="docs", title="Beans"),
            thread("b#7", source="docs", title="Peas"),
        ]
    )
    assert await keys(app) == ["7", "b#7"]


async def test_pruning_keeps_it_and_retires_what_is_gone(app: App, tmp_path: Path):
    await app.library.add([thread("7", source="desk"), thread("8", source="desk")])
    articles = [{"id": 7, "title": "Beans", "body": "In May."}]
    (tmp_path / "desk.json").write_text(json.dumps({"articles": articles}))
    report = await app.library.import_paths([tmp_path / "desk.json"], prune=True)
    assert (report.added, report.retired) == (0, 1)
    assert await keys(app) == ["7"]


async def test_only_a_reader_that_names_a_former_key_takes_its_thread_over(app: App):
    await app.library.add([thread("vote", source="docs", title="How do I vote?")])
    page = replace(thread("faq#vote", source="docs", title="How do I vote?"), former_key=None)
    report = await app.library.add([page])
    assert report.added == 1
    assert await keys(app) == ["vote", "faq#vote"]


async def test_a_page_whose_anchor_is_called_like_a_text_page_is_another_thread(
    app: App, tmp_path: Path
):
    (tmp_path / "vote.txt").write_text("How do I vote?\n\nUpvote:0\nWith an arrow.\n")
    await app.library.import_paths([tmp_path])
    (tmp_path / "vote.txt").unlink()
    (tmp_path / "faq.md").write_text("# How do I vote? {#vote}\n\nBy hand.\n")
    report = await app.library.import_paths([tmp_path])
    assert report.added == 1
    assert await keys(app) == ["vote", "faq#vote"]


@pytest.mark.parametrize("there", [" lamp", "lamp ", "la\u200bmp", "\ufefflamp"])
@pytest.mark.parametrize("brought", ["lamp", " lamp ", "la\u2060mp"])
async def test_ids_that_look_the_same_are_one_across_imports(
    app: App, tmp_path: Path, there: str, brought: str
):
    await app.library.add([thread(there)])  # as older versions put it in
    for _ in range(2):
        row = {"id": brought, "title": "Lamps", "answers": [{"body": "Turn it."}]}
        (tmp_path / "a.jsonl").write_text(json.dumps(row))
        await app.library.import_paths([tmp_path / "a.jsonl"])
        assert await keys(app) == [there]


async def test_two_imports_of_ids_that_look_the_same_make_one_thread(app: App, tmp_path: Path):
    for brought in ("la\u200bmp", "lamp", " lamp"):
        row = {"id": brought, "title": "Lamps", "answers": [{"body": "Turn it."}]}
        (tmp_path / "a.jsonl").write_text(json.dumps(row))
        await app.library.import_paths([tmp_path / "a.jsonl"])
    assert await keys(app) == ["lamp"]


async def test_ids_of_two_spellings_that_are_there_both_stay(app: App):
    await app.library.add([thread(" lamp"), thread("lamp")])
    report = await app.library.add([thread("lamp", body="Turn it.")])
    assert (report.added, report.updated) == (0, 1)
    assert await keys(app) == [" lamp", "lamp"]


async def test_another_sources_thread_is_not_taken_for_another_spelling(app: App):
    """Older versions kept " 7" of one source and "7" of another as two threads, with votes."""
    await app.library.add([thread(" 7", "spell"), thread("7", "desk")])
    report = await app.library.add([thread("7", "spell", body="In June.")])
    assert (report.added, report.updated) == (0, 1)
    async with app.database.read() as connection:
        found = {t.key: (t.source, t.answers[0].body) for t in await threads.page(connection, 0, 9)}
    assert found[" 7"] == ("spell", "In June.")
    assert found["7"][0] == "desk"
