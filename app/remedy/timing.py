"""What time brings: the ladder's next step, orders of which nothing is heard, readings that prove a removal."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.compliance import changed_since
from app.kernel.clock import Clock
from app.kernel.jobs import Transactions
from app.readings import confirmed_at
from app.registry import Handset
from app.remedy import store
from app.remedy.following import JUDGED_ANEW, leave, standing_of, take_phone, taken
from app.remedy.hearing import read_again
from app.remedy.identity import PACKAGES, expect_of, ordered_for
from app.remedy.model import RemedyCase
from app.remedy.ordering import order_by_policy
from app.remedy.rules import REMOVED_BY, Standing, step_at
from app.remedy.shifting import shift
from app.remedy.standing import Judged, judged
from app.remedy.states import Event, State
from app.remedy.telling import holders, local_time, tell_holders, tell_leads
from app.remedy.tools import Tools, body_of, span_of

PHONES, BUDGET_S = 50, 15.0
"""Taken in one transaction, so that no write lasts long; and how long one run goes on."""
LAG = dt.timedelta(seconds=30)
"""A verdict of a transaction that began earlier may become visible later: so far back it is looked again."""
_AGAIN = dt.timedelta(seconds=15)


Place = tuple[dt.datetime, uuid.UUID | None]
"""A place in the order of changes: the last one that was taken."""


def follow_all(
    transactions: Transactions,
    clock: Clock,
    tools: Tools,
    *,
    budget_s: float = BUDGET_S,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Take all phones whose verdict changed since the last run, some a transaction; how many.

    Between two it rests for as long as the last one took, so that on SQLite others come to write.
    """
    place: Place | None = None

    def batch(session: Session) -> int:
        nonlocal place
        number, place = follow(session, tools, clock.now(), place)
        return number

    return _in_batches(transactions, batch, budget_s, pause)


def sweep_all(
    transactions: Transactions,
    clock: Clock,
    tools: Tools,
    *,
    budget_s: float = BUDGET_S,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Move all that time moves, in the same way."""
    return _in_batches(transactions, lambda session: sweep(session, tools, clock.now()), budget_s, pause)


def _in_batches(
    transactions: Transactions,
    batch: Callable[[Session], int],
    budget_s: float,
    pause: Callable[[float], None],
) -> int:
    begun, count = time.monotonic(), 0
    while True:
        started = time.monotonic()
        with transactions() as session:
            number = batch(session)
        count += number
        if number < PHONES or time.monotonic() - begun > budget_s:
            return count
        pause(time.monotonic() - started)


def follow(session: Session, tools: Tools, now: dt.datetime, since: Place | None = None) -> tuple[int, Place]:
    """One batch: how many, and where the next one begins. What is kept for the next run stays behind the present."""
    kept = store.cursor(session)
    at, after_id = since or kept
    rows = changed_since(session, at, after_id, PHONES)
    if not rows:
        return 0, (at, after_id)
    ids = [row.handset_id for row in rows]
    taken(session, tools, ids, judged(session, ids), now)
    place: Place = (rows[-1].changed_at, rows[-1].handset_id)
    horizon = now - LAG
    if place[0] <= horizon:
        store.set_cursor(session, *place)
    elif kept[0] < horizon:
        store.set_cursor(session, horizon, None)
    return len(ids), place


def sweep(session: Session, tools: Tools, now: dt.datetime) -> int:
    """Move what time moves, by the newest verdict of its phone."""
    gone = list(store.of_phones_gone(session, PHONES))
    leave(session, tools, gone, now)
    over = store.resting_over(session, now, PHONES)
    ids = list(dict.fromkeys([*store.due_phones(session, now, PHONES), *over]))
    found, phones = judged(session, ids), store.phones(session, ids)
    here = _Round(session, tools, now)
    for handset_id in ids:
        here.look(phones[handset_id], found[handset_id])
    for handset_id in over:
        store.end_rests(session, handset_id, now)
    for centre_id, cases in here.leads.items():
        tell_leads(session, centre_id, cases, now)
    return len(ids) + len(gone)


@dataclass
class _Round:
    session: Session
    tools: Tools
    now: dt.datetime
    leads: dict[uuid.UUID, list[RemedyCase]] = field(default_factory=lambda: defaultdict(list))

    def look(self, phone: Handset, one: Judged) -> None:
        if body_of(self.session, self.tools, phone.centre_id)["automatic"]:
            # In the order in which an order that leaves takes its locks.
            store.lock_centre(self.session, phone.centre_id)
        take_phone(self.session, self.tools, phone, one, self.now)
        anew = []
        for case in store.open_of(self.session, [phone.id]):
            if case.due_at is None or case.due_at > self.now:
                continue
            if self._step(case, one):
                anew.append(case)
        if anew:
            tell_holders(self.session, self.tools, phone, anew, self.now)
        known = phone.retired_at is not None or one.centre_id == phone.centre_id
        store.look_again(self.session, phone.id, self.now, None if known else self.now + JUDGED_ANEW)

    def _step(self, case: RemedyCase, one: Judged) -> bool:
        """Whether its holder is to be told, because another one has the phone now."""
        state = State(case.state)
        if state in (State.EARLY, State.TOLD_BUTLER, State.TOLD_LEAD):
            return self._ladder(case, standing_of(one, case))
        if state == State.ORDERED:
            self._stop(case, "expired")
        elif state == State.REMOVING:
            self._stop(case, "unclear")
            read_again(self.session, case, self.now)
        elif state == State.CHECKING:
            self._check(case, standing_of(one, case))
        elif state == State.RESTORING:
            shift(self.session, self.tools, case, Event.KEEP, self.now, say="没有网关的回音")
        return False

    def _stop(self, case: RemedyCase, why: str) -> None:
        shift(self.session, self.tools, case, Event.STOP, self.now, why=why)

    def _ladder(self, case: RemedyCase, status: Standing) -> bool:
        session, now = self.session, self.now
        body = body_of(session, self.tools, case.centre_id)
        if status is Standing.UNKNOWN:
            since = case.unknown_since or now
            until = since + span_of(body, "unknown_hours")
            if now >= until:
                shift(session, self.tools, case, Event.ASK, now, why="unread")
            else:
                store.write(session, case, due_at=until)
            return False
        if case.state == State.EARLY or case.failing_since is None:
            store.write(session, case, due_at=None)
            return False
        if case.state == State.TOLD_BUTLER:
            return self._lead(case, case.failing_since)
        due = step_at(body, case.severity, case.failing_since, "act")
        if now < due:
            store.write(session, case, due_at=due)
        else:
            self._act(case)
        return False

    def _lead(self, case: RemedyCase, since: dt.datetime) -> bool:
        session, now = self.session, self.now
        body = body_of(session, self.tools, case.centre_id)
        due = step_at(body, case.severity, since, "lead")
        if now < due:
            store.write(session, case, due_at=due)
            return False
        if case.told and set(holders(session, case.handset_id, now)) - set(case.told):
            # Who took the phone over meanwhile was never told: he has his own time.
            store.write(
                session, case, failing_since=now, due_at=step_at(body, case.severity, now, "lead") + _AGAIN
            )
            return True
        act = step_at(body, case.severity, since, "act")
        shift(session, self.tools, case, Event.TELL_LEAD, now, due_at=act)
        self.leads[case.centre_id].append(case)
        return False

    def _act(self, case: RemedyCase) -> None:
        body = body_of(self.session, self.tools, case.centre_id)
        if case.code in body["automatic"] and case.code in body["removable"] and not case.orders:
            found = order_by_policy(self.session, self.tools, case, self.now)
            if not found:
                return
            words = "；".join(one.words for one in found)
            shift(self.session, self.tools, case, Event.ASK, self.now, say=words, why="blocked")
            return
        shift(self.session, self.tools, case, Event.ASK, self.now, why="due")

    def _check(self, case: RemedyCase, status: Standing) -> None:
        """Removed is what the gateway saw and a reading after its act shows, too."""
        session, now = self.session, self.now
        read = confirmed_at(session, [case.handset_id], PACKAGES).get(case.handset_id)
        who = expect_of(session, case.handset_id)
        # A list of apps of which nobody knows whose it is proves nothing, either way.
        after = read is not None and who is not None and case.acted_at is not None and read > case.acted_at
        if after and who != ordered_for(session, case):
            # Another phone, or the same after a reset: it proves nothing of what was done to the one that was named.
            if status is Standing.ABSENT:
                shift(
                    session, self.tools, case, Event.GO, now, say="之后读到的是另一个系统标识，已没有这一条"
                )
            else:
                self._stop(case, "other_identity")
        elif after and read is not None and status is Standing.ABSENT:
            words = f"{REMOVED_BY.get(case.outcome or '', '')}；{local_time(read)} 的读取不再有这一条"
            shift(session, self.tools, case, Event.VERIFY, now, say=words)
        elif after and status in (Standing.FAIL, Standing.GRACE):
            self._stop(case, "still_there")
        elif case.acted_at is None or now - case.acted_at > span_of(
            body_of(session, self.tools, case.centre_id), "check_hours"
        ):
            self._stop(case, "not_read")
        else:
            store.write(session, case, due_at=now + _AGAIN)
