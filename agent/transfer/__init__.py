"""Moves what an old phone holds to a new one, by way of an encrypted copy on this machine. Knows no server."""
