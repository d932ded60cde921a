"""Fitting the ranker's constants: the questions asked, the models, what they are worth."""
