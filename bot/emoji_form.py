"""The form of emoji in texts: Unicode's, and custom ones as Discord writes them."""

from __future__ import annotations

import re

CUSTOM = re.compile(r"<a?:(\w{2,32}):(\d{15,20})>")
"""A custom emoji: its name and its id."""

KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
"""A digit or sign drawn as a key."""


def bare_emoji(emoji: str) -> str:
    """Return an emoji without U+FE0F, which asks only for its coloured form: both are the same."""
    return emoji.replace("\ufe0f", "")


def is_emoji(text: str) -> bool:
    """Return whether this has the form of one emoji; whether a custom one exists, it can't tell."""
    return CUSTOM.fullmatch(text) is not None or is_unicode_emoji(text)


def is_unicode_emoji(text: str) -> bool:
    """Return whether this is one emoji of Unicode, in any spelling."""
    if _FLAG.fullmatch(text) or KEYCAP.fullmatch(text):
        return True
    return len(text) <= 16 and all(_PART.fullmatch(part) for part in text.split("\u200d"))


_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")

_SIGNS = (
    "©®‼⁉™ℹ↔-↙↩↪⌚⌛⌨⏏⏩-⏳⏸-⏺Ⓜ▪▫▶◀◻-◾☀-☄☎☑☔☕☘☝☠☢☣☦☪☮☯☸-☺♀♂♈-♓♟♠♣♥♦♨♻♾♿"
    "⚒-⚗⚙⚛⚜⚠⚡⚧⚪⚫⚰⚱⚽⚾⛄⛅⛈⛎⛏⛑⛓⛔⛩⛪⛰-⛵⛷-⛺⛽✂✅✈-✍✏✒✔✖✝✡✨✳✴❄❇❌❎❓-❕❗❣❤➕-➗➡➰"
    "➿⤴⤵⬅-⬇⬛⬜⭐⭕〰〽㊗㊙🀄🃏🅰🅱🅾🅿🆎🆑-🆚🈁🈂🈚🈯🈲-🈺🉐🉑🌀-🌡🌤-🎓🎖🎗🎙-🎛🎞-🏰🏳-🏵🏷-📽📿-🔽🕉-🕎🕐-🕧"
    "🕯🕰🕳-🕺🖇🖊-🖍🖐🖕🖖🖤🖥🖨🖱🖲🖼🗂-🗄🗑-🗓🗜-🗞🗡🗣🗨🗯🗳🗺-🙏"
    "\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7f0\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff"
)
"""The property Emoji of Unicode 17, without digits and the letters of flags; the last blocks
as a whole, since new emoji come there."""

_PART = re.compile(f"[{_SIGNS}][\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*")
"""One sign with its variation, skin tone or tags; several joined by U+200D are one emoji."""
