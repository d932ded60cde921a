"""Curation from Discord: messages saved, threads added, edited, merged, undone."""
