"""Addresses that may be linked, and links as Discord reads them."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin

_UNSAFE = re.compile(r"[\s<>\"`|\\^{}\[\]()\x00-\x20]")
_BARE_UNSAFE = re.compile(r"[\s<>\"`|\\^{}\x00-\x20]")
_EMBEDDED_VIDEO = re.compile(
    r"https?://(?:www\.)?youtube(?:-nocookie)?\.com/(?:embed|v)/([\w\-]{6,20})"
)
_HOST = re.compile(r"https?://(?:[^\s/?#@]*@)?[^\s/?#@:]", re.IGNORECASE)

_CONTACT = re.compile(
    r"(?:mailto:(?P<mail>[^?]+)|tel:(?P<number>[^;?]+))(?:[;?].*)?", re.IGNORECASE | re.DOTALL
)
_MAIL = re.compile(r"[^\s<>()\[\]`@]+@[^\s<>()\[\]`@]+")
_NUMBER = re.compile(r"[+0-9][0-9 ().\-/]*")
_LONGEST = 254


def address(href: str | None, base_url: str | None) -> str | None:
    """Return the absolute http(s) address of an attribute; ``None`` for any other."""
    if not href:
        return None
    href = href.strip()
    if not href.startswith(("https://", "http://")):
        try:
            if base_url is not None and not href.startswith("#"):
                href = urljoin(base_url, href)
            elif href.startswith("//"):
                href = f"https:{href}"
        except ValueError:
            return None
    return href if _HOST.match(href) else None


def contact(href: str | None) -> str:
    """Return the mail address or telephone number of an attribute; empty for any other."""
    match = _CONTACT.fullmatch((href or "").strip())
    if not match:
        return ""
    there = " ".join(unquote(match["mail"] or match["number"]).split())
    kind = _MAIL if match["mail"] else _NUMBER
    return there if len(there) <= _LONGEST and kind.fullmatch(there) else ""


def tells(text: str, contact: str) -> bool:
    """Return whether a text has an address or number in it, in whatever way this is written."""
    if "@" in contact:
        return contact.casefold() in text.casefold()
    digits = re.sub("[^0-9]", "", text).lstrip("0")
    return len(digits) > 3 and re.sub("[^0-9]", "", contact).endswith(digits)


def video(src: str) -> str:
    """Return the page of an embedded video, other addresses as they are."""
    match = _EMBEDDED_VIDEO.match(src)
    return f"https://www.youtube.com/watch?v={match[1]}" if match else src


def looks_like_address(text: str) -> bool:
    """Return whether a link's text is an address, which Discord wants to be the link's own."""
    return text.startswith(("http://", "https://")) and len(text.split()) == 1


def linked(label: str, url: str) -> str:
    """Return ``[label](url)``."""
    return f"[{label}]({_UNSAFE.sub(_quoted, url)})"


def bare(url: str, following: str) -> str:
    """Return the address alone; in angle brackets where it would swallow what follows."""
    url = _BARE_UNSAFE.sub(_quoted, url)
    if url[-1] not in ".,:;!?'*_~" and (not following or following[0] in " \n\t.,;:!?\0"):
        return url
    return f"<{url}>"


def _quoted(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())
