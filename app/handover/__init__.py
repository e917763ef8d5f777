"""The kit changes hands: what was there, in which state, tested how, and who signed for it (R01, R04, U06)."""
