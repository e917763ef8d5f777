"""What the rounds tell of the life of a phone, a number, an account, a post or a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from app.credchecks import case_store, life_store
from app.credchecks.model import ChangeCase, CheckItem, CheckRound
from app.credchecks.rules import tally
from app.credchecks.states import CASE_WORDS, FINDING_WORDS, Item
from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject

_ROOM = "round"
_MOST = 300


def life_events(session: Session, principal: Principal, subject: Subject) -> list[LifeEvent]:
    """Each round that had to do with it, as one line, and each case, at the instants of what happened last."""
    items = life_store.items_about(session, principal, subject, _MOST)
    by_round: dict[CheckRound, list[CheckItem]] = {}
    for item, row in items:
        by_round.setdefault(row, []).append(item)
    found = [_round(row, own) for row, own in by_round.items()]
    return found + [_case(case) for case in _cases(session, principal, subject)]


def _round(row: CheckRound, items: Sequence[CheckItem]) -> LifeEvent:
    counted = tally([item.state for item in items])
    parts = [f"{counted.all} 项", *_counts(counted.counts.items())]
    at = max((item.at for item in items if item.at is not None), default=row.opened_at)
    return LifeEvent(
        at=at, title=f"月度核对 {row.month}", detail="，".join(parts), link=f"/rounds/{row.id}", room=_ROOM
    )


def _counts(counts: Iterable[tuple[str, int]]) -> list[str]:
    words = {
        Item.MATCH: "一致", Item.MISMATCH: "不一致", Item.NOT_REACHABLE: "无法核对", Item.UNFILED: "未备案",
        Item.WAIVED: "免核对", Item.OPEN: "待核对", Item.WAIVING: "待批准",
    }  # fmt: skip
    return [f"{words[Item(state)]} {number}" for state, number in counts]


def _cases(session: Session, principal: Principal, subject: Subject) -> Sequence[ChangeCase]:
    if subject.kind == "employee":
        found = case_store.of_employee(session, subject.id, _MOST)
    elif subject.kind == "post":
        found = case_store.of_post(session, subject.id, _MOST)
    else:
        found = case_store.of_subject(session, subject.id, _MOST)
    return [case for case in found if principal.sees(case.centre_id)]


def _case(case: ChangeCase) -> LifeEvent:
    word = FINDING_WORDS.get(case.finding or "", "")
    state = CASE_WORDS[case.state]
    return LifeEvent(
        at=case.mismatch_at, title=f"{case.label}核对不一致：{case.subject_name}",
        detail=f"{state}，{word}" if word else state, link=f"/rounds/cases/{case.id}", room=_ROOM, until=case.closed_at,
    )  # fmt: skip
