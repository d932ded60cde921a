"""What the servers' members ask, what the library knows, and files that moderators import."""

from __future__ import annotations

import json
from random import Random

from bot.models import Answer, Thread

THINGS = tuple(
    "apple barley carrot dahlia elder fennel garlic hazel iris juniper kale lavender marigold "
    "nettle onion parsley quince radish sage thyme".split()
)
DEEDS = (
    ("prune", "Cut it above the third bud, in dry weather"),
    ("water", "Give it a can of rain water in the morning"),
    ("plant", "Dig a hole twice as wide as its roots"),
    ("harvest", "Take it when the leaves begin to turn"),
    ("store", "Keep it dark and dry, in a box of sand"),
    ("feed", "Spread ripe compost around it in spring"),
    ("protect", "Cover it with fleece before the first frost"),
    ("propagate", "Divide it in autumn and keep the parts moist"),
    ("transplant", "Move it on a cloudy day with all its soil"),
    ("label", "Write its name on a slate beside it"),
)
WORDINGS = (
    "How do I {} the {}?",
    "how can i {} a {}",
    "what is the best way to {} my {}?",
    "does anybody know how to {} the {}?",
    "I want to {} {}, how is that done?",
)
UNKNOWN = (
    "Which {} recipe won the village fair of 19{:02d}?",
    "Who sold the tractor of farm {1} to the {0} club?",
    "Why is the bus to {0} street {1} late every day?",
    "What does the {0} anthem of district {1} sound like?",
)
CHATTER = (
    "good morning everybody", "lol", "thanks!", "see you at the shed later", "nice photo",
    "I was at the market yesterday, it rained", "haha true", "brb", "that was a long winter",
    "congratulations to the winners of the pumpkin contest", "👍", "ok", "me too", "welcome back",
)  # fmt: skip
LANGUAGES = ("de", "fr", "es", "ja", "pt_BR", "ru", "tr")


def shared_library() -> list[Thread]:
    """Return the threads that all servers see: one for each thing and deed, of two answers."""
    return [
        Thread(
            key=f"{deed}-{thing}",
            title=f"How do I {deed} the {thing}?",
            body=f"I have {thing} in the garden and want to {deed} it.",
            source="garden",
            answers=(
                Answer(body=f"{how}: so it is done with {thing}.", score=2, accepted=True),
                Answer(body=f"Ask the neighbour who has grown {thing} and can {deed} it.", score=1),
            ),
        )
        for thing in THINGS
        for deed, how in DEEDS
    ]


def known_question(random: Random) -> str:
    """Return a question that the shared library answers."""
    return random.choice(WORDINGS).format(random.choice(DEEDS)[0], random.choice(THINGS))


def misspelt(random: Random, text: str) -> str:
    """Return a text with letters swapped, left out or doubled."""
    letters = list(text)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(3, len(letters) - 2)
        way = random.randrange(3)
        if way == 0:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        elif way == 1:
            del letters[at]
        else:
            letters.insert(at, letters[at])
    return "".join(letters)


def unknown_question(random: Random) -> str:
    """Return a question that nobody here can answer."""
    return random.choice(UNKNOWN).format(random.choice(THINGS), random.randrange(100))


def secret(server: int, number: int) -> str:
    """Return a word that only one server's own threads have."""
    return f"xq{server}z{number}"


def own_file(random: Random, server: int, first: int, count: int, edition: int) -> bytes:
    """Return a file of a server's own threads; another ``edition`` changes some answers."""
    rows = []
    for number in range(first, first + count):
        word = secret(server, number)
        changed = f" Edition {edition}." if random.random() < 0.3 else ""
        answers = [
            {
                "id": f"{number}a",
                "body": f"The {word} hangs on hook {number}.{changed}",
                "score": 1,
            },
            {"id": f"{number}b", "body": f"Ask at door {server} for the {word}.", "score": 0},
        ]
        title = f"Where is the {word} of the tool shed?"
        row = {"id": f"own-{number}", "title": title, "answers": answers, "source": f"s{server}"}
        rows.append(json.dumps(row))
    return ("\n".join(rows) + "\n").encode()
