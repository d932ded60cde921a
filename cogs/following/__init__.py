"""Followed channels: which message solved a post, marked by people and by other bots."""
