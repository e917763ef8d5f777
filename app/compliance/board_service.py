"""Puts together the board of verdicts and one phone's page."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.compliance import board_store as store
from app.compliance.board_rules import (
    NO_SEVERITY,
    OPEN,
    BoardLine,
    Cut,
    Figures,
    FoundLine,
    Wanted,
    by_finding,
    cut,
    figures,
    filtered,
    shows,
)
from app.compliance.finding_words import subject_words, title_of
from app.compliance.rules import Status
from app.compliance.service import SUBJECT
from app.kernel.tenancy import Principal
from app.kernel.texts import model_name
from app.labels import labels_among
from app.policy import Policy, PolicyFiles, effective_many
from app.registry import holders_of

_BRIEFLY = 3


@dataclass(frozen=True)
class Brief:
    """One of a phone's gravest findings, in a few words."""

    status: str
    title: str
    about: str


@dataclass(frozen=True)
class PhoneBoard:
    """`briefs`: for the phones of the page."""

    figures: Figures
    shown: Cut[BoardLine]
    briefs: Mapping[uuid.UUID, Sequence[Brief]]


@dataclass(frozen=True)
class FindingBoard:
    figures: Figures
    shown: Cut[FoundLine]


def board(
    session: Session, principal: Principal, wanted: Wanted, policies: PolicyFiles, now: dt.datetime
) -> PhoneBoard:
    """One page of phones, and the figures of all. What only a page shows is asked for that page alone."""
    lines = _lines(session, principal, wanted.centre_id, policies, now)
    counted = figures(lines)
    found = _found(session, principal, lines, wanted, now)
    page = cut(found, wanted.page)
    page = replace(page, rows=_with_people(session, principal, page.rows, now))
    return PhoneBoard(counted, page, _briefs(session, principal, page.rows, policies))


def finding_board(
    session: Session, principal: Principal, wanted: Wanted, policies: PolicyFiles, now: dt.datetime
) -> FindingBoard:
    """One page of findings with how many phones show each."""
    lines = _lines(session, principal, wanted.centre_id, policies, now)
    counted = figures(lines)
    rows = store.findings(session, principal, [line.id for line in lines if _shows_any(line)])
    found = by_finding((orjson.loads(row.findings) for row in rows), wanted, title_of)
    return FindingBoard(counted, cut(found, wanted.page))


def export_lines(
    session: Session, principal: Principal, wanted: Wanted, policies: PolicyFiles, now: dt.datetime
) -> Iterator[tuple[BoardLine, Sequence[Mapping[str, Any]]]]:
    """Every phone that fits with its stored findings, in the order asked for."""
    lines = _lines(session, principal, wanted.centre_id, policies, now)
    found = _with_people(session, principal, _found(session, principal, lines, wanted, now), now)
    stored = {
        row.handset_id: row.findings for row in store.findings(session, principal, [f.id for f in found])
    }
    for line in found:
        yield line, orjson.loads(stored.get(line.id, "[]"))


def _briefs(
    session: Session, principal: Principal, lines: Sequence[BoardLine], policies: PolicyFiles
) -> dict[uuid.UUID, list[Brief]]:
    labels = labels_among(session, policies, {line.centre_id for line in lines})
    found = {}
    for row in store.findings(session, principal, [line.id for line in lines if _shows_any(line)]):
        kept = [f for f in orjson.loads(row.findings) if f["status"] in OPEN][:_BRIEFLY]
        found[row.handset_id] = [
            Brief(
                f["status"],
                title_of(f["code"]),
                subject_words(f["subject"], f["evidence"].get("label"), labels),
            )
            for f in kept
        ]
    return found


def _found(
    session: Session, principal: Principal, lines: Sequence[BoardLine], wanted: Wanted, now: dt.datetime
) -> list[BoardLine]:
    having = None
    if wanted.code:
        ids = [line.id for line in lines if _shows_any(line)]
        having = {
            row.handset_id
            for row in store.findings(session, principal, ids, code=wanted.code)
            if shows(orjson.loads(row.findings), wanted.code, wanted.subject)
        }
    if wanted.text or wanted.sort.removeprefix("-") == "post":
        lines = _with_people(session, principal, lines, now)
    return filtered(lines, wanted, having)


def _shows_any(line: BoardLine) -> bool:
    return bool(line.failed or line.unsure or line.grace or line.exempt)


def _lines(
    session: Session,
    principal: Principal,
    centre_id: uuid.UUID | None,
    policies: PolicyFiles,
    now: dt.datetime,
) -> list[BoardLine]:
    rows = store.phones(session, principal, centre_id)
    holding = effective_many(session, policies, SUBJECT, {row.centre_id for row in rows})
    return [_line(row, holding, now) for row in rows]


def _line(row: Row[Any], holding: Mapping[uuid.UUID, Policy], now: dt.datetime) -> BoardLine:
    judged = row.judged_at is not None
    stale = row.policy_sha256 != holding[row.centre_id].sha256 or (
        row.due_at is not None and row.due_at <= now
    )
    return BoardLine(
        id=row.id,
        centre_id=row.centre_id,
        centre=row.name,
        tag=row.asset_tag,
        serial=row.serial,
        model=model_name(row.brand, row.model),
        status=row.status if judged else Status.UNKNOWN.value,
        failed=row.failed or 0,
        unsure=row.unsure or 0,
        grace=row.grace or 0,
        exempt=row.exempt or 0,
        worst=row.worst_severity if judged else NO_SEVERITY,
        at=row.judged_at,
        changed_at=row.changed_at,
        waits=judged and stale,
    )


def _with_people(
    session: Session, principal: Principal, lines: Sequence[BoardLine], now: dt.datetime
) -> list[BoardLine]:
    holders = holders_of(session, principal, [line.id for line in lines], now)
    return [
        replace(line, post=holder.post_name, person=holder.employee_name or "")
        if (holder := holders.get(line.id)) is not None
        else line
        for line in lines
    ]
