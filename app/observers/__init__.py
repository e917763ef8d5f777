"""Observers are watched too: when gateways, sites and the server were up, and when nobody may be suspected (R02)."""

from app.observers.rules import Beat, Limits, limits_of
from app.observers.schemas import parse_beat, parse_checks, passed
from app.observers.service import (
    Outage,
    Watched,
    gateway_names,
    note_beats,
    outages,
    server_up_since,
    trusted,
    watched,
)

__all__ = [
    "Beat",
    "Limits",
    "Outage",
    "Watched",
    "gateway_names",
    "limits_of",
    "note_beats",
    "outages",
    "parse_beat",
    "parse_checks",
    "passed",
    "server_up_since",
    "trusted",
    "watched",
]
