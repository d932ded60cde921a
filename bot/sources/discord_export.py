"""Posts that DiscordChatExporter wrote as JSON: those that were solved become threads.

A file holds one channel, and each thread, such as a forum's post, has a file of its own. The
program writes no tags, and often not who reacted; so a post is taken where its asker put a ✅ on
the solution, or where a bot left a mark. What is in a channel and in no thread of it is not read:
nothing there says which message answers which.

The format is what https://github.com/Tyrrrz/DiscordChatExporter writes. A file may be larger
than memory has room for, so messages are read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bot.curation import AuthorChoice, MadeOf
from bot.errors import InputError
from bot.models import Thread
from bot.post_threads import Names, answer_origins, as_wished, origin_of, thread_of
from bot.posts import LOOKED_AT, Post, PostMessage, earliest, first_message
from bot.solutions import Rules, find_solution, to_ask_about
from bot.sources.decoding import FileHead, read_pieces
from bot.sources.discord_messages import ExportChannel, channel_of, guild_of, message_of
from bot.sources.file_format import Format
from bot.sources.files import Options
from bot.sources.json_stream import JsonError, JsonStream
from bot.sources.json_thread import FieldError
from bot.sources.report import SourceReport

RULES = Rules()
"""An export names neither helpers nor a server's own emoji."""

NOT_THREADS = (
    "of DiscordChatExporter's files, only threads and posts of forums are read: export them with "
    "--include-threads all"
)
NO_REACTORS = (
    "a ✅ counts where the export says that the asker put it there; newer versions of "
    "DiscordChatExporter write who reacted"
)
_THREADS = frozenset("GuildPublicThread GuildNewsThread 10 11".split())
_PRIVATE = frozenset("GuildPrivateThread 12".split())
_EXPORT = re.compile(r'\s*\{\s*"guild"\s*:\s*\{')
_CHANNEL = re.compile(r'"channel"\s*:\s*\{')
_PART = re.compile(r" \[part [0-9]{1,9}\]\.json(?:\.gz)?", re.IGNORECASE)


def looks_like_export(head: FileHead) -> bool:
    """Return whether a file begins as exports do: with a server, and a channel of it."""
    return bool(_EXPORT.match(head.text) and _CHANNEL.search(head.text))


def read_export(path: Path, report: SourceReport, options: Options) -> Iterator[Thread | None]:
    """Yield the post of a file as a thread, if it was solved; count in the report what is not.

    A message that is wrong is named, and the others are read. Raises InputError where the file
    is no JSON to its end: of half a post can't be told what solved it. Raises OSError when it
    can't be read.
    """
    with closing(read_pieces(path, options)) as pieces:
        export = _Export(path, report, JsonStream(pieces), options.choices)
        try:
            yield from export.threads()
        except JsonError as error:
            raise InputError(f"{error}; export it again", path, error.line) from None
        except FieldError as error:
            raise InputError(str(error), path) from None


class _Export:
    """One file: the channel that it is of, and what was found in it."""

    def __init__(
        self,
        path: Path,
        report: SourceReport,
        stream: JsonStream,
        choices: Mapping[int, AuthorChoice],
    ) -> None:
        self._path, self._report, self._stream = path, report, stream
        self._choices = choices
        self._names: dict[int, str] = {}

    def threads(self) -> Iterator[Thread | None]:
        """Yield the file's post as a thread, and ``None`` now and then before it."""
        guild_id = channel = messages = None
        for key in self._stream.members():
            if key == "guild":
                guild_id = guild_of(self._stream.value())
            elif key == "channel":
                channel = channel_of(self._stream.value())
                if self._is_left_out(channel):
                    return
            elif key == "messages" and channel is not None:
                messages = yield from self._messages()
            else:
                self._stream.value()
        if guild_id is None or channel is None or messages is None:
            raise FieldError('it must have "guild", "channel" and "messages", in this order')
        if channel.parent_id is None:
            raise FieldError("channel.categoryId must say which channel the thread is in")
        post = Post(
            id=channel.id,
            channel_id=channel.parent_id,
            channel=channel.parent,
            guild_id=guild_id,
            title=channel.name,
            asker_id=None,
        )
        yield self._thread(post, messages)

    def _is_left_out(self, channel: ExportChannel) -> bool:
        """Return whether a file holds no post, or not its beginning; count it if so."""
        if channel.type in _PRIVATE:
            self._report.pass_over("private threads")
        elif channel.type not in _THREADS:
            self._report.pass_over("files of whole channels")
            self._hint(NOT_THREADS)
        elif _PART.search(self._path.name):
            self._report.pass_over("later parts of posts, which began in other files")
        else:
            return False
        return True

    def _messages(self) -> Generator[None, None, list[PostMessage]]:
        """Return the messages that are looked at, by their time, however the file has them."""
        read, kept = 0, dict[int, PostMessage]()
        for item in self._stream.items():
            read += 1
            if (message := self._message(item, read)) is not None:
                kept.setdefault(message.id, message)
            if len(kept) >= 2 * LOOKED_AT:
                kept = {message.id: message for message in earliest(kept.values())}
                yield None
        if read > LOOKED_AT:
            beyond = f"messages of posts behind the first {LOOKED_AT}"
            self._report.pass_over(beyond, read - LOOKED_AT)
        return earliest(kept.values())

    def _message(self, item: object, number: int) -> PostMessage | None:
        where = f"message {number:,}"
        try:
            message = message_of(
                item, lambda why: self._report.warn(why, self._path, where), self._names
            )
        except FieldError as error:
            self._report.reject(str(error), self._path, where)
            return None
        if message.author is not None:
            self._names.setdefault(message.author_id, message.author)
        return message

    def _thread(self, post: Post, messages: list[PostMessage]) -> Thread | None:
        """Return a post as a thread; ``None``, and a count in the report, if it isn't solved."""
        asking = first_message(post, messages)
        if asking is not None:
            post = replace(post, asker_id=asking.author_id)
        names = Names(users=self._names, channels={post.channel_id: post.channel})
        wished = as_wished(post, messages, names, self._choices)
        if wished is None:
            self._report.pass_over("posts that their authors want left out")
            return None
        kept, names = wished
        solution = find_solution(post, kept, RULES)
        if solution is not None:
            thread = thread_of(post, kept, solution.message, RULES, names)
            return replace(thread, made_of=self._made_of(post, kept, thread))
        if to_ask_about(post, messages, RULES):
            self._report.pass_over("posts with a ✅ of which it isn't said who put it there")
            self._hint(NO_REACTORS)
        elif asking is None:
            self._report.pass_over("posts without the message that asks")
        else:
            self._report.pass_over("posts that nothing marks as solved")
        return None

    def _made_of(self, post: Post, messages: Sequence[PostMessage], thread: Thread) -> MadeOf:
        """Return the messages that a thread is made of."""
        asking = first_message(post, messages)
        made_of = MadeOf(
            guild_id=post.guild_id,
            question=None if asking is None else origin_of(asking, post.id),
            answers=answer_origins(thread, post, messages),
        )
        return replace(made_of, nameless=made_of.author_ids & self._choices.keys())

    def _hint(self, what: str) -> None:
        """Give a hint once, however many files it is about."""
        if what not in self._report.hints:
            self._report.hint(what)


FORMAT = Format(
    name="discord",
    suffixes=(".json",),
    looks_like=looks_like_export,
    read=read_export,
    is_certain=True,
)
