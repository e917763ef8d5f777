"""Keeps the index: takes contents that came in, compares each with what is remembered, writes what changed."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.apps import store
from app.apps.fact_rules import fold_facts
from app.apps.model import MAX_BRAND, MAX_SIGNER, MAX_VERSION
from app.apps.package_rules import fold_packages
from app.apps.presence_rules import TIMES, Rows, apply_step, row_of
from app.apps.rules import MAX_NAME, Change, Kind, Memory, Read, Step, in_order, listed_apps, pack, unpack
from app.compliance import allowlist_for
from app.kernel.db import from_us, to_us
from app.kernel.texts import printable
from app.policy import Policy, PolicyFiles, effective_many
from app.readings import Content, offer_again, take_changes

ALLOWLIST = "allowlist"


@dataclass
class _Phone:
    handset_id: uuid.UUID
    centre_id: uuid.UUID
    policy: Policy
    memory: Memory
    no: int | None = None
    baseline_at: dt.datetime | None = None
    changes: list[Change] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def forbidden(self) -> frozenset[str]:
        facts = self.memory.facts
        return _forbidden(self.policy, facts.get("identity.brand"), facts.get("identity.model"))


def index_changes(session: Session, files: PolicyFiles, phones: int) -> int:
    """Take in what waits for at most so many phones, and as many of those that were read and never taken in.

    All in the caller's transaction: what was taken waits no longer, what was not still does.
    """
    fresh = store.never_indexed(session, phones)
    if fresh:
        offer_again(session, fresh)
    taken: dict[uuid.UUID, list[Content]] = {handset_id: [] for handset_id in fresh}
    for content in take_changes(session, phones):
        taken.setdefault(content.handset_id, []).append(content)
    if taken:
        loaded = _load(session, files, taken)
        for phone in loaded:
            for read in in_order([_read(content) for content in taken[phone.handset_id]]):
                _fold(phone, read)
        _save(session, loaded)
    return len(taken)


def relist(session: Session, files: PolicyFiles, phones: int) -> int:
    """Where the policy forbids other packages than when a phone was last looked through: do so again, of at most so
    many phones. A system's own app is no news of that day: it was there since the phone's first reading.
    """
    kinds = store.phones_listed_otherwise(session)
    policies = effective_many(session, files, ALLOWLIST, {kind.centre_id for kind in kinds})
    found: list[uuid.UUID] = []
    for kind in kinds:
        forbidden = _forbidden(policies[kind.centre_id], kind.brand, kind.model)
        if _digest(forbidden) != kind.listed and len(found) < phones:
            found += store.phones_of_kind(session, kind, phones - len(found))
    loaded = _load(session, files, found) if found else []
    for phone in loaded:
        at = None if phone.baseline_at is None else to_us(phone.baseline_at)
        phone.steps += [
            Step("add", at, None, user, name, app)
            for user, name, app in listed_apps(phone.memory.apps, phone.forbidden())
            if at is not None and app.system is True
        ]
    _save(session, loaded)
    return len(loaded)


def _load(session: Session, files: PolicyFiles, handset_ids: Collection[uuid.UUID]) -> list[_Phone]:
    known = store.locked_phones(session, handset_ids)
    centres = store.centres_of(session, handset_ids)
    policies = effective_many(session, files, ALLOWLIST, set(centres.values()))
    found = []
    for handset_id, centre_id in sorted(centres.items()):
        row = known.get(handset_id)
        memory = Memory() if row is None else unpack(row.memory)
        phone = _Phone(handset_id, centre_id, policies[centre_id], memory)
        if row is not None:
            phone.no, phone.baseline_at = row.no, row.baseline_at
        found.append(phone)
    return found


def _forbidden(policy: Policy, brand: str | None, model: str | None) -> frozenset[str]:
    places = allowlist_for(policy, brand, model).places
    return frozenset(package for package, place in places.items() if place == "forbidden")


def _digest(forbidden: frozenset[str]) -> str:
    return hashlib.sha256("\n".join(sorted(forbidden)).encode()).hexdigest()


def _read(content: Content) -> Read:
    before = None if content.before_at is None else to_us(content.before_at)
    unread = frozenset(part for part, _ in content.unread)
    return Read(content.name, to_us(content.at), before, unread, content.data)


def _fold(phone: _Phone, read: Read) -> None:
    if read.name == "packages":
        outcome = fold_packages(phone.memory, read, phone.forbidden())
    else:
        outcome = fold_facts(phone.memory, read)
    phone.changes += outcome.changes
    phone.steps += outcome.steps
    if any(change.kind is Kind.BASELINE for change in outcome.changes):
        phone.baseline_at = from_us(read.at)


def _save(session: Session, phones: Sequence[_Phone]) -> None:
    numbers = store.save_phones(session, [_phone_row(phone) for phone in phones])
    moved = [phone for phone in phones if phone.steps]
    rows: dict[int, Rows] = {numbers[phone.handset_id]: {} for phone in moved}
    for row in _known_rows(session, moved):
        rows[row.phone_no][row.user_no, row.name] = row_of(row._asdict())
    touched = [
        (number, user, name)
        for number, steps in ((numbers[phone.handset_id], phone.steps) for phone in moved)
        for user, name in sorted(set().union(*(apply_step(rows[number], step) for step in steps)))
    ]
    packages = store.package_numbers(session, {name for _, _, name in touched})
    store.save_presences(
        session,
        [
            {
                "phone_no": number,
                "user_no": user,
                "package_no": packages[name],
                **_columns(rows[number][user, name]),
            }
            for number, user, name in touched
        ],
    )
    store.add_events(session, [_event_row(phone, change) for phone in phones for change in phone.changes])


def _known_rows(session: Session, phones: Sequence[_Phone]) -> Iterator[Row[Any]]:
    """The rows that steps may change: of most phones those of a few apps, of some all."""
    whole = {phone.no for phone in phones if any(not step.package for step in phone.steps)} - {None}
    few = [phone for phone in phones if phone.no is not None and phone.no not in whole]
    if whole:
        yield from store.presences(session, [no for no in whole if no is not None])
    if few:
        wanted = {(phone.no, step.user, step.package) for phone in few for step in phone.steps}
        numbers = [phone.no for phone in few if phone.no is not None]
        for row in store.presences(session, numbers, {name for _, _, name in wanted}):
            if (row.phone_no, row.user_no, row.name) in wanted:
                yield row


def _columns(row: dict[str, Any]) -> dict[str, Any]:
    """A row for the database: instants as such, texts no longer than their columns."""
    values = dict(row)
    for name in TIMES:
        values[name] = None if row[name] is None else from_us(row[name])
    for name, limit in (("version_name", MAX_VERSION), ("installer", MAX_NAME), ("signer", MAX_SIGNER)):
        values[name] = row[name] and printable(row[name], limit)
    return values


def _phone_row(phone: _Phone) -> dict[str, Any]:
    return {
        "handset_id": phone.handset_id,
        "centre_id": phone.centre_id,
        "brand": _text(phone.memory.facts.get("identity.brand")),
        "model": _text(phone.memory.facts.get("identity.model")),
        "baseline_at": phone.baseline_at,
        "listed": _digest(phone.forbidden()),
        "memory": pack(phone.memory),
    }


def _text(value: Any) -> str | None:
    return printable(value, MAX_BRAND) if isinstance(value, str) else None


def _event_row(phone: _Phone, change: Change) -> dict[str, Any]:
    return {
        "handset_id": phone.handset_id,
        "centre_id": phone.centre_id,
        "kind": change.kind.value,
        "user_no": change.user,
        "package": change.package,
        "subject": printable(change.subject, 100),
        "detail": orjson.dumps({"before": change.before, "after": change.after}).decode(),
        "not_before": None if change.since is None else from_us(change.since),
        "at": from_us(change.at),
    }
