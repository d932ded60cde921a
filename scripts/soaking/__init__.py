"""A soak: the real bot on a simulated Discord for a simulated year, beside a plain count.

From the inside out: ``content`` (what is asked and known), ``servers`` (who is there), ``plain``
(what the votes must be), ``process`` (the bot, its restarts and what its log says), ``asking``,
``events`` and ``moderation`` (what happens), ``faults`` (what goes wrong), ``checks`` (what must
hold), and ``run``, which puts them together.
"""
