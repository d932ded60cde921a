"""/thread: one thread, page by page."""
