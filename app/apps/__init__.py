"""Which app is on how many phones since when, and what changed on a phone (R03)."""
