"""The demo's page: SimCord's, with our words, and mentions where Discord shows them.

SimCord's page is one for developers of bots: it opens with a list of messages beside the
channel, and shows the mentions in an embed as they are written.
"""

from __future__ import annotations

from typing import Any

from simcord import Preview
from simcord.preview import _markdown

PAGE_WORDS = {
    "index.html": {
        "<title>SimCord Preview</title>": "<title>Threadwise demo</title>",
        'id="preview-shell" class="preview-shell"': (
            'id="preview-shell" class="preview-shell messages-closed"'
        ),
        'aria-label="SimCord preview"': 'aria-label="Threadwise demo"',
        '<span class="brand-mark" aria-hidden="true">S</span>': (
            '<span class="brand-mark" aria-hidden="true">T</span>'
        ),
        "<strong>SimCord</strong><small>Preview</small>": (
            "<strong>Threadwise</strong><small>Demo</small>"
        ),
        'id="refresh" class': 'id="refresh" hidden class',
        'id="capture-open" class': 'id="capture-open" hidden class',
        'id="inspector-toggle" class': 'id="inspector-toggle" hidden class',
        "End preview session": "End the demo",
    },
    "selects.js": {
        "SimCord selection draft actions": "What to do with the choice",
        "SimCord selection draft": "Your choice",
    },
}
"""What SimCord's page says, by its files, and what the demo's says in its place.

The list of messages is closed, and what only developers of a bot use isn't shown.
"""


def dress_page(preview: Preview) -> None:
    """Have the page speak of the demo; to be called before the preview is opened."""
    for part in ("embed_description", "embed_field_value"):
        _markdown._FIELD_POLICIES[part]["mentions"] = True
    serve = preview._server._static

    async def static(request: Any) -> Any:
        response = await serve(request)
        for old, new in PAGE_WORDS.get(request.path.strip("/") or "index.html", {}).items():
            response.text = response.text.replace(old, new)
        return response

    preview._server._static = static  # type: ignore[method-assign]
