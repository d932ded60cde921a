"""The eye for meaning: sentence embeddings and their nearest neighbours.

Needs the packages of the extra ``semantic``; nothing outside imports the modules in
here at its top, so that the bot runs without them.
"""
