"""Measuring the bot on test sets: questions, typos, ranking metrics and calibration."""
