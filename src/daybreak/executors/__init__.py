"""Where workers run: as children of the server, to begin with."""
