"""A centre's month: phones at posts, people who hold them, incidents with their strikes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.allowance.closing import close_month, preview
from app.allowance.model import AllowanceMonth
from app.allowance.tools import Tools
from app.incidents.model import Incident, IncidentStrike
from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM, Principal
from app.registry.model import Handset, Post
from app.registry.ties import KitAssignment, PostHolding

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONTH = "2026-10"


def at(text: str) -> dt.datetime:
    """`2026-10-03 09:00` in Shanghai."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


class World:
    """Writes into an open session what other rooms would have written."""

    def __init__(self, session: Session, org: Any, now: dt.datetime, tools: Tools) -> None:
        self.session, self.org, self.now, self.tools = session, org, now, tools
        self.stamp = {"created_at": now, "updated_at": now}

    def add(self, row: Any) -> uuid.UUID:
        self.session.add(row)
        self.session.flush()
        found: uuid.UUID = row.id
        return found

    def post(self, code: str) -> uuid.UUID:
        org = self.org
        return self.add(
            Post(centre_id=org.centre, grid_id=org.grid, code=code, name=f"{code} 管家", **self.stamp)
        )

    def phone(self, post: uuid.UUID, start: str, end: str | None = None) -> uuid.UUID:
        name = uuid.uuid4().hex[:8]
        handset = self.add(
            Handset(
                centre_id=self.org.centre, asset_tag=name, serial=name, brand="Redmi", model="Note",
                specification={}, **self.stamp,
            )
        )  # fmt: skip
        self.add(KitAssignment(post_id=post, handset_id=handset, **self.span(start, end)))
        return handset

    def holds(self, post: uuid.UUID, employee: uuid.UUID, start: str, end: str | None = None) -> uuid.UUID:
        return self.add(PostHolding(post_id=post, employee_id=employee, **self.span(start, end)))

    def span(self, start: str, end: str | None) -> dict[str, Any]:
        return {
            "centre_id": self.org.centre,
            "valid_from": at(start),
            "valid_to": at(end) if end else None,
            **self.stamp,
        }

    def incident(
        self, handset: uuid.UUID, employee: uuid.UUID, when: str, status: str = "confirmed"
    ) -> Incident:
        """One that gives a strike when it is confirmed, and waits when it is suspected or undecided."""
        row = Incident(
            centre_id=self.org.centre, handset_id=handset, kind="b", status=status, state="ruled", start_at=at(when),
            end_at=at(when), employee_id=employee, answers=str(employee), month=when[:7], hits=[], off=[],
            strikes=int(status == "confirmed"), inputs_sha256="0" * 64, policy_version=1, policy_sha256="0" * 64,
            policy_body={}, opened_at=self.now, changed_at=self.now,
        )  # fmt: skip
        self.add(row)
        if status == "confirmed":
            self.add(
                IncidentStrike(
                    incident_id=row.id, handset_id=handset, centre_id=self.org.centre, at=at(when),
                    employee_id=employee, answers=str(employee), month=when[:7],
                )
            )  # fmt: skip
        return row

    def refute(self, incident: Incident) -> None:
        """As a decision does: the strike counts no more."""
        incident.status = "refuted"
        for strike in self.session.query(IncidentStrike).filter_by(incident_id=incident.id):
            self.session.delete(strike)
        self.session.flush()

    def close(
        self,
        month: str = MONTH,
        principal: Principal = SYSTEM,
        centre: uuid.UUID | None = None,
        seen: str = "",
    ) -> AllowanceMonth:
        where = centre or self.org.centre
        sheet, _ = preview(self.session, SYSTEM, self.tools, where, month)
        return close_month(
            self.session, principal, self.tools, where, month, seen=seen or sheet.sha256, now=self.now
        )


@pytest.fixture
def tools(app: Flask) -> Tools:
    made = app.extensions["butler"]
    return Tools(made.policies, made.blobs)


@pytest.fixture
def world(session: Session, org: Any, clock: Any, tools: Tools) -> World:
    return World(session, org, clock.now(), tools)


@pytest.fixture
def kept(app: Flask, org: Any, clock: Any, tools: Tools) -> Callable[[Callable[[World], Any]], Any]:
    """`kept(lambda world: …)`: write something in a transaction of its own and commit it, for tests over HTTP."""

    def run(write: Callable[[World], Any]) -> Any:
        with app.app_context():
            session = begin_write(db.session())
            found = write(World(session, org, clock.now(), tools))
            session.commit()
            db.session.remove()
        return found

    return run
