"""Measurements, each against a limit that is measured in the same run. `make bench`."""
