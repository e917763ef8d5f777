"""Judge phones when what they carry, or the policy that judges it, has changed."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.compliance import store
from app.compliance.list_rules import Allowlist
from app.compliance.lists import allowlist_for
from app.compliance.rules import Finding, Inputs, evaluate, worst
from app.kernel.db import from_us, to_us
from app.kernel.tenancy import SYSTEM
from app.policy import Policy, PolicyFiles, effective_many
from app.readings import AbsorbedReading, latest_sections, phone_states

SUBJECT = "allowlist"
SECTIONS = ("packages", "users")
_REJUDGED_AT_ONCE = 500
_AT_ONCE = from_us(0)


def judge(
    session: Session, readings: Sequence[AbsorbedReading], policies: PolicyFiles, now: dt.datetime
) -> None:
    """Judge the phones of which something that counts has changed; free of cost for all others.

    Call under the locks that absorbing took. What is judged is the newest content, whatever reading brought it.
    """
    centres: dict[uuid.UUID, uuid.UUID] = {}
    known: dict[uuid.UUID, dict[str, Any]] = {}
    for reading in readings:
        changed = {name: reading.sections[name] for name in SECTIONS if name in reading.sections}
        if changed or reading.unread_changed:
            centres[reading.handset_id] = reading.centre_id
            known.setdefault(reading.handset_id, {}).update(changed)
    if centres:
        _judge(session, centres, known, policies, now)


def rejudge(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Judge again, some hundred at a time, the phones whose verdict was made by a policy that no longer holds."""
    holding = effective_many(session, policies, SUBJECT, store.centres_judged(session))
    wanted = {centre: policy.sha256 for centre, policy in holding.items()}
    centres = store.judged_otherwise(session, wanted, _REJUDGED_AT_ONCE)
    if centres:
        _judge(session, centres, {}, policies, now)
    return len(centres)


def make_due(
    session: Session,
    *,
    handset_ids: Collection[uuid.UUID] | None = None,
    centre_id: uuid.UUID | None = None,
) -> None:
    """Have these phones, those of this centre, or all, judged again at the job's next run."""
    store.set_due(session, _AT_ONCE, handset_ids, centre_id)


def changed_since(
    session: Session, at: dt.datetime | None, after_id: uuid.UUID | None, limit: int
) -> Sequence[Row[uuid.UUID, uuid.UUID, str, str, dt.datetime]]:
    """Rows `(handset_id, centre_id, status, findings, changed_at)` of verdicts that changed, the oldest first; `at` and
    `after_id` are those of the last row that the caller has seen, None: from the beginning. Internal.

    A transaction that commits late brings a `changed_at` that another has passed already: whoever must miss none
    begins some minutes before what was seen last.
    """
    return store.changed_after(session, at, after_id, limit)


def _judge(
    session: Session,
    centres: Mapping[uuid.UUID, uuid.UUID],
    known: Mapping[uuid.UUID, Mapping[str, Any]],
    policies: PolicyFiles,
    now: dt.datetime,
) -> None:
    """`centres`: handset → centre; `known`: sections that need not be read from the database."""
    # Locked before anything is read: else a verdict on older content could be written over one on newer.
    before = store.locked(session, centres)
    lacking = [i for i in centres if len(known.get(i, ())) < len(SECTIONS)]
    stored = latest_sections(session, lacking, SECTIONS)
    states = phone_states(session, SYSTEM, centres)
    holding = effective_many(session, policies, SUBJECT, set(centres.values()))
    lists = {centre: allowlist_for(policy, None, None) for centre, policy in holding.items()}
    rows, changes = [], []
    for handset_id, centre_id in sorted(centres.items()):
        sections = {**stored.get(handset_id, {}), **known.get(handset_id, {})}
        state = states.get(handset_id)
        unread = dict(state.unread) if state is not None else {}
        inputs = Inputs(sections.get("packages"), sections.get("users"), unread)
        row = _verdict_row(holding[centre_id], lists[centre_id], inputs, before.get(handset_id), now)
        row |= {"handset_id": handset_id, "centre_id": centre_id}
        rows.append(row)
        if row["changed_at"] == now:
            changes.append(_change(row, now))
    store.save(session, rows)
    store.append_changes(session, changes)


def _verdict_row(
    policy: Policy, allowlist: Allowlist, inputs: Inputs, before: Row[Any] | None, now: dt.datetime
) -> dict[str, Any]:
    """The new row; `changed_at` is `now` where status, findings or policy differ from `before`."""
    findings = evaluate(inputs, allowlist)
    status = worst(findings)
    known = {} if before is None else _first_seen(before.findings)
    stored = [_stored(finding, known, now) for finding in findings]
    same = (
        before is not None
        and before.policy_sha256 == policy.sha256
        and {(f.code, f.subject, f.status.value) for f in findings} == known.keys()
    )
    return {
        "status": status.value,
        "findings": orjson.dumps(stored).decode(),
        "policy_version": policy.version,
        "policy_sha256": policy.sha256,
        "inputs_sha256": _fingerprint(inputs),
        "judged_at": now,
        "changed_at": before.changed_at if before is not None and same else now,
    }


def _stored(finding: Finding, known: Mapping[tuple[str, str, str], int], now: dt.datetime) -> dict[str, Any]:
    key = (finding.code, finding.subject, finding.status.value)
    return {
        "code": finding.code,
        "subject": finding.subject,
        "status": finding.status.value,
        "evidence": finding.evidence,
        "first_seen": known.get(key, to_us(now)),
    }


def _first_seen(findings: str) -> dict[tuple[str, str, str], int]:
    return {(f["code"], f["subject"], f["status"]): f["first_seen"] for f in orjson.loads(findings)}


def _fingerprint(inputs: Inputs) -> str:
    parts = [inputs.packages, inputs.users, sorted(inputs.unread.items())]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _change(row: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    kept = (
        "handset_id",
        "centre_id",
        "status",
        "findings",
        "policy_version",
        "policy_sha256",
        "inputs_sha256",
    )
    return {name: row[name] for name in kept} | {"at": now}
