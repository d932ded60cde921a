"""Raised and lowered text, which Unicode has for digits and a few letters."""

from __future__ import annotations

from bot.sources.markup.escaping import escape_words

_RAISED = str.maketrans(
    "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ",
)
_LOWERED = str.maketrans("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_LONGEST = 12  # what is longer is small print, not an exponent


def raised(text: str) -> str | None:
    """The text as a superscript; ``None`` if it is better left as it is."""
    return _shifted(text, _RAISED, "^")


def lowered(text: str) -> str | None:
    """The text as a subscript; ``None`` if it is better left as it is."""
    return _shifted(text, _LOWERED, "_")


def _shifted(text: str, table: dict[int, int], mark: str) -> str | None:
    text = text.strip()
    if len(text) > _LONGEST or not text:
        return None
    if all(ord(c) in table for c in text):
        return text.translate(table)
    return None if " " in text else f"{mark}({escape_words(text)})"
