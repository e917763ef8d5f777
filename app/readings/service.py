"""Takes readings in: what is newest, what changed, what must be asked for."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from sqlalchemy.orm import Session

from app.kernel.db import from_us, to_us
from app.readings import change_store, store
from app.readings.model import MAX_SERIAL
from app.readings.rules import (
    WATCHED,
    AbsorbedReading,
    AgentRef,
    Power,
    Reading,
    Unreached,
    contradicts,
    dated,
    merge_tags,
    supersedes,
)
from app.registry import HandsetRef


@dataclass
class Absorption:
    """What became of a batch's readings. `refused` and `wanted` name an entry by its place in what was handed in."""

    absorbed: list[AbsorbedReading] = field(default_factory=list)
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    wanted: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Phone:
    """What is known of one phone while a batch is folded into it; `head` is its newest reading if that is a new one."""

    handset: HandsetRef
    at_us: int | None
    boot_id: str | None
    uptime_us: int | None
    unread: str
    refused: str | None
    known: dict[str, list[Any]]
    received_us: int | None
    airplane_mode: bool | None
    head: tuple[Any, ...] | None = None
    contents: dict[str, tuple[str, dt.datetime, Any]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)


_LONG_US = 3_600_000_000
_KNOWN = ("centre_id", "tags", "unread", "refused_identity")
_HEAD = (
    "at", "received_at", "agent_id", "target", "grade", "boot_id", "boot_count", "uptime_us",
    *Power._fields,
)  # fmt: skip


def absorb(
    session: Session, agent: AgentRef, readings: Sequence[tuple[Reading, HandsetRef]], now: dt.datetime
) -> Absorption:
    """Fold readings of registered phones into `phone_state` and `phone_section`, in the order of their instants.

    A late reading sets nothing back; an undated one changes nothing here and is handed on for its boot alone. An
    identity that contradicts the registry is refused, and so is every later reading that carries the same.
    """
    result = Absorption()
    if not readings:
        return result
    phones = _load(session, {handset.id: handset for _, handset in readings})
    for index in _in_time(readings):
        reading, handset = readings[index]
        _fold(result, phones[handset.id], index, reading, agent, now)
    _save(session, list(phones.values()))
    if agent.kind == "gateway":
        # A phone that speaks for itself is no witness of who it is.
        store.save_known(session, [row for phone in phones.values() for row in _told(phone)])
    return result


def _in_time(readings: Sequence[tuple[Reading, HandsetRef]]) -> list[int]:
    """Oldest first; undated ones before all."""
    ages = [float("inf") if reading.age_us is None else reading.age_us for reading, _ in readings]
    return sorted(range(len(ages)), key=ages.__getitem__, reverse=True)


def _load(session: Session, handsets: Mapping[uuid.UUID, HandsetRef]) -> dict[uuid.UUID, _Phone]:
    found = store.lock_states(session, {i: handset.centre_id for i, handset in handsets.items()})
    return {
        i: _Phone(
            handsets[i], row.at_us, row.boot_id, row.uptime_us, row.unread, row.refused_identity,
            orjson.loads(row.tags), row.received_us, row.airplane_mode,
        )
        for i, row in found.items()
    }  # fmt: skip


def _save(session: Session, phones: Sequence[_Phone]) -> None:
    """Write every phone's row back: with its newest reading where that is a new one, else what is known of it."""
    old, new = [], []
    for phone in phones:
        handset = phone.handset
        known = (handset.centre_id, orjson.dumps(phone.known).decode(), phone.unread, phone.refused)
        if phone.head is None:
            old.append((*known, handset.id))
        else:
            new.append((*known, *phone.head, handset.id))
    store.update_states(session, _KNOWN, old)
    store.update_states(session, (*_KNOWN, *_HEAD), new)
    # Before the contents are replaced: what nobody has taken yet would be lost.
    change_store.append(session, [row for phone in phones for row in phone.changes])
    store.save_sections(session, [row for phone in phones for row in _contents(phone)])


def _fold(
    result: Absorption, phone: _Phone, index: int, reading: Reading, agent: AgentRef, now: dt.datetime
) -> None:
    problem = _identity_problem(phone, reading)
    if problem is not None:
        result.refused.append((index, "identity_mismatch", f"{problem} is not that of the registered phone"))
        if "identity" not in reading.sections:
            result.wanted[reading.phone] = ["identity"]
        return
    at = dated(now, reading.age_us)
    changed: dict[str, Any] = {}
    news = _News()
    if at is not None:
        at_us = to_us(at)
        merge = merge_tags(phone.known, reading.tags, reading.sections, at_us)
        before, phone.known = phone.known, merge.known
        for name in merge.fresh:
            changed[name] = reading.sections[name]
            if name in WATCHED:
                _watch(phone, name, reading, at, before.get(name))
            phone.contents[name] = (reading.tags[name], at, changed[name])
        if supersedes(at_us, reading.boot_id, reading.uptime_us, phone.at_us, phone.boot_id, phone.uptime_us):
            news = _head(phone, reading, agent, at_us, now)
            # Only the newest reading's wants count: what an older one lacked may have come since.
            result.wanted[reading.phone] = merge.wanted
    result.absorbed.append(
        AbsorbedReading(
            phone.handset.id, phone.handset.centre_id, at, reading.boot_id, reading.boot_count, reading.uptime_us,
            reading.grade, agent.id, changed, reading.unread, reading.tags, *news,
        )
    )  # fmt: skip


def _watch(phone: _Phone, name: str, reading: Reading, at: dt.datetime, before: list[Any] | None) -> None:
    """Note that a content came in, and keep that of the same batch which it replaces."""
    if name in phone.contents:
        replaced = next(row for row in reversed(phone.changes) if row["name"] == name)
        replaced["data"] = orjson.dumps(phone.contents[name][2]).decode()
    parts = [[part, why] for part, why in reading.unread if part == name or part.startswith(f"{name}.")]
    phone.changes.append(
        {
            "handset_id": phone.handset.id,
            "centre_id": phone.handset.centre_id,
            "name": name,
            "at": at,
            "before_at": None if before is None else from_us(before[1]),
            "unread": orjson.dumps(parts).decode() if parts else "[]",
            "data": None,
        }
    )


def _identity_problem(phone: _Phone, reading: Reading) -> str | None:
    """The field that contradicts the registry, also where only the tag of a refused identity is named again."""
    tag = reading.tags.get("identity")
    identity = reading.sections.get("identity")
    if identity is None:
        return "identity" if phone.refused is not None and phone.refused == tag else None
    problem = contradicts(identity, phone.handset.serial, phone.handset.imeis)
    if problem is not None:
        phone.refused = tag
    elif phone.refused == tag:
        phone.refused = None
    return problem


class _News(NamedTuple):
    """The last fields of an `AbsorbedReading`."""

    unread_changed: bool = False
    airplane_changed: bool = False
    returned: bool = False


def _head(phone: _Phone, reading: Reading, agent: AgentRef, at_us: int, now: dt.datetime) -> _News:
    """Make this the newest reading; tell what is new beside its sections."""
    unread, now_us = orjson.dumps(reading.unread).decode() if reading.unread else "[]", to_us(now)
    news = _News(
        unread != phone.unread,
        reading.power.airplane_mode != phone.airplane_mode,
        phone.received_us is None or now_us - phone.received_us >= _LONG_US,
    )
    phone.unread, phone.airplane_mode, phone.received_us = unread, reading.power.airplane_mode, now_us
    phone.at_us, phone.boot_id, phone.uptime_us = at_us, reading.boot_id, reading.uptime_us
    phone.head = (
        at_us, now_us, agent.id, reading.target, reading.grade, reading.boot_id, reading.boot_count,
        reading.uptime_us, *reading.power,
    )  # fmt: skip
    return news


def _told(phone: _Phone) -> list[dict[str, Any]]:
    """The `android_id` of a new identity, if it tells one."""
    if "identity" not in phone.contents:
        return []
    _, at, identity = phone.contents["identity"]
    told, handset = identity.get("android_id"), phone.handset
    if not isinstance(told, str) or not 0 < len(told) <= MAX_SERIAL:
        return []
    whose = {"handset_id": handset.id, "centre_id": handset.centre_id}
    return [{**whose, "android_id": told, "since": at, "replaced": False}]


@dataclass(frozen=True)
class Known:
    """Gateways have read one `android_id` since then, and before it another one where it `replaced` that."""

    since: dt.datetime
    replaced: bool


def known_as(session: Session, handset_id: uuid.UUID, android_id: str) -> Known | None:
    """How gateways know the phone by this `android_id`; None: they read another one last, or none.

    Internal: asks no principal.
    """
    row = store.known(session, handset_id)
    return Known(row.since, row.replaced) if row is not None and row.android_id == android_id else None


def _contents(phone: _Phone) -> list[dict[str, Any]]:
    return [
        {
            "handset_id": phone.handset.id,
            "name": name,
            "centre_id": phone.handset.centre_id,
            "tag": tag,
            "at": at,
            "data": orjson.dumps(data).decode(),
        }
        for name, (tag, at, data) in phone.contents.items()
    ]


def note_sightings(session: Session, agent: AgentRef, readings: Sequence[Reading], now: dt.datetime) -> None:
    """Remember phones that were read and are not registered."""
    rows: dict[str, dict[str, Any]] = {}
    for reading in readings:
        at = dated(now, reading.age_us) or now
        row = rows.setdefault(
            reading.phone,
            {"centre_id": agent.centre_id, "serial": reading.phone, "agent_id": agent.id, "times": 0, "identity": None,
             "first_seen_at": at, "last_seen_at": at},
        )  # fmt: skip
        row["target"] = reading.target
        row["times"] += 1
        row["first_seen_at"], row["last_seen_at"] = (
            min(row["first_seen_at"], at),
            max(row["last_seen_at"], at),
        )
        if "identity" in reading.sections:
            row["identity"] = orjson.dumps(reading.sections["identity"]).decode()
    store.save_sightings(session, [rows[serial] for serial in sorted(rows)])


def note_contacts(
    session: Session,
    agent: AgentRef,
    read: Mapping[str, dt.datetime],
    unreached: Sequence[tuple[Unreached, HandsetRef | None]],
    now: dt.datetime,
) -> None:
    """Bring what is out of reach up to date: `read` maps each target that was read to the last instant.

    A failure without a known age is as old as its gateway's last restart, so it says nothing about now.
    """
    rows: dict[str, dict[str, Any]] = {}
    for entry, handset in unreached:
        at = dated(now, entry.age_us)
        if at is None or (entry.target in read and read[entry.target] >= at):
            continue
        row = rows.get(entry.target)
        if row is None or row["reason"] != entry.reason:
            row = {
                "agent_id": agent.id, "target": entry.target, "centre_id": agent.centre_id, "reason": entry.reason,
                "first_at": at, "last_at": at, "times": 0,
            }  # fmt: skip
            rows[entry.target] = row
        row |= {"serial": entry.phone, "handset_id": handset.id if handset else None}
        row["last_at"], row["times"] = max(at, row["last_at"]), row["times"] + 1
    known = store.failing_targets(session, agent.id) if read else {}
    store.forget_failures(session, agent.id, [t for t, at in known.items() if t in read and read[t] >= at])
    store.save_failures(session, [rows[target] for target in sorted(rows)])


def refused_phones(session: Session, handset_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """The phones among these by whose serial another phone answers at present."""
    return store.refused_phones(session, handset_ids) if handset_ids else set()


def latest_sections(
    session: Session, handset_ids: Collection[uuid.UUID], names: Collection[str]
) -> dict[uuid.UUID, dict[str, Any]]:
    """The newest content of the named sections, only those that there are: handset → section → data."""
    found: dict[uuid.UUID, dict[str, Any]] = {}
    if handset_ids and names:
        for handset_id, name, data in store.sections(session, handset_ids, names):
            found.setdefault(handset_id, {})[name] = orjson.loads(data)
    return found


def told_android_id(session: Session, handset_id: uuid.UUID) -> str | None:
    """What a phone that is called so told last; None: it never did. It changes with a reset and at no other time."""
    told = latest_sections(session, [handset_id], ["identity"]).get(handset_id, {}).get("identity") or {}
    return told.get("android_id") or None


def latest_texts(
    session: Session, handset_ids: Collection[uuid.UUID], names: Collection[str]
) -> dict[uuid.UUID, dict[str, str]]:
    """As `latest_sections`, each as the JSON text that is kept: for whoever hashes it, or needs it for few phones."""
    found: dict[uuid.UUID, dict[str, str]] = {}
    if handset_ids and names:
        for handset_id, name, data in store.sections(session, handset_ids, names):
            found.setdefault(handset_id, {})[name] = data
    return found


def phones_read_by(
    session: Session, agent_id: uuid.UUID, handset_ids: Collection[uuid.UUID]
) -> set[uuid.UUID]:
    """The phones among these whose newest reading came by this agent: it has a way to them."""
    return store.last_read_by(session, agent_id, handset_ids) if handset_ids else set()


def forget_sighting(session: Session, serial: str) -> None:
    """The phone is registered now, so it is no unknown one any more, wherever it was seen."""
    store.forget_sighting(session, serial)
