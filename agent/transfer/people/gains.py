"""How far a part has come besides its readings: a line that breaks again and again is not given up too early."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Gains:
    """How far the contacts have come besides their readings: that of a take which a cut ended is not lost."""

    photos: int = 0
    """Taken from the old phone."""
    sent: int = 0
    """Bytes of the vCard file that were on the new phone when it was looked at."""
    same: int = 0
    """Contacts that were seen whole on the new phone."""
