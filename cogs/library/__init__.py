"""/library: the threads of one server."""
