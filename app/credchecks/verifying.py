"""Is what stands of each closed round still what was signed? Its items against the trail, its paper by its own room."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.audit import against_trail, facts_of, kept_event, mark_of, subjects_of, trail_problems
from app.credchecks import store
from app.credchecks.model import ChangeCase, CheckRound
from app.kernel.blobs import BlobStore
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore

CLOSE = "round.close"


_ROUND = (
    "month", "opened_at", "opened_by", "due_at", "policy_version", "policy_sha256", "closed_at", "closed_by", "figures",
)  # fmt: skip
_ITEM = (
    "id", "post_id", "holder_id", "area", "of", "subject_id", "subject_name", "kind", "label", "rule", "hint", "state",
    "at", "by", "source", "reason", "asked_by", "photos", "checked_at",
)  # fmt: skip
_CHANGE = ("id", "item_id", "event", "state", "at", "by", "source", "reason", "photos")
_DECIDED = (
    "item_id", "round_id", "secret_id", "of", "subject_id", "subject_name", "kind", "label", "post_id", "employee_id",
    "mismatch_at", "checked_by", "known_good_at", "opened_at", "told_at", "statement", "stated_by", "stated_at",
    "reason", "decided_by", "decided_at", "appeal_until",
)  # fmt: skip
_ANSWERED = ("appeal", "appealed_at", "finding", "answer", "answered_by", "answered_at", "paper_id")
DECIDE, ANSWER = "change_case.decide", "change_case.answer"


def facts_digest(session: Session, row: CheckRound) -> str:
    """The sha256 over the round, what each item says and how it came to that, as the event of the close keeps it."""
    items = store.items(session, row.id)
    changes = store.changes_of_round(session, row.id)
    return mark_of(
        [
            facts_of(row, _ROUND),
            [facts_of(item, _ITEM) for item in items],
            [facts_of(change, _CHANGE) for change in changes],
        ]
    )


def decision_mark(row: ChangeCase) -> str:
    """Over what was known, said and decided; it stands in the event of the decision."""
    return mark_of(facts_of(row, _DECIDED))


def answer_mark(row: ChangeCase) -> str:
    """Over the appeal and its answer."""
    return mark_of(facts_of(row, _ANSWERED))


def check_cases(session: Session, blobs: BlobStore, _keys: KeyStore) -> Iterator[str]:
    """As `record_check`, of the cases that were decided."""
    for subject in subjects_of(session, DECIDE):
        yield from check_case(session, blobs, parse_id(subject.partition(":")[2]) or uuid.UUID(int=0))


def check_case(session: Session, _blobs: BlobStore, case_id: uuid.UUID) -> Iterator[str]:
    """What is wrong with one case that was decided."""
    row, name, subject = session.get(ChangeCase, case_id), f"密码不一致 {case_id}", f"change_case:{case_id}"
    if row is None:
        yield f"! {name}：记录不在了"
        return
    yield from against_trail(session, DECIDE, subject, decision_mark(row), f"{name} 的认定")
    answered = kept_event(session, ANSWER, subject)
    if answered is not None:
        yield from trail_problems(answered, answer_mark(row), f"{name} 的复核")
    elif row.answered_at is not None:
        yield f"! {name}：审计记录中没有复核"
    decided = answered or kept_event(session, DECIDE, subject)
    if decided is not None and decided.details is not None and decided.details.get("finding") != row.finding:
        yield f"! {name}：认定的结果与审计记录不同"


def record_check(session: Session, _blobs: BlobStore, _keys: KeyStore) -> Iterator[str]:
    """One sentence a problem: `!` it was altered, `?` it cannot be told."""
    for row in store.closed_rounds(session):
        yield from check_round(session, row)
    for subject in subjects_of(session, CLOSE):
        round_id = parse_id(subject.partition(":")[2])
        found = None if round_id is None else session.get(CheckRound, round_id)
        if found is None or found.closed_at is None:
            yield f"! 审计记录中有签名结束的核对 {subject}，记录却不在了"


def check_subject(session: Session, _blobs: BlobStore, round_id: uuid.UUID) -> Iterator[str]:
    """The same of one round alone, for whoever checks its paper."""
    row = session.get(CheckRound, round_id)
    if row is None:
        yield f"! 月度核对 {round_id}：记录不在了"
    else:
        yield from check_round(session, row)


def check_round(session: Session, row: CheckRound) -> Iterator[str]:
    """What is wrong with one closed round; nothing when all of it is what was signed."""
    name = f"月度核对 {row.month}（{row.id}）"
    event = kept_event(session, CLOSE, f"round:{row.id}")
    if event is None or row.closed_at is None:
        yield f"! {name}：审计记录里没有这次签名结束"
    elif not event.whole:
        yield f"! {name}：签名结束的审计记录已被改动"
    elif event.details is None:
        yield f"? {name}：审计记录的细节已清除，无法比对"
    elif event.details.get("facts") != facts_digest(session, row):
        yield f"! {name}：事项或结果已被改动"
    elif event.details.get("paper_id") != str(row.paper_id):
        yield f"! {name}：报告已被换掉"
