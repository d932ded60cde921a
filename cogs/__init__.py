"""What the bot hears on Discord. A cog reads an event, calls a service, shows a card."""
