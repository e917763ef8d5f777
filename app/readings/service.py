"""Takes readings in: what is newest, what changed, what must be asked for."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.kernel.db import to_us
from app.readings import store
from app.readings.rules import (
    AbsorbedReading,
    AgentRef,
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


@dataclass
class _Phone:
    """One phone's row while a batch is folded into it."""

    row: dict[str, Any]
    known: dict[str, list[Any]]
    contents: dict[str, tuple[str, dt.datetime, Any]] = field(default_factory=dict)


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
    phones = _load(session, {handset.id: handset.centre_id for _, handset in readings})
    for index in _in_time(readings):
        reading, handset = readings[index]
        _fold(result, phones[handset.id], index, reading, handset, agent, now)
    store.save_states(session, [_row(phone) for phone in phones.values()])
    store.save_sections(session, [row for phone in phones.values() for row in _contents(phone)])
    return result


def _in_time(readings: Sequence[tuple[Reading, HandsetRef]]) -> list[int]:
    """Oldest first; undated ones before all."""
    ages = [reading.age_us for reading, _ in readings]
    return sorted(range(len(ages)), key=lambda i: float("-inf") if ages[i] is None else -ages[i])  # type: ignore[operator]


def _load(session: Session, wanted: Mapping[uuid.UUID, uuid.UUID]) -> dict[uuid.UUID, _Phone]:
    found = store.lock_states(session, wanted)
    return {i: _Phone(dict(row._mapping), orjson.loads(row.tags)) for i, row in found.items()}


def _fold(
    result: Absorption, phone: _Phone, index: int, reading: Reading, handset: HandsetRef, agent: AgentRef,
    now: dt.datetime,
) -> None:  # fmt: skip
    phone.row["centre_id"] = handset.centre_id  # of today: the phone may have moved
    problem = _identity_problem(phone, reading, handset)
    if problem is not None:
        result.refused.append((index, "identity_mismatch", f"{problem} is not that of the registered phone"))
        if "identity" not in reading.sections:
            result.wanted[reading.phone] = ["identity"]
        return
    at = dated(now, reading.age_us)
    changed: dict[str, Any] = {}
    unread_changed = False
    if at is not None:
        merge = merge_tags(phone.known, reading.tags, reading.sections, to_us(at))
        phone.known = merge.known
        for name in merge.fresh:
            changed[name] = reading.sections[name]
            phone.contents[name] = (reading.tags[name], at, changed[name])
        row = phone.row
        if supersedes(at, reading.boot_id, reading.uptime_us, row["at"], row["boot_id"], row["uptime_us"]):
            unread_changed = _head(row, reading, agent, at, now)
            # Only the newest reading's wants count: what an older one lacked may have come since.
            result.wanted[reading.phone] = merge.wanted
    result.absorbed.append(
        AbsorbedReading(
            handset.id, handset.centre_id, at, reading.boot_id, reading.boot_count, reading.uptime_us,
            reading.grade, agent.id, changed, reading.unread, reading.tags, unread_changed,
        )
    )  # fmt: skip


def _identity_problem(phone: _Phone, reading: Reading, handset: HandsetRef) -> str | None:
    """The field that contradicts the registry, also where only the tag of a refused identity is named again."""
    tag = reading.tags.get("identity")
    identity = reading.sections.get("identity")
    if identity is None:
        refused = phone.row["refused_identity"]
        return "identity" if refused is not None and refused == tag else None
    problem = contradicts(identity, handset.serial, handset.imeis)
    if problem is not None:
        phone.row["refused_identity"] = tag
    elif phone.row["refused_identity"] == tag:
        phone.row["refused_identity"] = None
    return problem


def _head(row: dict[str, Any], reading: Reading, agent: AgentRef, at: dt.datetime, now: dt.datetime) -> bool:
    """Make this the newest reading; True when other parts than before could not be read."""
    unread = orjson.dumps(reading.unread).decode()
    changed = bool(unread != row["unread"])
    row.update(
        at=at,
        received_at=now,
        agent_id=agent.id,
        target=reading.target,
        grade=reading.grade,
        boot_id=reading.boot_id,
        boot_count=reading.boot_count,
        uptime_us=reading.uptime_us,
        unread=unread,
        **reading.power._asdict(),
    )
    return changed


def _row(phone: _Phone) -> dict[str, Any]:
    phone.row["tags"] = orjson.dumps(phone.known).decode()
    return phone.row


def _contents(phone: _Phone) -> list[dict[str, Any]]:
    row = phone.row
    return [
        {
            "handset_id": row["handset_id"],
            "name": name,
            "centre_id": row["centre_id"],
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


def latest_sections(
    session: Session, handset_ids: Collection[uuid.UUID], names: Collection[str]
) -> dict[uuid.UUID, dict[str, Any]]:
    """The newest content of the named sections, only those that there are: handset → section → data."""
    found: dict[uuid.UUID, dict[str, Any]] = {}
    if handset_ids and names:
        for handset_id, name, data in store.sections(session, handset_ids, names):
            found.setdefault(handset_id, {})[name] = orjson.loads(data)
    return found


def phones_read_by(
    session: Session, agent_id: uuid.UUID, handset_ids: Collection[uuid.UUID]
) -> set[uuid.UUID]:
    """The phones among these whose newest reading came by this agent: it has a way to them."""
    return store.last_read_by(session, agent_id, handset_ids) if handset_ids else set()


def forget_sighting(session: Session, serial: str) -> None:
    """The phone is registered now, so it is no unknown one any more, wherever it was seen."""
    store.forget_sighting(session, serial)
