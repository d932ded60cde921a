"""Made-up Stack Exchange dumps, and how long importing one takes."""
