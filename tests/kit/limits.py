"""Limits of Discord that cards keep to without a look at them; the program needs none of these."""

from __future__ import annotations

EMBED_AUTHOR = 256
EMBED_TOTAL = 6_000
COMPONENTS_A_ROW = 5
BUTTON_LABEL = 80
CUSTOM_ID = 100
