"""Calls and tests as people see them: with the phone's tag, the post and the number."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.dialling import store
from app.dialling.model import DialCall, DialTest
from app.dialling.rules import CAUSES, SHANGHAI, local_day, shown_number
from app.dialling.service import CALLERS, find_test, may_undo
from app.dialling.states import State
from app.duty import answerable
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles, effective_many

FOUND_LIMIT = 20


@dataclass(frozen=True)
class Heard:
    """A record with what is shown of it. `open_to_undo`: by the one who looks, now."""

    test: DialTest
    tag: str
    post: str
    number: str
    corrected: bool
    open_to_undo: bool


@dataclass(frozen=True)
class CallLine:
    """A call on the list. `e164` and `number_id` None: no number is registered, so that it cannot be called."""

    call: DialCall
    tag: str
    post: str
    number_id: uuid.UUID | None
    e164: str | None
    number: str
    cause: str
    may_call: bool
    test: Heard | None

    @property
    def is_open(self) -> bool:
        return self.call.state == State.OPEN


@dataclass(frozen=True)
class Found:
    """A phone that may be added to the list."""

    handset_id: uuid.UUID
    tag: str
    post: str
    number: str
    listed: bool


def call_lines(
    session: Session,
    principal: Principal,
    *,
    centre_ids: Collection[uuid.UUID] | None = None,
    policies: PolicyFiles,
    now: dt.datetime,
) -> list[CallLine]:
    """The open calls and those made today. A phone that the caller answers for himself is left out: nobody shall know
    of his own test beforehand.
    """
    midnight = dt.datetime.combine(local_day(now), dt.time(), SHANGHAI)
    rows = store.calls(session, principal, centre_ids, midnight)
    ids = {row.handset_id for row in rows}
    kits, tags = store.kits(session, principal, ids, now), store.tags(session, principal, ids)
    tests = store.tests_of_calls(session, [row.id for row in rows])
    told = {
        line.test.call_id: line for line in _lines(session, principal, list(tests.values()), policies, now)
    }
    mine = _own(session, principal, ids, now)
    return [
        _call_line(row, principal, kits.get(row.handset_id), tags, told.get(row.id))
        for row in rows
        if row.handset_id not in mine
    ]


def _call_line(
    row: DialCall,
    principal: Principal,
    kit: store.Kit | None,
    tags: Mapping[uuid.UUID, str],
    test: Heard | None,
) -> CallLine:
    e164 = kit.e164 if kit else None
    return CallLine(
        call=row,
        tag=tags.get(row.handset_id, ""),
        post=kit.post_name if kit else "",
        number_id=kit.number_id if kit else None,
        e164=e164,
        number=shown_number(e164) if e164 else "",
        cause=CAUSES.get(row.cause, row.cause),
        may_call=principal.may(row.centre_id, *CALLERS),
        test=test,
    )


def calls_waiting(session: Session, principal: Principal, now: dt.datetime) -> int:
    """How many calls the caller's list has open; as on the list, none of his own phone."""
    ids = {row.handset_id for row in store.calls(session, principal, None, now) if row.state == State.OPEN}
    return len(ids - _own(session, principal, ids, now))


def find_phones(session: Session, principal: Principal, words: str, now: dt.datetime) -> list[Found]:
    """Up to 20 phones by tag, serial, post or number; none for no words. One's own is left out."""
    if not words:
        return []
    ids = store.phones_like(session, principal, words, now, FOUND_LIMIT)
    mine = _own(session, principal, ids, now)
    kits, tags = store.kits(session, principal, ids, now), store.tags(session, principal, ids)
    found = []
    for handset_id in ids:
        kit = kits.get(handset_id)
        if handset_id in mine:
            continue
        number = shown_number(kit.e164) if kit and kit.e164 else ""
        listed = store.open_call(session, handset_id) is not None
        found.append(Found(handset_id, tags[handset_id], kit.post_name if kit else "", number, listed))
    return found


def _own(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID], now: dt.datetime
) -> set[uuid.UUID]:
    """The phones in which the caller has a stake."""
    if principal.employee is None:
        return set()
    return {phone for phone in handset_ids if principal.employee in answerable(session, phone, now)}


def list_tests(
    session: Session,
    principal: Principal,
    *,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    result: str | None = None,
    words: str = "",
    corrected: bool = False,
    policies: PolicyFiles,
    now: dt.datetime,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Heard]:
    """Tests, the latest first; with `corrected` also those that another took the place of."""
    query = store.query_tests(
        principal, centre_id=centre_id, handset_id=handset_id, result=result, words=words, corrected=corrected
    )
    keys = [
        SortKey("recorded_at", DialTest.recorded_at, descending=True),
        SortKey("id", DialTest.id, descending=True),
    ]
    page = paginate(session, query, keys, cursor=cursor, limit=limit)
    return Page(_lines(session, principal, page.items, policies, now), page.next_cursor)


def one_test(
    session: Session, principal: Principal, test_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> Heard:
    """Raise `NotFound`, also for a foreign centre's."""
    test = find_test(session, principal, test_id)
    return _lines(session, principal, [test], policies, now)[0]


def _lines(
    session: Session, principal: Principal, tests: Sequence[DialTest], policies: PolicyFiles, now: dt.datetime
) -> list[Heard]:
    tags = store.tags(session, principal, {test.handset_id for test in tests})
    posts = store.post_names(session, {test.post_id for test in tests})
    rules = effective_many(session, policies, "dialling", {test.centre_id for test in tests})
    gone = store.corrected_ids(session, [test.id for test in tests])
    return [
        Heard(
            test=test,
            tag=tags.get(test.handset_id, ""),
            post=posts.get(test.post_id, ""),
            number=shown_number(test.e164),
            corrected=test.id in gone,
            open_to_undo=test.id not in gone
            and may_undo(principal, test, rules[test.centre_id].body["undo_seconds"], now),
        )
        for test in tests
    ]
