"""Contracts as people see them: with number, post and phone, days left, and what U04 finds wrong."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy.orm import Session

from app.contracts import store, work_store
from app.contracts.contract_service import SUBJECT, WRITERS
from app.contracts.model import Assessment, NumberContract, ReplacementRequest
from app.contracts.rules import Finding, Near, Terms, days_left, local_day, near_of, number_findings
from app.contracts.store import Place
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles, effective_many
from app.registry import Handset, Number, Post, live_centres

SORTS: Mapping[str, tuple[str, bool]] = {
    "ends_on": ("ends_on", False),
    "-ends_on": ("ends_on", True),
    "monthly": ("monthly_fen", False),
    "-monthly": ("monthly_fen", True),
}


@dataclass(frozen=True)
class ContractLine:
    """`left`: days left, negative after the end; `later`: another contract of the number follows it."""

    row: NumberContract
    number: Number
    place: Place | None
    left: int
    badge: str
    word: str
    findings: Sequence[Finding]
    assessment: Assessment | None = None


def shows(near: Near) -> dict[str, str]:
    """The list's filters and what they are called."""
    return {
        "ended": "已到期",
        "soon": f"{near.soon} 天内到期",
        "near": f"{near.near} 天内到期",
        "later": f"{near.near} 天后到期",
    }


def span_of(show: str, today: dt.date, near: Near) -> tuple[dt.date | None, dt.date | None]:
    """The first and the last `ends_on` of a filter."""
    day = dt.timedelta(days=1)
    spans: dict[str, tuple[dt.date | None, dt.date | None]] = {
        "ended": (None, today - day),
        "soon": (today, today + near.soon * day),
        "near": (today, today + near.near * day),
        "later": (today + (near.near + 1) * day, None),
    }
    return spans.get(show, (None, None))


def list_contracts(
    session: Session,
    principal: Principal,
    *,
    all_rows: bool = False,
    centre_id: uuid.UUID | None = None,
    number_id: uuid.UUID | None = None,
    ends_from: dt.date | None = None,
    ends_to: dt.date | None = None,
    words: str = "",
    sort: str = "ends_on",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[NumberContract]:
    """The last contract of each live number, by what ends next; with `all_rows` every one."""
    query = store.listed(
        principal, all_rows=all_rows, centre_id=centre_id, number_id=number_id, ends_from=ends_from,
        ends_to=ends_to, words=words,
    )  # fmt: skip
    column, descending = SORTS.get(sort, SORTS["ends_on"])
    keys = [
        SortKey(column, getattr(NumberContract, column), descending=descending),
        SortKey("id", NumberContract.id, descending=descending),
    ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def contract_lines(
    session: Session, rows: Sequence[NumberContract], policies: PolicyFiles, now: dt.datetime
) -> list[ContractLine]:
    today, near = local_day(now), near_of(policies.latest(SUBJECT).body["warn_days"])
    numbers = store.numbers(session, [row.number_id for row in rows])
    places = store.places(session, numbers, now)
    accepted = accepted_names(session, policies, {n.centre_id for n in numbers.values()})
    assessed = work_store.live_of(session, [row.id for row in rows])
    lines = []
    for row in rows:
        number = numbers[row.number_id]
        left = days_left(row.ends_on, today)
        badge, word = state_of(row, today, near)
        found = number_findings(
            number.real_name, number.plan_type, terms_of(row), accepted.get(number.centre_id, ()), today
        )
        lines.append(
            ContractLine(
                row, number, places.get(number.id), left, badge, word,
                [f for f in found if f.code != "ended"], assessed.get(row.id),
            )
        )  # fmt: skip
    return lines


def terms_of(row: NumberContract) -> Terms:
    return Terms(**{name: getattr(row, name) for name in Terms.__dataclass_fields__})


def state_of(row: NumberContract, today: dt.date, near: Near) -> tuple[str, str]:
    """The badge's kind and its words."""
    left = days_left(row.ends_on, today)
    if row.voided_at is not None:
        return "quiet", "已作废"
    if left < 0:
        return "bad", f"已到期 {-left} 天"
    if row.starts_on > today:
        return "busy", f"{row.starts_on} 起生效"
    words = "今天到期" if left == 0 else f"还有 {left} 天"
    return ("unknown" if left <= near.soon else "busy" if left <= near.near else "good"), words


def accepted_names(
    session: Session, policies: PolicyFiles, centre_ids: set[uuid.UUID]
) -> dict[uuid.UUID, tuple[str, ...]]:
    """The names that a number of each centre may be registered in (U04)."""
    companies = store.companies(session, centre_ids)
    found = effective_many(session, policies, SUBJECT, centre_ids)
    return {
        c: (companies[c], *found[c].body["accepted_names"])
        for c in centre_ids
        if c in found and c in companies
    }


@dataclass(frozen=True)
class NumberLine:
    """A number and what is wrong with it or not known."""

    number: Number
    place: Place | None
    contract: NumberContract | None
    findings: Sequence[Finding]


def numbers_without(
    session: Session,
    principal: Principal,
    policies: PolicyFiles,
    now: dt.datetime,
    *,
    centre_id: uuid.UUID | None = None,
    words: str = "",
    cursor: str | None = None,
) -> Page[NumberLine]:
    """Live numbers that no contract is registered for."""
    query = store.numbers_without(principal, centre_id=centre_id, words=words)
    page = paginate(
        session,
        query,
        [SortKey("e164", Number.e164), SortKey("id", Number.id)],
        cursor=cursor,
        limit=DEFAULT_LIMIT,
    )
    return Page(_number_lines(session, page.items, policies, now), page.next_cursor)


def faulty_numbers(
    session: Session,
    principal: Principal,
    policies: PolicyFiles,
    now: dt.datetime,
    *,
    centre_id: uuid.UUID | None = None,
    words: str = "",
) -> list[NumberLine]:
    """Live numbers with a finding beside that no contract is registered (which has a list of its own)."""
    rows = store.live_numbers(session, principal, centre_id, words)
    lines = _number_lines(session, rows, policies, now)
    return [line for line in lines if any(f.code not in ("no_contract", "ended") for f in line.findings)]


def _number_lines(
    session: Session, rows: Sequence[Number], policies: PolicyFiles, now: dt.datetime
) -> list[NumberLine]:
    today = local_day(now)
    ids = [row.id for row in rows]
    places, contracts = store.places(session, ids, now), store.last_of(session, ids)
    accepted = accepted_names(session, policies, {row.centre_id for row in rows})
    lines = []
    for row in rows:
        contract = contracts.get(row.id)
        terms = terms_of(contract) if contract is not None else None
        found = number_findings(row.real_name, row.plan_type, terms, accepted.get(row.centre_id, ()), today)
        lines.append(NumberLine(row, places.get(row.id), contract, found))
    return lines


def figures(session: Session, principal: Principal, near: Near, now: dt.datetime) -> dict[str, int]:
    """How many contracts each filter shows, and `none`: numbers without one."""
    today = local_day(now)
    found = {}
    for show in shows(near):
        first, last = span_of(show, today, near)
        conditions = [NumberContract.ends_on >= first] if first is not None else []
        conditions += [NumberContract.ends_on <= last] if last is not None else []
        found[show] = store.count_last(session, principal, *conditions)
    return {**found, "none": store.count_without(session, principal)}


def months_of(
    session: Session, principal: Principal, first: dt.date, months: int, *, centre_id: uuid.UUID | None = None
) -> list[tuple[dt.date, list[tuple[NumberContract, Number]]]]:
    """The contracts that end in each month from `first` (a month's first day) on."""
    starts = [month_after(first, n) for n in range(months + 1)]
    query = store.listed(
        principal, centre_id=centre_id, ends_from=first, ends_to=starts[-1] - dt.timedelta(days=1)
    ).order_by(NumberContract.ends_on, NumberContract.id)
    rows = session.scalars(query).all()
    numbers = store.numbers(session, [row.number_id for row in rows])
    return [
        (begin, [(row, numbers[row.number_id]) for row in rows if begin <= row.ends_on < end])
        for begin, end in pairwise(starts)
    ]


def month_after(first: dt.date, months: int) -> dt.date:
    years, index = divmod(first.year * 12 + first.month - 1 + months, 12)
    return dt.date(years, index + 1, 1)


@dataclass(frozen=True)
class WorkLine:
    """An assessment or a request with the names of what it is about."""

    row: Assessment | ReplacementRequest
    centre: str
    post: str
    tag: str


def work_lines(
    session: Session, principal: Principal, rows: Sequence[Assessment] | Sequence[ReplacementRequest]
) -> list[WorkLine]:
    centres = dict(live_centres(session, principal))
    posts = store.labels(session, Post, {row.post_id for row in rows})
    tags = store.labels(session, Handset, {row.handset_id for row in rows})
    return [
        WorkLine(
            row, centres.get(row.centre_id, ""), posts.get(row.post_id, ""), tags.get(row.handset_id, "")
        )
        for row in rows
    ]


def may_write(principal: Principal, number: Number) -> bool:
    return principal.may(number.centre_id, *WRITERS)


def contracts_of_handset(
    session: Session, principal: Principal, handset_id: uuid.UUID, policies: PolicyFiles, now: dt.datetime
) -> list[ContractLine]:
    """The last contract of each number that is at the phone's post now, for the phone's page."""
    numbers = store.numbers_at_phone(session, principal, handset_id, now)
    rows = list(store.last_of(session, numbers).values())
    return contract_lines(session, rows, policies, now)
