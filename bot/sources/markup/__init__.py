"""HTML of Q&A posts to the Markdown that Discord reads.

The parsing is libxml2's (through lxml), the rules are Discord's and ours. What comes out
is stored and indexed, so it holds no more markup than it needs:

- Text is literal: what Discord would take as Markdown, a timestamp or an emoji is escaped
  where it would act, and only there. Mentions stay as they are: ``bot.ui.text``
  disarms them in everything that is shown, whatever format it came from.
- Formulas become inline code or code blocks, so that their backslashes survive.
- What Discord has no form for becomes text: a table a code block, an image a link.
"""

from __future__ import annotations

from bot.sources.markup.blocks import Blocks
from bot.sources.markup.escaping import unescape_lone
from bot.sources.markup.parsing import parse

__all__ = ["to_markdown"]


def to_markdown(html: str, *, base_url: str | None = None) -> str:
    """Return the HTML as Discord's Markdown; ``base_url`` completes relative links.

    Takes any string: broken HTML is read as browsers read it, scripts and styles are
    dropped, and nesting beyond all reason is flattened.
    """
    if not html or html.isspace():
        return ""
    markdown = Blocks(base_url).document(parse(html))
    return unescape_lone(markdown) if "\\" in markdown else markdown
