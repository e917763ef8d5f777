"""A leg's text is put up, signed by both, declined or taken back. Nothing of the leg changes while it is up."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Protocol

import orjson
from sqlalchemy.orm import Session

from app.handover import store
from app.handover.completing import AtHand, complete
from app.handover.items import MAX_WORDS, drafted, is_side, may_be_witnessed, require_side, side_of
from app.handover.model import SIDES, Handover, HandoverLeg, HandoverRound, HandoverSignature
from app.handover.noting import note_leg, tell_parties
from app.handover.papering import build, facts_digest
from app.handover.proposing import item_states, kit_in
from app.handover.rules import SIDE_WORDS, UNKNOWN, Hindrance, item_hindrances
from app.handover.service import missing_secrets
from app.handover.states import FROZEN_LEGS, LegEvent
from app.handover.store import DESK
from app.handover.testing import secrets_of, tests_of
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from app.kernel.ids import parse_id
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.papers import Document, digest, from_plain, to_plain
from app.people import principal_of
from app.policy import PolicyFiles, effective

WITNESSES = ("operations", "lead", "it")


class Signer(Protocol):
    """Who proved in this very moment that it is he (`app.http.proving`)."""

    @property
    def user(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def employee(self) -> uuid.UUID | None: ...
    @property
    def how(self) -> str: ...


def hindrances(
    session: Session, principal: Principal, leg_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> list[Hindrance]:
    """What stands in the way of putting the text up. Raise `NotFound`."""
    case, leg = store.find_leg(session, principal, leg_id)
    return _hindrances(session, case, leg, policies, now)


def _hindrances(
    session: Session, case: Handover, leg: HandoverLeg, policies: PolicyFiles, now: dt.datetime
) -> list[Hindrance]:
    body = effective(session, policies, "handover", case.centre_id).body
    found = item_hindrances(item_states(session, leg.id), [c["code"] for c in body["conditions"]])
    for side in SIDES:
        employee, user = side_of(leg, side)
        if employee is None and user is None:
            found.append(Hindrance("no_receiver", "还没有写明接收人", "parties"))
        elif employee is not None and side == "receiver" and not store.has_user(session, employee):
            found.append(Hindrance("no_login", "接收人没有登录账号，不能签字", "parties"))
    if case.kind == "issue":
        kit = kit_in(store.items_of(session, leg.id))
        missing = missing_secrets(session, kit, body["issue_secrets"], policies, now)
        found += [Hindrance(m.code, m.words, "passwords") for m in missing]
    return found


def warnings(
    session: Session, principal: Principal, leg_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> list[Hindrance]:
    """What can be signed so, and will then stand there as unknown or not checked. Raise `NotFound`."""
    case, leg = store.find_leg(session, principal, leg_id)
    lines = tests_of(session, leg, policies=policies, now=now)
    found = [
        Hindrance("test", f"检测结果未知：{line.label}", "tests") for line in lines if line.result == UNKNOWN
    ]
    for state in secrets_of(session, leg, policies=policies, now=now):
        if state.filed and state.matched is None:
            words = f"{state.subject_name} 的{state.label}没有核对"
            found.append(Hindrance("secret", words, "passwords"))
    body = effective(session, policies, "handover", case.centre_id).body
    found += [
        Hindrance("count", f"数量没有清点：{count['label']}", "counts")
        for count in body["counts"]
        if leg.counts.get(count["key"], {}).get("value") is None
    ]
    if leg.giver_id is not None and not store.has_user(session, leg.giver_id):
        found.append(Hindrance("no_login", "移交人没有登录账号，只能由见证人代签", "parties"))
    return found


def document_of(
    session: Session, principal: Principal, leg_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> Document:
    """The text as it is up for signing or was signed; in draft as it would be now. Raise `NotFound`."""
    case, leg = store.find_leg(session, principal, leg_id)
    row = store.signed_round(session, leg.id)
    if row is None and leg.state in FROZEN_LEGS:
        row = store.open_round(session, leg)
    if row is None:
        return build(session, case, leg, policies=policies, now=now)
    return from_plain(orjson.loads(row.document))


def freeze(
    session: Session, principal: Principal, leg_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> HandoverRound:
    """Put the text up. Raise `Conflict` (`not_ready`) with all that stands in the way, named by step."""
    case, leg = drafted(session, principal, leg_id)
    problems = _hindrances(session, case, leg, policies, now)
    if problems:
        fields = [FieldError(p.step, p.code, p.words) for p in problems]
        raise Conflict("；".join(p.words for p in problems[:5]), code="not_ready", fields=fields)
    document = build(session, case, leg, policies=policies, now=now)
    number = leg.rounds + 1
    store.move_leg(session, leg, LegEvent.FREEZE, rounds=number)
    row = HandoverRound(
        centre_id=leg.centre_id, leg_id=leg.id, number=number, digest=digest(document), frozen_at=now,
        document=orjson.dumps(to_plain(document), option=orjson.OPT_SORT_KEYS).decode(), frozen_by=principal.user,
        facts=facts_digest(session, leg),
    )  # fmt: skip
    session.add(row)
    session.flush()
    note_leg(session, principal.user, leg, "freeze", now, details={"round": number, "digest": row.digest})
    tell_parties(
        session, case, f"sign:{leg.id}:{number}", "等待签字", "清点已完成，请看过全文以后签字。", now
    )
    return row


def unfreeze(
    session: Session, principal: Principal, leg_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> HandoverLeg:
    """Back to the draft. The text and whatever was signed under it stay on record and count no more."""
    case, leg = store.find_leg(session, principal, leg_id, lock=True)
    principal.require_role(case.centre_id, *DESK)
    words = _said(reason, "reason")
    _take_back(session, leg, LegEvent.UNFREEZE, "reopened", principal.user, words, now)
    note_leg(session, principal.user, leg, "unfreeze", now, reason=words)
    return leg


def decline(
    session: Session, principal: Principal, leg_id: uuid.UUID, side: str, *, words: str, now: dt.datetime
) -> HandoverLeg:
    """A side does not sign this text, and says why: by itself, or taken down by the desk. A new text follows."""
    case, leg = store.find_leg(session, principal, leg_id, lock=True)
    if side not in SIDES:
        raise _bad("side", "请选择哪一方 / which side")
    require_side(principal, case, leg, side)
    said = _said(words, "words")
    row = _take_back(session, leg, LegEvent.DECLINE, "declined", principal.user, said, now)
    row.outcome_side = side
    session.flush()
    note_leg(session, principal.user, leg, "decline", now, reason=said, details={"side": side})
    title = f"{SIDE_WORDS[side]}没有签字"
    tell_parties(session, case, f"decline:{leg.id}:{row.number}", title, said, now)
    return leg


def _take_back(
    session: Session, leg: HandoverLeg, event: LegEvent, outcome: str, by: str, words: str, now: dt.datetime
) -> HandoverRound:
    store.move_leg(session, leg, event, version=leg.version + 1)
    row = store.open_round(session, leg)
    row.outcome, row.outcome_words, row.outcome_by, row.outcome_at = outcome, words, by, now
    session.flush()
    return row


def sign(
    session: Session,
    principal: Principal,
    leg_id: uuid.UUID,
    side: str,
    *,
    signer: Signer,
    ink: bytes,
    digest_seen: str,
    at_hand: AtHand,
    now: dt.datetime,
) -> HandoverLeg:
    """One side signs the text that it saw; the second signature completes the leg in the same transaction.

    `ink`: the drawn signature as PNG. Raise `Conflict` (`digest`: another text is up; `signed_already`;
    `handover_state`), `Forbidden` (`not_this_side`, `second_person`), `NotFound`.
    """
    case, leg, row = _to_sign(session, principal, leg_id, side, digest_seen)
    employee, user = side_of(leg, side)
    right = signer.employee == employee if employee is not None else signer.user == user
    if not right:
        raise Forbidden(
            f"签字的人不是{SIDE_WORDS[side]}本人 / the signer is not this side", code="not_this_side"
        )
    return _signed(session, case, leg, row, side, signer, None, ink, at_hand, now)


def sign_instead(
    session: Session,
    principal: Principal,
    leg_id: uuid.UUID,
    side: str,
    *,
    reason: str,
    signer: Signer,
    ink: bytes,
    digest_seen: str,
    at_hand: AtHand,
    now: dt.datetime,
) -> HandoverLeg:
    """The giver is absent or refuses: a second member of staff witnesses, and the paper says so.

    For a receiver and for the lead nobody signs: who did not sign has received nothing. Of a correction: for an
    employee who can sign in nobody does.
    Raise as `sign`; `Forbidden` (`witness`) for the lead, for a party, and for whoever is no staff here.
    """
    case, leg, row = _to_sign(session, principal, leg_id, side, digest_seen)
    principal.require_role(case.centre_id, *DESK)
    words = _said(reason, "reason")
    if not may_be_witnessed(session, leg, side):
        raise Conflict("这一方必须本人签字 / this side signs itself", code="signs_itself")
    _check_witness(session, case, signer, now)
    return _signed(session, case, leg, row, side, signer, words, ink, at_hand, now)


def _check_witness(session: Session, case: Handover, signer: Signer, now: dt.datetime) -> None:
    user_id = parse_id(signer.user)
    try:
        witness = None if user_id is None else principal_of(session, user_id, now)
    except NotFound:
        witness = None
    party = signer.employee is not None and signer.employee in (case.giver_id, case.receiver_id)
    if (
        witness is None
        or party
        or signer.user == case.lead_user
        or not witness.may(case.centre_id, *WITNESSES)
    ):
        raise Forbidden(
            "见证人须是主持人以外的本中心工作人员 / the witness is another member of staff", code="witness"
        )


def _to_sign(
    session: Session, principal: Principal, leg_id: uuid.UUID, side: str, digest_seen: str
) -> tuple[Handover, HandoverLeg, HandoverRound]:
    case, leg = store.find_leg(session, principal, leg_id, lock=True)
    if side not in SIDES:
        raise _bad("side", "请选择哪一方 / which side")
    if not any(is_side(principal, leg, s) for s in SIDES):
        principal.require_role(case.centre_id, *DESK)
    if leg.state not in FROZEN_LEGS:
        raise Conflict("这一步现在不能签字，请刷新 / it is not up for signing", code="handover_state")
    row = store.open_round(session, leg)
    if row.digest != digest_seen:
        raise Conflict("文本已有改动，请看过新的全文再签字 / another text is up now", code="digest")
    return case, leg, row


def _signed(
    session: Session,
    case: Handover,
    leg: HandoverLeg,
    row: HandoverRound,
    side: str,
    signer: Signer,
    instead: str | None,
    ink: bytes,
    at_hand: AtHand,
    now: dt.datetime,
) -> HandoverLeg:
    others = store.signatures_of(session, row.id)
    if any(other.side == side for other in others):
        raise Conflict("这一方已经签过字 / this side has signed", code="signed_already")
    if any(other.user == signer.user for other in others):
        raise Forbidden("双方不能由同一个人签字 / the two sides are two persons", code="second_person")
    signature = HandoverSignature(
        centre_id=leg.centre_id, round_id=row.id, side=side, user=signer.user, name=signer.name,
        employee_id=signer.employee, how=signer.how, over=row.digest, instead_reason=instead, at=now,
        ink=at_hand.blobs.put(session, ink, "image/png", now),
    )  # fmt: skip
    session.add(signature)
    session.flush()
    details = {"side": side, "over": row.digest, "ink": signature.ink, "how": signer.how, "round": row.number}
    note_leg(session, signer.user, leg, "sign", now, reason=instead or "", details=details)
    store.move_leg(session, leg, LegEvent.SIGN)
    if others:
        complete(session, case, leg, row, signer.user, at_hand=at_hand, now=now)
    return leg


def _said(text: str, field: str) -> str:
    words = one_line(text, MAX_WORDS)
    if not words:
        raise _bad(field, "请写明原因 / say why")
    return words


def _bad(field: str, message: str) -> Invalid:
    return Invalid(message, fields=[FieldError(field, "invalid", message)])
