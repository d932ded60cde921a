"""What members write in the channels: questions of all kinds, and chatter."""

from __future__ import annotations

from simcord import ChannelHandle

from soaking import content
from soaking.servers import Server
from soaking.state import Soak


def say(soak: Soak, server: Server, channel: ChannelHandle, text: str) -> int:
    """A member writes a message; returns its id."""
    member = soak.random.choice(server.voters)
    message = soak.env.backend.create_message(channel.id, member.id, text)
    soak.asked(server, message.id, channel.id, member.id)
    return message.id


def ask_known(soak: Soak, server: Server) -> None:
    """Ask what the library answers."""
    say(soak, server, server.asking(soak.random), content.known_question(soak.random))


def ask_own(soak: Soak, server: Server) -> None:
    """Ask for a thread of the server's own, or of another's."""
    other = soak.random.choice(soak.servers)
    word = content.secret(other.number, soak.random.randrange(max(1, other.imported)))
    channel = server.asking(soak.random)
    say(soak, server, channel, f"Where is the {word} of the tool shed?")


def ask_misspelt(soak: Soak, server: Server) -> None:
    """Ask what the library answers, hastily."""
    text = content.misspelt(soak.random, content.known_question(soak.random))
    say(soak, server, server.asking(soak.random), text)


def ask_unknown(soak: Soak, server: Server) -> None:
    """Ask what nobody here knows."""
    say(soak, server, server.asking(soak.random), content.unknown_question(soak.random))


def chat(soak: Soak, server: Server) -> None:
    """Say something that is no question."""
    say(soak, server, server.asking(soak.random), soak.random.choice(content.CHATTER))
