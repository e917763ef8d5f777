"""What both signatures bring about, in the transaction of the second one: paper, custody, passwords, the next leg."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.escrow import mark_handed
from app.handover import store
from app.handover.model import Handover, HandoverLeg, HandoverRound, HandoverSignature
from app.handover.noting import note_leg, tell_parties
from app.handover.papering import with_signatures
from app.handover.proposing import handsets_of
from app.handover.rules import KIND_WORDS
from app.handover.service import begin, complete_case
from app.handover.testing import secrets_of
from app.kernel.blobs import BlobStore
from app.kernel.clock import to_rfc3339
from app.kernel.errors import Conflict
from app.kernel.keys import KeyStore
from app.kernel.tenancy import SYSTEM
from app.papers import Paper, from_plain, issue_paper
from app.policy import PolicyFiles, effective
from app.registry import RESOURCES, end_tie, holding_of, tie
from app.uptime import queue_settling

COMPLETE = "signed"


@dataclass(frozen=True)
class AtHand:
    """What the edge hands in from the runtime."""

    policies: PolicyFiles
    keys: KeyStore
    blobs: BlobStore


def complete(
    session: Session,
    case: Handover,
    leg: HandoverLeg,
    row: HandoverRound,
    actor: str,
    *,
    at_hand: AtHand,
    now: dt.datetime,
) -> None:
    """Internal: both have signed `row` and the leg stands as completed."""
    row.outcome, row.outcome_by, row.outcome_at = "signed", actor, now
    signatures = store.signatures_of(session, row.id)
    paper = _paper(session, case, leg, row, signatures, actor, at_hand, now)
    leg.completed_at, leg.paper_id = now, paper.id
    session.flush()
    mark = mark_of(leg, row, signatures, paper.number)
    details = {"paper": paper.number, "digest": row.digest, "round": row.number, "mark": mark}
    note_leg(session, actor, leg, COMPLETE, now, details=details)
    if leg.corrects_id is not None:
        return
    body = effective(session, at_hand.policies, "handover", case.centre_id).body
    _custody(session, case, leg, actor, now)
    if leg.giver_id is not None:
        due_at = now + dt.timedelta(hours=body["renew_hours"])
        states = secrets_of(session, leg, policies=at_hand.policies, now=now)
        filed = [s.id for s in states if s.id is not None and s.filed]
        mark_handed(session, at_hand.policies, filed, now, due_at=due_at)
    phones = handsets_of(store.items_of(session, leg.id))
    queue_settling(session, dict.fromkeys(phones, case.centre_id), now)
    tell_parties(
        session, case, f"done:{leg.id}", f"{KIND_WORDS[case.kind]}单已签完", f"单据编号 {paper.number}。", now
    )
    _go_on(session, case, leg, actor, body, now)


def _paper(
    session: Session,
    case: Handover,
    leg: HandoverLeg,
    row: HandoverRound,
    signatures: Iterable[HandoverSignature],
    actor: str,
    at_hand: AtHand,
    now: dt.datetime,
) -> Paper:
    corrected = None if leg.corrects_id is None else session.get_one(HandoverLeg, leg.corrects_id)
    document = with_signatures(session, leg, from_plain(orjson.loads(row.document)), signatures)
    before = None if corrected is None else latest_paper(session, corrected)
    return issue_paper(
        session, actor, kind="issue" if case.kind == "issue" else "handover", centre_id=case.centre_id,
        subject=leg.subject, document=document, corrects=before, now=now, keys=at_hand.keys,
        parties=tuple(e for e in (leg.giver_id, leg.receiver_id) if e is not None),
    )  # fmt: skip


def latest_paper(session: Session, leg: HandoverLeg) -> uuid.UUID | None:
    """The paper that holds for a record: its last correction's, else its own."""
    done = [c.paper_id for c in store.corrections_of(session, leg.id) if c.paper_id is not None]
    return done[-1] if done else leg.paper_id


def mark_of(
    leg: HandoverLeg, row: HandoverRound, signatures: Iterable[HandoverSignature], paper_number: str
) -> str:
    """One sha256 over all that a completed leg rests on; it stands in the audit trail, where nobody can change it."""
    facts = {
        "leg": str(leg.id), "number": leg.number, "correction": leg.correction, "round": row.number,
        "digest": row.digest, "facts": row.facts, "paper": paper_number,
        "signatures": [
            [s.side, s.user, s.name, str(s.employee_id), s.how, s.over, s.ink, s.instead_reason, to_rfc3339(s.at)]
            for s in signatures
        ],
    }  # fmt: skip
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _custody(session: Session, case: Handover, leg: HandoverLeg, actor: str, now: dt.datetime) -> None:
    """Who holds the post from now on (R01). The kit's own ties do not change."""
    holdings = RESOURCES["post-holdings"]
    acting = replace(SYSTEM, user=actor)
    holding = holding_of(session, case.post_id, now)
    if leg.giver_id is not None and holding is not None and holding.employee_id == leg.giver_id:
        end_tie(
            session, acting, holdings, holding.id, holding.version, now, reason=case.cause, under=case.cause
        )
        holding = None
    elif leg.giver_id is not None and holding is not None and holding.employee_id != case.receiver_id:
        raise _other_holder()
    # Else the giver's time was to end by itself, as the registry had it before the case began, and it has.
    if leg.receiver_id is None or (holding is not None and holding.employee_id == leg.receiver_id):
        return
    if holding is not None:
        raise _other_holder()
    values = {"post_id": case.post_id, "employee_id": leg.receiver_id, "valid_from": now}
    tie(session, acting, holdings, values, now, under=case.cause)


def _other_holder() -> Conflict:
    return Conflict("岗位任职与本次交接不符，请先核对 / somebody else holds the post", code="post_taken")


def _go_on(
    session: Session,
    case: Handover,
    leg: HandoverLeg,
    actor: str,
    policy: Mapping[str, Any],
    now: dt.datetime,
) -> None:
    following = [row for row in store.legs_of(session, case.id) if row.number == leg.number + 1]
    if following:
        begin(session, case, following[0], policy, now)
    else:
        complete_case(session, case, actor, now)
