"""Text within a line: emphasis, links, code, pictures, raised and lowered text."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.sources.markup import escaping
from bot.sources.markup.code import BREAK, JOINT, add_code, inline_code
from bot.sources.markup.escaping import escape, escape_lines, escape_words
from bot.sources.markup.parsing import DEEPEST, Element, text_of

_RAISED = str.maketrans(
    "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ",
)
_LOWERED = str.maketrans("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_LONGEST = 12  # what is longer is small print, not an exponent


def raised(text: str) -> str | None:
    """Return the text as a superscript; ``None`` if it is better left as it is."""
    return _shifted(text, _RAISED, "^")


def lowered(text: str) -> str | None:
    """Return the text as a subscript; ``None`` if it is better left as it is."""
    return _shifted(text, _LOWERED, "_")


def _shifted(text: str, table: dict[int, int], mark: str) -> str | None:
    text = text.strip()
    if len(text) > _LONGEST or not text:
        return None
    if all(ord(c) in table for c in text):
        return text.translate(table)
    return None if " " in text else f"{mark}({escape_words(text)})"


DROPPED = frozenset(
    "script style template head title meta link base noscript noframes param track datalist "
    "input select button svg canvas area map".split()
)
"""Elements that have nothing to read in them."""

_MEDIA = frozenset("iframe embed video audio object source".split())
_LINKED = 32
_MANY_BREAKS = re.compile(r"\n{3,}")


class Inline:
    """Turns the inside of elements into pieces of a paragraph."""

    def __init__(self, base_url: str | None) -> None:
        self._base_url = base_url
        self.depth = 0

    def line(self, element: Element) -> str:
        """Return the inside of an element on a single line."""
        return " ".join(self._text(element, 0).replace(BREAK, " ").split())

    def inside(self, element: Element, pieces: list[str], within: int) -> None:
        """Append what is inside the element; ``within`` says which emphasis is around it."""
        if self.depth > DEEPEST:
            pieces.append(escape(text_of(element)))
            return
        self.depth += 1
        if text := element.text:
            add_text(pieces, text)
        for child in element[:]:  # lxml makes a list sooner than an iterator
            self.add(child, pieces, within)
            if text := child.tail:
                add_text(pieces, text)
        self.depth -= 1

    def _text(self, element: Element, within: int) -> str:
        if not len(element):
            return escape(element.text or "")
        pieces: list[str] = []
        self.inside(element, pieces, within)
        return "".join(pieces)

    def add(self, element: Element, pieces: list[str], within: int) -> None:
        """Append one element, without the text behind it."""
        tag = element.tag
        if handle := _HANDLERS.get(tag):
            handle(self, element, pieces, within)
        elif tag in _EMPHASIS:
            mark, flag = _EMPHASIS[tag]
            self._emphasis(element, pieces, within, mark, flag)
        elif tag in DROPPED:
            return
        elif tag in _BROKEN:  # a block where only a line may be
            pieces.append(BREAK)
            self.inside(element, pieces, within)
            pieces.append(BREAK)
        else:
            self.inside(element, pieces, within)

    def _emphasis(
        self, element: Element, pieces: list[str], within: int, mark: str, flag: int
    ) -> None:
        if within & flag:
            self.inside(element, pieces, within)
            return
        text = self._text(element, within | flag)
        for index, part in enumerate(text.split(BREAK)):
            if index:
                pieces.append(BREAK)
            core = part.strip()
            if not core:
                pieces.append(part)
                continue
            if part[0].isspace():
                pieces.append(" ")
            if pieces and pieces[-1] == mark:  # two of a kind side by side are one
                pieces.pop()
            else:
                if pieces and pieces[-1] in _MARKS:
                    pieces.append(JOINT)
                pieces.append(mark)
            pieces += [core, mark]
            if part[-1].isspace():
                pieces.append(" ")

    def _link(self, element: Element, pieces: list[str], within: int) -> None:
        href = escaping.address(element.get("href"), self._base_url)
        if href is None or within & _LINKED:
            before = len(pieces)
            self.inside(element, pieces, within)
            contact = escaping.contact(element.get("href"))
            if contact and not escaping.tells(text_of(element), contact):
                is_bare = not "".join(pieces[before:]).strip()
                add_text(pieces, contact if is_bare else f" ({contact})")
            return
        if escaping.looks_like_address(text_of(element).strip()):
            pieces.append(escaping.bare(href, element.tail or ("*" if within else "")))
            return
        if label := _label(self._text(element, within | _LINKED)):
            pieces.append(escaping.linked(label, href))

    def _image(self, element: Element, pieces: list[str], within: int) -> None:
        alt = " ".join((element.get("alt") or element.get("title") or "").split())
        if not alt or alt == "enter image description here":
            alt = "image"
        if within & _LINKED:
            pieces.append(escape(alt))
            return
        src = escaping.address(element.get("src"), self._base_url)
        if src is not None:
            label = "image" if escaping.looks_like_address(alt) else escape(alt)
            pieces.append(escaping.linked(_label(label), src))
        elif alt != "image":
            pieces.append(escape(alt))

    def _media(self, element: Element, pieces: list[str], within: int) -> None:
        src = element.get("src") or element.get("data")
        if src is None and (source := element.find("source")) is not None:
            src = source.get("src")
        url = escaping.address(src, self._base_url)
        if url is not None and not within & _LINKED:
            kind = "video" if element.tag in ("video", "iframe") else "media"
            name = " ".join((element.get("title") or kind).split())
            pieces.append(escaping.linked(_label(escape(name)), escaping.video(url)))

    def _code(self, element: Element, pieces: list[str], within: int) -> None:
        only = _only_link(element)
        href = None if only is None else escaping.address(only.get("href"), self._base_url)
        code = inline_code(text_of(element))
        if href and code and not within & _LINKED:
            pieces.append(escaping.linked(code, href))
        else:
            add_code(pieces, code)

    def _break(self, element: Element, pieces: list[str], within: int) -> None:
        pieces.append(BREAK)

    def _quotation(self, element: Element, pieces: list[str], within: int) -> None:
        pieces.append("“")
        self.inside(element, pieces, within)
        pieces.append("”")

    def _script(self, element: Element, pieces: list[str], within: int) -> None:
        only = _only_link(element)
        shifted = raised if element.tag == "sup" else lowered
        text = shifted(text_of(element)) if only is not None or not len(element) else None
        if text is None:
            self.inside(element, pieces, within)
            return
        href = None if only is None else escaping.address(only.get("href"), self._base_url)
        pieces.append(escaping.linked(text, href) if href and not within & _LINKED else text)


def _only_link(element: Element) -> Element | None:
    """Return the link that is all there is in an element."""
    if len(element) != 1 or element[0].tag != "a":
        return None
    around = (element.text or "") + (element[0].tail or "")
    return None if around.strip() else element[0]


def add_text(pieces: list[str], text: str) -> None:
    """Append running text, escaped."""
    text = escape(text)
    if text[:1] == "`" and pieces and pieces[-1][-1:] == "`":
        pieces.append(JOINT)
    pieces.append(text)


def _label(text: str) -> str:
    """Return Markdown as the text of a link: one line, and no bracket that would end it."""
    text = " ".join(text.replace(BREAK, " ").split())
    return _BRACKET.sub(r"\\\g<0>", text) if "[" in text or "]" in text else text


def paragraph(pieces: list[str]) -> str:
    """Return the pieces as a paragraph: spaces tidied, no line like the beginning of a block."""
    text = "".join(pieces).replace("\n", " ").strip()
    if "  " in text or not text.isprintable():
        text = _tidied(text)
    return escape_lines(text) if text else ""


def _tidied(text: str) -> str:
    """Return the text with runs of space as one space, and line breaks where they were meant."""
    text = " ".join(text.split())
    if BREAK in text:
        text = text.replace(f" {BREAK}", BREAK).replace(f"{BREAK} ", BREAK)
        text = text.replace(BREAK, "\n").strip("\n")
        if "\n\n\n" in text:
            text = _MANY_BREAKS.sub("\n\n", text)
    return text


_BRACKET = re.compile(r"(?<!\\)[\[\]]")
_BROKEN = frozenset("p div ul ol li blockquote pre table tr h1 h2 h3 h4 h5 h6 dl dt dd".split())
_EMPHASIS = {
    "strong": ("**", 1),
    "b": ("**", 1),
    "em": ("*", 2),
    "i": ("*", 2),
    "u": ("__", 4),
    "ins": ("__", 4),
    "s": ("~~", 8),
    "strike": ("~~", 8),
    "del": ("~~", 8),
}
_MARKS = frozenset(mark for mark, _ in _EMPHASIS.values())
_InlineHandler = Callable[[Inline, Element, list[str], int], None]
_HANDLERS: dict[str, _InlineHandler] = {
    "a": Inline._link,
    "img": Inline._image,
    "br": Inline._break,
    "q": Inline._quotation,
    **dict.fromkeys(("sup", "sub"), Inline._script),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), Inline._code),
    **dict.fromkeys(_MEDIA, Inline._media),
}
