"""Questions in messages, commands and the message menu, and the answers to them."""
