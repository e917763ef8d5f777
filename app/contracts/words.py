"""What people call a contract's matters, and the keys of what they are asked to do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from app.contracts.model import NumberContract

PLANS: Mapping[str, str] = {"phone_for_plan": "购手机送话费", "plan_for_phone": "存话费送手机"}


def end_task(row: NumberContract) -> str:
    """The task that a contract ends. With its last day: one that was moved asks anew."""
    return f"contract.end:{row.id}:{row.ends_on}"


def renew_task(assessment_id: uuid.UUID) -> str:
    return f"contract.renew:{assessment_id}"


def confirm_task(assessment_id: uuid.UUID) -> str:
    return f"contract.confirm:{assessment_id}"


def replace_task(assessment_id: uuid.UUID) -> str:
    """The phone is to be replaced and nobody asked for a new one yet."""
    return f"contract.replace:{assessment_id}"


def request_task(request_id: uuid.UUID) -> str:
    """What the request waits for next: one task at a time."""
    return f"contract.request:{request_id}"


def shown_number(e164: str) -> str:
    """`138 0013 8000` for a number of mainland China, any other as it is."""
    digits = e164.removeprefix("+86")
    if e164.startswith("+86") and len(digits) == 11:
        return f"{digits[:3]} {digits[3:7]} {digits[7:]}"
    return e164
