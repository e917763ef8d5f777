"""Judge phones when what was read of them, the policy that judges them, or time has changed their verdict."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.compliance import store
from app.compliance.finding_rules import worst_of
from app.compliance.grading_rules import counts
from app.compliance.judging import SECTIONS, Facts, Judge, Known, Ruling, gather
from app.compliance.lists import allowlist_for
from app.compliance.rules import Inputs, storage_state
from app.kernel.clock import Clock
from app.kernel.db import from_us
from app.kernel.jobs import Transactions
from app.kernel.tenancy import Principal
from app.labels import SUBJECT as LABELS
from app.policy import Policy, PolicyFiles, effective_many
from app.readings import AbsorbedReading

SUBJECT = "allowlist"
BATCH = 100
"""Phones judged in one transaction of the job: some tenths of a second in which nobody else writes to SQLite."""
BATCH_S = 1.0
"""After so long a batch is ended early: a machine with too much to do judges fewer at a time."""
BUDGET_S = 60.0
_AT_ONCE = from_us(0)


def judge(
    session: Session, readings: Sequence[AbsorbedReading], policies: PolicyFiles, now: dt.datetime
) -> None:
    """Judge the phones of which something that counts has changed; free of cost for all others.

    Call under the locks that absorbing took. What is judged is the newest content, whatever reading brought it.
    """
    centres: dict[uuid.UUID, uuid.UUID] = {}
    known: dict[uuid.UUID, dict[str, Any]] = {}
    fuller: dict[uuid.UUID, uuid.UUID] = {}
    back: dict[uuid.UUID, uuid.UUID] = {}
    for reading in readings:
        changed = {name: reading.sections[name] for name in SECTIONS if name in reading.sections}
        if changed:
            known.setdefault(reading.handset_id, {}).update(changed)
        if changed.keys() - {"storage"} or reading.unread_changed or reading.airplane_changed:
            centres[reading.handset_id] = reading.centre_id
        elif changed:
            fuller[reading.handset_id] = reading.centre_id
        if reading.returned:
            back[reading.handset_id] = reading.centre_id
    if not (centres or fuller or back):
        return
    holding = wanted(session, policies, {*centres.values(), *fuller.values(), *back.values()})
    for handset_id in store.silent(session, back):
        centres[handset_id] = back[handset_id]
    fuller = {i: centre for i, centre in fuller.items() if i not in centres}
    centres |= _storage_differs(session, fuller, known, holding)
    if centres:
        _judge(session, centres, known, holding, policies, now)


def _storage_differs(
    session: Session,
    phones: Mapping[uuid.UUID, uuid.UUID],
    known: Mapping[uuid.UUID, Known],
    holding: Mapping[uuid.UUID, Policy],
) -> dict[uuid.UUID, uuid.UUID]:
    """Those of which no more than the free bytes changed, and that by so much that it counts.

    They change with nearly each reading: to judge the whole phone each time would cost more than all the rest.
    """
    before = store.storages(session, phones) if phones else {}
    found = {}
    for handset_id, centre in phones.items():
        limits = allowlist_for(holding[centre], None, None)
        now_is = storage_state(Inputs(storage=known[handset_id]["storage"]), limits)
        # A patch for the model may set other limits: such phones are judged each time.
        if holding[centre].body["models"] or before.get(handset_id, "") != now_is:
            found[handset_id] = centre
    return found


def rejudge_due(
    transactions: Transactions,
    policies: PolicyFiles,
    clock: Clock,
    *,
    budget_s: float = BUDGET_S,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Judge all phones whose verdict is due, was made by another policy than holds, or was never made; a batch a
    transaction, until none is left or the time is over. How many were judged.

    Between two batches it rests for as long as the last one took, so that on SQLite others come to write.
    """
    begun, judged = time.monotonic(), 0
    after: uuid.UUID | None = None
    while True:
        started = time.monotonic()
        with transactions() as session:
            done = _batch(session, policies, clock.now(), after, BATCH)
        judged, after = judged + len(done.judged), done.last
        if after is None or time.monotonic() - begun > budget_s:
            return judged
        pause(time.monotonic() - started)


def rejudge(session: Session, policies: PolicyFiles, now: dt.datetime, limit: int = BATCH) -> int:
    """One batch of `rejudge_due`, in the caller's transaction."""
    return len(_batch(session, policies, now, None, limit).judged)


@dataclass(frozen=True)
class _Batch:
    """`last`: the phone after which the next batch begins; None: no phone waits behind those that were judged."""

    judged: Sequence[uuid.UUID]
    last: uuid.UUID | None


def _batch(
    session: Session, policies: PolicyFiles, now: dt.datetime, after: uuid.UUID | None, limit: int
) -> _Batch:
    holding = wanted(session, policies, store.centres_in_service(session))
    shas = {centre: policy.sha256 for centre, policy in holding.items()}
    centres = store.waiting(session, shas, now, after, limit)
    if not centres:
        return _Batch((), None)
    judged = _judge(session, centres, {}, holding, policies, now, seconds=BATCH_S)
    whole = len(judged) == len(centres)
    return _Batch(judged, None if whole and len(centres) < limit else max(judged))


def wanted(
    session: Session, policies: PolicyFiles, centre_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Policy]:
    """The policy by which the phones of each of these centres ought to be judged now."""
    return effective_many(session, policies, SUBJECT, centre_ids)


def stale_counts(
    session: Session, policies: PolicyFiles, principal: Principal
) -> dict[uuid.UUID, store.Stale]:
    """Of each of the caller's centres with phones in service: how many are judged by what is wanted now."""
    centres = store.centres_in_service(session, principal)
    shas = {centre: policy.sha256 for centre, policy in wanted(session, policies, centres).items()}
    return store.stale(session, shas)


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
    known: Mapping[uuid.UUID, Known],
    holding: Mapping[uuid.UUID, Policy],
    files: PolicyFiles,
    now: dt.datetime,
    *,
    seconds: float | None = None,
) -> list[uuid.UUID]:
    """`centres`: handset → centre; `known`: sections that need not be read from the database. Returns those judged, in
    the order of their ids: all, or as many as could be in `seconds`, at least one.
    """
    judging = {centre: holding[centre] for centre in set(centres.values())}
    ruling = Judge(session, judging, now, labels_of(session, files, judging))
    rows, changes = [], []
    started = time.monotonic()
    for facts in gather(session, centres, known=known, lock=True):
        row = _row(facts, holding[facts.centre_id], ruling.rule(facts), now)
        rows.append(row)
        if row["changed_at"] == now:
            changes.append(_change(row, now))
        if seconds is not None and time.monotonic() - started > seconds:
            break
    store.save(session, rows)
    store.append_changes(session, changes)
    return [row["handset_id"] for row in rows]


def labels_of(
    session: Session, files: PolicyFiles, centres: Collection[uuid.UUID]
) -> dict[uuid.UUID, Mapping[str, str]]:
    """What people call apps, by centre: one look for all of them."""
    policies = effective_many(session, files, LABELS, centres)
    return {centre: policy.body["labels"] for centre, policy in policies.items()}


def _row(facts: Facts, policy: Policy, ruling: Ruling, now: dt.datetime) -> dict[str, Any]:
    """The new row; `changed_at` is `now` where status, findings or policy differ from before."""
    before, graded = facts.before, ruling.graded
    same = (
        before is not None
        and before.policy_sha256 == policy.sha256
        and before.centre_id == facts.centre_id
        and _identities(graded.findings) == _identities(facts.findings)
    )
    return {
        "handset_id": facts.handset_id,
        "centre_id": facts.centre_id,
        "status": worst_of(graded.statuses).value,
        "findings": orjson.dumps(graded.findings).decode(),
        "memory": orjson.dumps(graded.memory).decode(),
        "policy_version": policy.version,
        "policy_sha256": policy.sha256,
        "inputs_sha256": facts.sha256,
        "judged_at": now,
        "changed_at": before.changed_at if before is not None and same else now,
        "due_at": ruling.due_at,
        "storage": ruling.storage,
        **counts(graded.findings),
    }


def _identities(findings: Sequence[Mapping[str, Any]]) -> set[tuple[str, str, str]]:
    return {(f["code"], f["subject"], f["status"]) for f in findings}


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
