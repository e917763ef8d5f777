"""Which two phones the data goes between: what an order names beside serial and IMEI.

A serial can be flashed; an `android_id` nobody chooses, and only a reset changes it (R06).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from app.commands import Command, of_key
from app.readings import told_android_id
from app.transfer.model import Transfer


def order_key(row: Transfer) -> str:
    """What all orders of a transfer have in common."""
    return f"transfer:{row.id}"


def expected_ends(
    session: Session, row: Transfer, new_id: uuid.UUID
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`expect` of the old phone and of the new one; empty for one that was never read.

    What an order has begun with, all that follow go on with: the copy on the gateway is of that phone.
    """
    begun = next(_begun(session, row), None)
    if begun is not None:
        return begun.args.get("expect") or {}, begun.args["new"].get("expect") or {}
    return _met(session, row.old_id), _met(session, new_id)


def moved_from(session: Session, row: Transfer) -> str | None:
    """The `android_id` of the phone that a transfer has read; None: its orders named none, or are kept no longer."""
    return next((command.args.get("expect", {}).get("android_id") for command in _begun(session, row)), None)


def _begun(session: Session, row: Transfer) -> Iterator[Command]:
    """Orders that may have moved something. One that never left has not, nor one that its gateway refused the only
    time that it had it; what one had begun before it was refused lies in the copy.
    """
    for command in of_key(session, row.old_id, order_key(row)):
        if command.attempts > 1 or (command.attempts == 1 and command.end_reason != "refused"):
            yield command


def _met(session: Session, handset_id: uuid.UUID) -> dict[str, Any]:
    android_id = told_android_id(session, handset_id)
    return {"android_id": android_id} if android_id else {}
