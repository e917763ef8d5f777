"""A phone with a life, and what it left behind in each room, for tests of its rulings."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.dialling import DialCall, DialTest
from app.duty.model import Delegation, Excuse
from app.incidents import Incident, export_trace, settle_due, settle_phone
from app.incidents.model import IncidentChange, IncidentStrike
from app.kernel.clock import FixedClock
from app.kernel.tenancy import Principal
from app.registry import Household, KitAssignment, Number, Post, PostHolding
from app.reports.model import CustomerReport
from app.runtime import runtime
from app.uptime import AbsorbedJournal, absorb_journals, absorb_readings, limits_of, queue_settling
from app.uptime.dossier import read_trace
from app.uptime.model import SettleQueue
from app.uptime.replay import replay
from tests.app.conftest import START, Org
from tests.app.uptime.support import AGENT, reading

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def at(hours: float) -> dt.datetime:
    """Hours after the tests' start."""
    return START + hours * HOUR


def boot(number: int) -> str:
    return str(uuid.UUID(int=0xB007 << 64 | number))


class Phone:
    """One handset of the first centre. Hours are counted from `START`; `settle` moves the clock."""

    def __init__(self, session: Session, org: Org, clock: FixedClock, handset_id: uuid.UUID) -> None:
        self.session, self.org, self.clock, self.id = session, org, clock, handset_id

    def reads(
        self, number: int, hour: float, since: float, *, count: int | None = None, grade: str = "gateway"
    ) -> None:
        """A reading at `hour` of the boot that began at `since`."""
        up = round((hour - since) * 3_600_000_000)
        told = reading(
            self.id, self.org.centre, boot(number), at(hour), up, count=count or 40 + number, grade=grade
        )
        absorb_readings(self.session, [told])

    def journal(
        self, number: int, collected: float, up_hours: float, end: str, grade: str = "gateway"
    ) -> None:
        up = round(up_hours * 3_600_000_000)
        one = AbsorbedJournal(
            self.id,
            self.org.centre,
            at(collected),
            boot(number),
            40 + number,
            up,
            end,
            grade,
            AGENT,  # type: ignore[arg-type]
        )
        absorb_journals(self.session, [one])

    def was_off(self, start: float, end: float, number: int = 1) -> None:
        """Proved: a boot from two hours before that shuts down at `start`, the next one from `end`, read later."""
        self.reads(number, start - 1, start - 2)
        self.reads(number + 1, end + 0.5, end)
        self.journal(number, end + 0.5, 2, "shutdown")

    def _number(self) -> uuid.UUID:
        found = self.session.scalar(select(Number.id))
        if found is not None:
            return found
        row = Number(centre_id=self.org.centre, e164="+8613800000000", created_at=START, updated_at=START)
        self.session.add(row)
        self.session.flush()
        return row.id

    def dialled(self, hour: float, result: str = "powered_off", by: str = "caller") -> None:
        call = DialCall(
            centre_id=self.org.centre, handset_id=self.id, source="drawn", priority=9, cause="lot", state="done",
            opened_at=at(hour), ended_at=at(hour),
        )  # fmt: skip
        self.session.add(call)
        self.session.flush()
        self.session.add(
            DialTest(
                centre_id=self.org.centre, handset_id=self.id, at=at(hour), recorded_at=at(hour), result=result,
                by=by, post_id=self.org.post, e164="+8613800000000", number_id=self._number(), call_id=call.id,
                reason="",
            )
        )  # fmt: skip
        self.session.flush()
        queue_settling(self.session, {self.id: self.org.centre}, at(hour))

    def reported(self, hour: float, room: str = "1-101") -> None:
        home = Household(
            centre_id=self.org.centre, grid_id=self.org.grid, room=room, created_at=START, updated_at=START
        )
        self.session.add(home)
        self.session.flush()
        self.session.add(
            CustomerReport(
                centre_id=self.org.centre, post_id=self.org.post, grid_id=self.org.grid, room=room, said="",
                when_said="now", received_at=at(hour), matched="one", household_id=home.id, handset_id=self.id,
                state="confirmed", called_at=at(hour), quiet_hours=24,
            )
        )  # fmt: skip
        self.session.flush()
        queue_settling(self.session, {self.id: self.org.centre}, at(hour))

    def held_by(self, employee: uuid.UUID, start: float = -2000, end: float | None = None) -> PostHolding:
        if self.session.scalar(select(KitAssignment).where(KitAssignment.handset_id == self.id)) is None:
            kit = {"handset_id": self.id, "post_id": self.org.post, "valid_from": at(-2000)}
            self.session.add(
                KitAssignment(centre_id=self.org.centre, created_at=at(-1), updated_at=at(-1), **kit)
            )
        row = PostHolding(
            centre_id=self.org.centre, post_id=self.org.post, employee_id=employee, valid_from=at(start),
            valid_to=None if end is None else at(end), created_at=at(-1), updated_at=at(-1),
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()
        return row

    def excused(self, start: float, end: float, reason: str = "repair") -> Excuse:
        row = Excuse(
            centre_id=self.org.centre, handset_id=self.id, reason=reason, starts_at=at(start), ends_at=at(end),
            state="approved", note="修", filed_by="x", filed_at=at(start), decided_by="y", decided_at=at(start),
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()
        return row

    def delegated(self, to: uuid.UUID, start: float, end: float) -> None:
        other = Post(
            centre_id=self.org.centre, grid_id=self.org.grid, code=f"P{uuid.uuid4().hex[:6]}", name="夜班岗",
            created_at=START, updated_at=START,
        )  # fmt: skip
        self.session.add(other)
        self.session.flush()
        self.session.add(
            Delegation(
                centre_id=self.org.centre, handset_id=self.id, from_post_id=self.org.post, giver_id=self.org.zhang,
                to_post_id=other.id, delegate_id=to, starts_at=at(start), ends_at=at(end), force_from=at(start),
                force_to=at(end), state="accepted", note="", created_by="x", created_at=at(start), answered_by="y",
                answered_at=at(start),
            )
        )  # fmt: skip
        self.session.flush()

    def settle(self, hour: float) -> None:
        self.clock.set(at(hour))
        settle_phone(self.session, self.id, self.org.centre, at(hour), runtime().policies)

    def run_job(self, hour: float) -> int:
        self.clock.set(at(hour))
        return settle_due(self.session, at(hour), runtime().policies)

    def incidents(self, *, gone: bool = False) -> list[Incident]:
        query = select(Incident).where(Incident.handset_id == self.id).order_by(Incident.start_at)
        rows = self.session.scalars(query.execution_options(populate_existing=True)).all()
        return [row for row in rows if gone or row.gone_at is None]

    def one(self) -> Incident:
        (row,) = self.incidents()
        return row

    def strikes(self) -> list[IncidentStrike]:
        query = select(IncidentStrike).where(IncidentStrike.handset_id == self.id)
        return list(self.session.scalars(query.order_by(IncidentStrike.at)))

    def changes(self, incident: Incident | None = None) -> list[IncidentChange]:
        row = incident or self.one()
        query = select(IncidentChange).where(IncidentChange.incident_id == row.id)
        return list(self.session.scalars(query.order_by(IncidentChange.at, IncidentChange.id)))

    def due(self) -> tuple[dt.datetime, bool]:
        row = self.session.get_one(SettleQueue, self.id, populate_existing=True)
        return row.due_at, row.waits

    def forget_queue(self) -> None:
        self.session.execute(update(SettleQueue).values(due_at=at(100_000)))

    def replayed(self, hour: float) -> dict[str, Any]:
        """What `flask uptime replay` says of the exported trace."""
        return replayed(export_trace(self.session, runtime().policies, [self.id], at(hour)))


def replayed(trace: bytes) -> dict[str, Any]:
    files = runtime().policies
    company = files.latest("uptime")

    def problems(body: Any) -> list[str]:
        return files.problems_over("uptime", [body])

    gathered = read_trace(trace.splitlines(), problems)
    assert gathered.override is not None
    limits = limits_of({**company.body, **gathered.override.body()})
    told: dict[str, Any] = json.loads(json.dumps(replay(gathered, limits, {})))
    return told


def staff(role: str, org: Org, user: str, employee: uuid.UUID | None = None) -> Principal:
    centre = frozenset({org.centre})
    return Principal(user, frozenset({role}), centre, employee, frozenset({(role, org.centre)}))
