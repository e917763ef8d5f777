"""Wipe: only the named phone is erased, approved by another person, its data being elsewhere (R06)."""
