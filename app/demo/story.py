"""What happened to the demo's phones in the last two weeks: told through the rooms' own services, at instants that lie
in the past, so that a newcomer finds every kind of incident, one to decide, and a month to close.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.dialling import CallState, add_call, call_lines, record_result
from app.duty import Filed, Wanted, accept, approve, file_excuse, propose
from app.incidents import settle_phone
from app.kernel.ids import new_id
from app.kernel.tenancy import Principal
from app.people import principal_of, users_with
from app.policy import PolicyFiles
from app.readings import AbsorbedReading
from app.reports import confirm, list_reports, make_missing, receive, report_code, take_reports
from app.uptime import AbsorbedJournal, absorb_journals, absorb_readings

_SHANGHAI = dt.timezone(dt.timedelta(hours=8))
_FIRST_BOOT_COUNT = 10
_DAYS = 20
_ENDS_BEFORE = dt.timedelta(hours=4)
"""The simulated phones' own boots begin later than this before now."""


@dataclass(frozen=True)
class Off:
    """A phone was off; `marked`: its journal saw the shutdown, else it lost power."""

    start: dt.datetime
    end: dt.datetime
    marked: bool = True


Act = Callable[[dt.datetime], object]


@dataclass
class Story:
    """`kits`: handset and post of each place of the demo that has both."""

    session: Session
    centre: uuid.UUID
    policies: PolicyFiles
    now: dt.datetime
    kits: Sequence[tuple[uuid.UUID, uuid.UUID]]

    def __post_init__(self) -> None:
        self._agent = new_id()  # of a gateway that was there before the demo's own

    def tell(self) -> int:
        """Returns how many phones it is about."""
        plots = [self._quiet, self._two_nights_off, self._empty_battery, self._night_nobody_tested]
        plots += [self._called_while_on, self._in_repair]
        later: list[tuple[dt.datetime, Act]] = []
        for place, plot in enumerate(plots[: len(self.kits)]):
            offs, acts = plot(place)
            self._live(self.kits[place][0], offs)
            later += acts
        for at, act in sorted(later, key=lambda one: one[0]):
            act(at)
        told = self.kits[: len(plots)]
        for handset, _ in told:
            settle_phone(self.session, handset, self.centre, self.now, self.policies)
        return len(told)

    def _at(self, days: int, hour: int, minute: int = 0) -> dt.datetime:
        day = self.now.astimezone(_SHANGHAI).date() - dt.timedelta(days=days)
        return dt.datetime.combine(day, dt.time(hour, minute), _SHANGHAI)

    def _live(self, handset: uuid.UUID, offs: Sequence[Off]) -> None:
        """The phone's boots as an agent would have read them: at their beginning and at their end."""
        begun, count = self._at(_DAYS, 8), _FIRST_BOOT_COUNT
        for off in [*offs, None]:
            end = off.start if off else self.now - _ENDS_BEFORE
            boot_id = str(uuid.uuid4())
            reads = (begun + dt.timedelta(minutes=4), end - dt.timedelta(minutes=7))
            absorb_readings(self.session, [self._reading(handset, at, begun, boot_id, count) for at in reads])
            if off is not None:
                self._journal(handset, off, begun, boot_id, count)
                begun, count = off.end, count + 1

    def _reading(
        self, handset: uuid.UUID, at: dt.datetime, begun: dt.datetime, boot_id: str, count: int
    ) -> AbsorbedReading:
        uptime = (at - begun) // dt.timedelta(microseconds=1)
        return AbsorbedReading(
            handset, self.centre, at, boot_id, count, uptime, "gateway", self._agent, {}, (), {}, False
        )

    def _journal(self, handset: uuid.UUID, off: Off, begun: dt.datetime, boot_id: str, count: int) -> None:
        collected = off.end + dt.timedelta(minutes=4)
        uptime = (off.start - begun) // dt.timedelta(microseconds=1)
        journal = AbsorbedJournal(
            handset, self.centre, collected, boot_id, count, uptime, "shutdown" if off.marked else "open",
            "gateway", self._agent,
        )  # fmt: skip
        absorb_journals(self.session, [journal])

    def _quiet(self, place: int) -> tuple[list[Off], list[tuple[dt.datetime, Act]]]:
        return [], [(self._at(3, 10, 20), self._dials(place, "answered"))]

    def _two_nights_off(self, place: int) -> tuple[list[Off], list[tuple[dt.datetime, Act]]]:
        """Two nights off and tested: the allowance of that month is lost."""
        offs = [Off(self._at(12, 22), self._at(11, 7, 30)), Off(self._at(5, 21), self._at(4, 8))]
        calls = [(self._at(12, 23, 10), "powered_off"), (self._at(5, 22, 5), "powered_off")]
        return offs, [(at, self._dials(place, result)) for at, result in calls]

    def _empty_battery(self, place: int) -> tuple[list[Off], list[tuple[dt.datetime, Act]]]:
        """The journal just stops, and a household did not get through: nothing proves it, so the lead decides."""
        offs = [Off(self._at(8, 15), self._at(8, 18), marked=False)]
        return offs, [(self._at(8, 16, 30), self._reports(place))]

    def _night_nobody_tested(self, place: int) -> tuple[list[Off], list[tuple[dt.datetime, Act]]]:
        return [Off(self._at(9, 23), self._at(8, 6, 30))], []

    def _called_while_on(self, place: int) -> tuple[list[Off], list[tuple[dt.datetime, Act]]]:
        """A call that said "powered off" is refuted by the phone itself; one night it was entrusted."""
        acts: list[tuple[dt.datetime, Act]] = [(self._at(6, 10), self._dials(place, "powered_off"))]
        if len(self.kits) > 1:
            acts.append((self._at(2, 17), self._entrusts(place, 0)))
        return [], acts

    def _in_repair(self, place: int) -> tuple[list[Off], list[tuple[dt.datetime, Act]]]:
        acts: list[tuple[dt.datetime, Act]] = [
            (self._at(7, 8, 30), self._repairs(place, self._at(7, 9), self._at(7, 18))),
            (self._at(7, 11, 15), self._dials(place, "powered_off")),
        ]
        return [Off(self._at(7, 10), self._at(7, 17))], acts

    def _dials(self, place: int, result: str) -> Act:
        handset = self.kits[place][0]

        def act(at: dt.datetime) -> None:
            who = self._one_with("operations")
            add_call(self.session, who, handset, at)
            for line in call_lines(self.session, who, policies=self.policies, now=at):
                if line.call.handset_id == handset and line.call.state == CallState.OPEN and line.number_id:
                    record_result(self.session, who, line.call.id, line.number_id, result, at)

        return act

    def _reports(self, place: int) -> Act:
        handset, post = self.kits[place]

        def act(at: dt.datetime) -> None:
            who = self._one_with("operations")
            make_missing(self.session, who, self.centre, at)
            receive(
                self.session, code=report_code(self.session, post) or "", form_key=str(uuid.uuid4()),
                room=f"{place + 1}-101", said="打了两次都是关机", when_said="now", policies=self.policies, now=at,
            )  # fmt: skip
            take_reports(self.session, self.policies, at)
            later = at + dt.timedelta(hours=1)
            for report in list_reports(self.session, who, handset_id=handset).items:
                if report.household_id is not None:
                    confirm(
                        self.session, who, report.id, household_id=report.household_id, called_at=at,
                        reason="电话回访，属实", policies=self.policies, now=later,
                    )  # fmt: skip

        return act

    def _entrusts(self, place: int, to: int) -> Act:
        handset, to_post = self.kits[place][0], self.kits[to][1]

        def act(at: dt.datetime) -> None:
            wanted = Wanted(
                handset, to_post, at + dt.timedelta(hours=1), at + dt.timedelta(hours=15), "晚间休息"
            )
            desk = self._one_with("operations")
            row = propose(self.session, desk, wanted, policies=self.policies, now=at)
            later = at + dt.timedelta(minutes=20)
            accept(self.session, self._one_with("lead"), row.id, answer="电话里同意", now=later)

        return act

    def _repairs(self, place: int, start: dt.datetime, end: dt.datetime) -> Act:
        handset = self.kits[place][0]

        def act(at: dt.datetime) -> None:
            filed = Filed(handset, "repair", start, end, "换电池")
            desk = self._one_with("operations")
            row = file_excuse(self.session, desk, filed, policies=self.policies, now=at)
            if row.state == "pending":
                approve(self.session, self._one_with("lead"), row.id, note="同意", now=at)

        return act

    def _one_with(self, role: str) -> Principal:
        """The demo's user with that role. His rights begin today, so he is asked as of today."""
        found = users_with(self.session, self.centre, role, at=self.now)
        return principal_of(self.session, found[0], self.now)
