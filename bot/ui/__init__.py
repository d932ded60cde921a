"""Cards, pagers and buttons for Discord, and text that fits them."""
