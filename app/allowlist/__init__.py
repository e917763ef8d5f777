"""The allow-list for people: who set what, what a change would do first, what is applied (R03)."""

from app.allowlist.applied import Applied, applied_to
from app.allowlist.origins import Explained, Source, explained, leaves, plain

__all__ = [
    "Applied",
    "Explained",
    "Source",
    "applied_to",
    "explained",
    "leaves",
    "plain",
]
