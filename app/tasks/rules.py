"""Who a task is for, and in which order tasks are shown. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

DECIDED = frozenset(
    {
        "change",
        "excuse",
        "exemption",
        "handover",
        "hardware",
        "incident",
        "lost_phone",
        "remedy",
        "report",
        "round",
        "transfer",
        "wipe",
    }
)
"""Kinds that end only with what they ask for: ticked off by hand, a matter that costs somebody money, or spares it,
would lie undecided and out of sight.
"""
_A_CENTURY = dt.timedelta(days=36_525)


def pack_roles(roles: Sequence[str], known: Sequence[str]) -> str:
    """`|lead|operations|`: one text in which a role is found whole. Raise `ValueError` for a role that is not known."""
    if not roles or set(roles) - set(known):
        raise ValueError(f"a task is for roles that there are, not for {sorted(roles)}")
    return "|" + "|".join(sorted(set(roles))) + "|"


def unpack_roles(packed: str) -> list[str]:
    return packed.strip("|").split("|")


def place(due_at: dt.datetime | None, opened_at: dt.datetime) -> dt.datetime:
    """Where a task stands in the list: by the time when it is due; without one below all that have one."""
    return due_at if due_at is not None else opened_at + _A_CENTURY
