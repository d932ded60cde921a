"""Votes: reactions and buttons in the order in which they came, reconciliation, tallies."""
