"""Threadwise: a Discord bot that answers questions from Q&A threads."""

__version__ = "0.1.0"
