"""What the rows of a wipe are worth by the rules: the order, the readings, the looks by hand, the policy's limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from app.compliance import presets_for
from app.policy import PolicyFiles, effective
from app.registry import placeholder_serial
from app.wipe import inspection_store
from app.wipe.evidence_rules import Evidence, read_evidence
from app.wipe.fact_rules import Limits, Look, Order
from app.wipe.grading_rules import Graded, Manual, grade
from app.wipe.inspection_model import WipeInspection
from app.wipe.model import Wipe

POLICY = "wipe"
REFUSED = "unauthorized"
"""`words` of a row that says only that the phone refused the gateway's old key."""


def limits_of(body: Mapping[str, Any]) -> Limits:
    """Of the policy's effective body."""
    told = body["inspection"]
    return Limits(
        clock=dt.timedelta(minutes=told["clock_minutes"]),
        first_boot=dt.timedelta(minutes=told["first_boot_minutes"]),
        media_ok=told["media_ok"],
        media_many=told["media_many"],
        boots_after=told["boots_after"],
        photos=told["photos"],
        presets={brand.casefold(): frozenset(names) for brand, names in told["presets"].items()},
    )


def judge(
    session: Session, wipe: Wipe, policies: PolicyFiles, *, until: dt.datetime | None = None
) -> Graded | None:
    """All inspections together, those after `until` left out; None while nothing was ordered."""
    if wipe.ordered_at is None:
        return None
    rows = [row for row in inspection_store.inspections(session, wipe.id) if until is None or row.at <= until]
    limits = limits_of(effective(session, policies, POLICY, wipe.centre_id).body)
    in_the_box = effective(session, policies, "allowlist", wipe.centre_id).body["presets"]
    refused = any(row.words == REFUSED and row.earliest_at >= wipe.ordered_at for row in rows)
    after = [one for row in rows if row.kind != "before" and (one := _after(row)) is not None]
    limits = with_presets(limits, in_the_box, [one.evidence for one in after if isinstance(one, Look)])
    return grade(_order(wipe, wipe.ordered_at), _before(wipe, rows), after, limits, key_refused=refused)


def with_presets(limits: Limits, in_the_box: Mapping[str, Any], told: Sequence[Evidence]) -> Limits:
    """With what the allow-list names as coming in the box of the models that were read: `agent preset` learned it from
    a new phone of that model. Of a model that it does not name nothing is known by it.
    """
    presets = dict(limits.presets)
    for one in told:
        found = presets_for(in_the_box, (one.brand or "").strip().lower(), (one.model or "").strip())
        if found:
            brand = (one.brand or "").casefold()
            presets[brand] = presets.get(brand, frozenset()) | frozenset(found)
    return replace(limits, presets=presets)


def _order(wipe: Wipe, at: dt.datetime) -> Order:
    expect = wipe.expect or {}
    answers = {
        item: (wipe.checklist.get(item) or {}).get("answer") or "unknown" for item in ("sd", "sim", "esim")
    }
    return Order(
        at=at, serial=None if placeholder_serial(wipe.serial) else wipe.serial, imeis=tuple(wipe.imeis),
        android_id=expect.get("android_id") or wipe.android_id, boot_id=expect.get("boot_id"), **answers,
    )  # fmt: skip


def _before(wipe: Wipe, rows: Sequence[WipeInspection]) -> Look | None:
    """The last reading of this very phone that was whole before the order."""
    assert wipe.ordered_at is not None
    for row in reversed(rows):
        look = _look(row)
        if look is not None and row.at <= wipe.ordered_at and look.evidence.serial == wipe.serial:
            return look
    return None


def _look(row: WipeInspection) -> Look | None:
    found = read_evidence(row.evidence)
    return None if found is None else Look(found, row.earliest_at, row.at)


def _after(row: WipeInspection) -> Look | Manual | None:
    if row.kind == "manual":
        return Manual(row.at, row.typed_imei, row.seen, len(row.photos))
    return _look(row)
