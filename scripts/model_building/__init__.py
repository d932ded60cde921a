"""Building the models that come in packages of PyPI in another form than the bot reads."""
