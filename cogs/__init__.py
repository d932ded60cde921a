"""The cogs: each reads events and commands of Discord, calls a service, and shows a card."""
