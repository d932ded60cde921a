"""What tests start and share, each thing once.

A bot: ``world`` with ``simcord`` and ``messages`` (SimCord's Discord in memory), or ``net``
with ``loopback``, ``asking`` and ``card_votes`` (a Discord over real sockets, with faults).

Programs: ``programs`` (processes), ``peers`` (processes that share a library and do what they are
told), ``command_line`` (commands in the test's own process), ``voting_program`` and
``embedding_program`` (run by tests that kill them).

Data: ``library``, ``votes`` (what events do to votes, without Discord), ``vote_model`` (what comes
of it), ``search``, ``dumps``, ``strategies`` (threads by Hypothesis), ``patterns`` (the program's
regular expressions and texts that are hard for them), ``paths``.

Time: ``virtual_time`` (a SimCord on which a year passes at once), ``waiting`` (for events),
``growth`` (of processor time with size), ``loop_lag`` (of the event loop, beside an idle one),
``spinning`` (work that holds a thread or all of them).
"""
