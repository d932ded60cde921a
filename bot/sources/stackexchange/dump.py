"""The reader of dumps: recognised by their names, into the staging database, threads out of it."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bot.errors import ConfigError, InputError, shown_path
from bot.models import plain_key
from bot.sources.decoding import FileHead
from bot.sources.file_format import Draft, Format
from bot.sources.files import Broken, Options, file_version, reason
from bot.sources.report import SourceReport
from bot.sources.stackexchange import archive
from bot.sources.stackexchange.archive import MAGIC
from bot.sources.stackexchange.build import draft_of
from bot.sources.stackexchange.posts import RowLoader
from bot.sources.stackexchange.staging_db import ANSWER, StagedThread, StagingDatabase
from bot.sources.stackexchange.xml_rows import XmlRows

SUFFIXES = ("posts.xml", ".7z")
"""What names of dumps end in; their other files are read along with ``Posts.xml``."""

PARTS = ("posts", "users", "postlinks")
"""The files of a dump that are read; ``votes`` as well, where scores are missing."""

_ALL_PARTS = "badges comments posthistory postlinks posts tags users votes".split()
_PART = re.compile(rf"(?:^|[-_./\\])({'|'.join(_ALL_PARTS)})\.(?:xml|7z)$", re.IGNORECASE)


def looks_like(head: FileHead) -> bool:
    """Return whether a file begins like a dump's: a 7z archive, or XML with one of its roots."""
    if head.data.startswith(MAGIC):
        return True
    text = head.text.lstrip()
    return text.startswith("<") and _first_tag(text) in _ALL_PARTS


def part_of(name: str) -> str | None:
    """Return the part of a dump that a file holds, by its name: ``posts``, ``users`` and so on."""
    match = _PART.search(name)
    return match[1].lower() if match else None


def beside(path: Path, *parts: str) -> list[Path]:
    """Return the files of other parts that lie beside a dump's posts, and are called like them.

    Those that may be read, if no parts are named.
    """
    at = path.name.lower().rfind("posts.")
    if at < 0:
        return []
    begins, ends = path.name[:at].lower(), path.name[at + 5 :].lower()
    wanted = {f"{begins}{part}{ends}" for part in parts or (*PARTS, "votes") if part != "posts"}
    try:
        names = sorted(os.listdir(path.parent))
    except OSError:
        return []
    return [path.parent / name for name in names if name.lower() in wanted]


def _first_tag(text: str) -> str | None:
    """Return the name of the first element, whatever comes before it."""
    bare = re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    match = re.search(r"<([A-Za-z][\w.-]*)[\s/>]", bare)
    return match[1] if match else None


# Names that the network's own sites end in; sites elsewhere have to be named.
_SITE = re.compile(
    r"(?:[a-z0-9-]+\.)*(?:stackexchange|stackoverflow|serverfault|superuser|askubuntu|stackapps)"
    r"\.com|(?:[a-z0-9-]+\.)*mathoverflow\.net",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]+")


def checked_site(name: str) -> str:
    """Return a site's name as a host: ``https://History.StackExchange.com/`` will do as well.

    Raises ConfigError for what can't be one.
    """
    host = re.sub(r"^https?://", "", name.strip().lower()).rstrip("/")
    if not _HOST.fullmatch(host):
        raise ConfigError(f"{name!r} is not a site's name; one is like history.stackexchange.com")
    return host


def site_of(path: Path) -> str | None:
    """Return the site that a dump's file is from, by its name or its folder's, where they tell."""
    real = path.resolve()
    for name in (real.name, real.parent.name):
        match = _SITE.match(name)
        if match and not name[match.end() :][:1].isalnum():
            return match[0].lower()
    return None


def source_of(path: Path) -> str:
    """Return a name for a dump of an unknown site: its file's, or else its folder's."""
    real = path.resolve()
    own = real.name.lower() not in ("posts.xml", "posts.7z")
    return plain_key(real.stem if own else real.parent.name) or "dump"


_CHUNK = 512 * 1024


def read_dump(path: Path, report: SourceReport, options: Options) -> Iterator[Draft | None]:
    """Yield the threads of the dump whose ``Posts.xml``, or archive, ``path`` is.

    Gives ``None`` now and then while it reads, so that whoever waits may look up. What is
    wrong is named in the report. Raises InputError for what is no dump, or can't be put in
    order for lack of space, and ConfigError for a site that can't be one.
    """
    site = checked_site(options.site) if options.site else site_of(path)
    source = site or source_of(path)
    if part_of(path.name) not in (None, "posts"):
        report.pass_over("files of dumps that are read along with their posts")
        return
    first = report.sources.setdefault(source, path)
    if first != path:
        why = f"it is a second dump of {source}, like {shown_path(first)}; import it on its own"
        raise InputError(f"{why}, with --site if its name doesn't tell", path)
    database = StagingDatabase()
    try:
        dump = _Dump(path, database, report)
        yield from dump.fill()
        questions = database.questions()
        if not questions:
            report.reject("there are no questions in it", path)
        if site is None and questions:
            report.hint(
                f"nobody knows which site {shown_path(path)} is from, so there are no links back "
                "to it; --site HOST names it"
            )
        report.begin("Importing threads", questions)
        for staged in database.threads():
            report.done += 1
            if dump.is_whole(staged):
                yield draft_of(staged, source, site)
    except sqlite3.Error as error:
        raise InputError(_explained(error), path) from error
    finally:
        database.close()


class _Dump:
    """Loads one dump into the staging database."""

    def __init__(self, path: Path, database: StagingDatabase, report: SourceReport):
        self._path, self._database, self._report = path, database, report
        self._loader = RowLoader(database, report)
        self._posts_file = path

    def fill(self) -> Iterator[None]:
        """Load the dump's files into the staging database, pausing now and then."""
        files = [self._path, *self._beside(*PARTS)]
        self._report.begin(f"Reading {shown_path(self._path)}", sum(map(_size, files)))
        before = [file_version(file) for file in files[1:]]
        for file in files:
            yield from self._file(file, PARTS)
        if self._database.lacks_scores():
            inside = [self._path] if _is_archive(self._path) else []
            for file in [*self._beside("votes"), *inside]:
                yield from self._file(file, ("votes",))
        for file, then in zip(files[1:], before, strict=True):  # of the first it is seen to
            if file_version(file) != then:
                self._report.reject("it was changed while it was read; import it again", file)

    def _beside(self, *parts: str) -> Iterator[Path]:
        """Yield the files of other parts; report those that can't be read, and go on without."""
        for file in beside(self._path, *parts):
            try:
                with file.open("rb"):
                    yield file
            except OSError as error:
                self._report.reject(reason(error), file)

    def is_whole(self, staged: StagedThread) -> bool:
        """Return whether a thread has its question; report what is missing."""
        question, posts = staged.posts[0], staged.posts
        if question.kind == ANSWER:
            for post in posts:
                why = f"the question {staged.id} of answer {post.id} is not in the dump"
                self._report.reject(why, self._posts_file, post.line)
            return False
        accepted = question.accepted
        if accepted is not None and all(post.id != accepted for post in posts[1:]):
            why = (
                f"the accepted answer {accepted} of question {question.id} is not among its answers"
            )
            self._report.warn(why, self._posts_file, question.line)
        return True

    def _file(self, file: Path, parts: tuple[str, ...]) -> Iterator[None]:
        if _is_archive(file):
            yield from self._archive(file, parts)
        else:
            yield from self._part(part_of(file.name) or "posts", file, self._chunks(file))

    def _archive(self, file: Path, parts: tuple[str, ...]) -> Iterator[None]:
        seen: set[str] = set()
        for name, chunks in archive.parts(file, lambda name: part_of(name) in parts, self._report):
            part = part_of(name) or ""
            if part in seen:
                self._report.reject(f"{name!r} is a second one in it, and is passed over", file)
            else:
                yield from self._part(part, file / name, chunks)
            seen.add(part)
            for _ in chunks:  # what was not read must be before the next comes
                yield
        if file == self._path and "posts" in parts and "posts" not in seen:
            raise InputError("there is no Posts.xml in it", file)

    def _part(self, part: str, path: Path, chunks: Iterator[bytes]) -> Iterator[None]:
        rows = XmlRows(path, part, self._report)
        if part == "posts":
            self._posts_file = path
        try:
            yield from self._loader.load(part, rows, chunks)
        except InputError as error:
            if part == "posts":
                raise
            self._report.rejected.append(error)
        except Broken as error:
            self._report.reject(reason(error), path)

    def _chunks(self, file: Path) -> Iterator[bytes]:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                self._report.done += len(chunk)
                yield chunk


def _is_archive(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(archive.MAGIC)) == archive.MAGIC


def _size(file: Path) -> int:
    return file.stat().st_size


def _explained(error: sqlite3.Error) -> str:
    if "full" in str(error):
        return "there is no room to put it in order; set TMPDIR to a folder that has as much again"
    return f"it can't be put in order in the folder for temporary files ({error}); set TMPDIR"


FORMAT = Format(
    name="stackexchange",
    suffixes=SUFFIXES,
    looks_like=looks_like,
    read=read_dump,
    unique_keys=True,
    packed=False,
    utf16=False,
)
