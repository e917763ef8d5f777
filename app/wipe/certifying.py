"""The certificate: put up for signing, signed by who carried it out and by who inspected, issued.

Nothing but a wipe that stands as verified, by inspections that are certifiable at this very moment, is certified.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson
from sqlalchemy.orm import Session

from app.audit import mark_of
from app.escrow import Vault
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from app.kernel.ids import parse_id
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, required, wrong
from app.papers import Document, Paper, canonical, digest, from_plain, issue_paper
from app.people import principal_of
from app.wipe import inspection_store, store
from app.wipe.contesting import drop_draft
from app.wipe.documents import SIDE_WORDS, build, facts_digest, with_signatures
from app.wipe.ending import cross_off
from app.wipe.grading_rules import CERTIFIABLE, GRADE_WORDS, Graded
from app.wipe.inspection_model import PERFORMER, SIDES, VERIFIER, WipeCertificate, WipeSignature
from app.wipe.inspection_trail import inspection_problems
from app.wipe.judging import judge
from app.wipe.model import Wipe
from app.wipe.noting import write_step
from app.wipe.states import Event, State
from app.wipe.tools import ASKERS, MAX_REASON, Tools
from app.wipe.verifying import approval_problems, release_problems, verdict_problems

MAX_TITLE, MAX_PLACE, MAX_CONTACT = 100, 200, 100


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


@dataclass(frozen=True)
class Signing:
    """What a side puts down. `instead_reason`: why it is not who carried it out, "" when it is he."""

    side: str
    title: str
    place: str
    contact: str
    ink: bytes
    digest_seen: str
    instead_reason: str = ""


def hindrances(session: Session, wipe: Wipe, tools: Tools) -> list[str]:
    """Why it cannot be certified now, in words for people; empty when it can. Internal: callers found the wipe."""
    if wipe.state != State.VERIFIED:
        return ["检查结果还没有由第二人确认为已清除，不能出证明。"]
    found = []
    graded = judge(session, wipe, tools.policies)
    if graded is None or graded.grade not in CERTIFIABLE:
        found.append(f"检查结论是“{GRADE_WORDS[graded.grade] if graded else '没有检查'}”，不能出证明。")
    elif str(graded.grade) != wipe.grade:
        found.append(f"检查结论已变为“{GRADE_WORDS[graded.grade]}”，请第二人重新确认。")
    if wipe.verified_by is None or wipe.verified_by == wipe.released_by:
        found.append("检查人和执行人必须是两个人。")
    # By their events, not by their own columns: whoever writes in the database can write those alike.
    altered = [
        *approval_problems(session, wipe),
        *release_problems(session, wipe),
        *verdict_problems(session, wipe),
        *inspection_problems(session, wipe),
    ]
    return found + [line.lstrip("!? ") for line in altered]


def put_up(
    session: Session,
    principal: Principal,
    wipe_id: uuid.UUID,
    *,
    tools: Tools,
    vault: Vault,
    now: dt.datetime,
) -> WipeCertificate:
    """Put the text up for both signatures. One that was put up before is dropped, with what was signed under it.

    Raise `NotFound`, `Forbidden`, `Conflict` (`not_certifiable` with all that stands in the way; `certificate_state`
    for one that is issued), `Unavailable` while the escrow is sealed: the text names the key of certificates.
    """
    wipe = store.find(session, principal, wipe_id)
    principal.require_role(wipe.centre_id, *ASKERS)
    graded = _certifiable(session, wipe, tools)
    key = vault.opened().certificate.public_key().public_bytes_raw()
    standing = inspection_store.standing(session, wipe.id)
    if standing is not None and standing.state == "issued":
        raise Conflict("证明已经出具 / it was issued before", code="certificate_state")
    drop_draft(session, wipe, principal.user, "重新拟定", now)
    document = build(session, wipe, graded, key)
    row = WipeCertificate(
        centre_id=wipe.centre_id, wipe_id=wipe.id, state="signing", grade=str(graded.grade),
        document=canonical(document).decode(), digest=digest(document), facts=facts_digest(session, wipe),
        put_up_by=principal.user, put_up_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    store.write(session, wipe, now)
    write_step(
        session,
        wipe,
        "cert_draft",
        "等执行人和检查人签字",
        principal.user,
        now,
        certificate=str(row.id),
        digest=row.digest,
    )
    return row


def _certifiable(session: Session, wipe: Wipe, tools: Tools) -> Graded:
    wrongs = hindrances(session, wipe, tools)
    graded = judge(session, wipe, tools.policies)
    if wrongs or graded is None:
        raise Conflict("不能出具证明：" + " ".join(wrongs) + " / not certifiable", code="not_certifiable")
    return graded


def take_back(
    session: Session, principal: Principal, certificate_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> None:
    """Back to nothing before it is issued. Raise `NotFound`, `Forbidden`, `Conflict`, `Invalid`."""
    row = inspection_store.find_certificate(session, principal, certificate_id)
    principal.require_role(row.centre_id, *ASKERS)
    if row.state != "signing":
        raise Conflict("这份证明不在签字中 / it is not up for signing", code="certificate_state")
    wipe = store.find(session, principal, row.wipe_id)
    drop_draft(session, wipe, principal.user, required(reason, "reason", "请写明原因 / say why"), now)


def sign(
    session: Session, principal: Principal, certificate_id: uuid.UUID, given: Signing, *, signer: Signer, tools: Tools,
    now: dt.datetime,
) -> WipeCertificate:  # fmt: skip
    """One side signs the text that it saw; the second signature issues the certificate in the same transaction.

    Raise `NotFound`, `Forbidden` (`not_this_side`, `second_person`), `Invalid`, `Conflict` (`digest`, `signed_already`,
    `certificate_state`, `facts`: something changed since it was put up; `not_certifiable`).
    """
    row = inspection_store.find_certificate(session, principal, certificate_id)
    principal.require_role(row.centre_id, *ASKERS)
    wipe = store.find(session, principal, row.wipe_id)
    if row.state != "signing":
        raise Conflict("这份证明不在签字中，请刷新 / it is not up for signing", code="certificate_state")
    if row.digest != given.digest_seen:
        raise Conflict("文本已有改动，请看过新的全文再签字 / another text is up now", code="digest")
    _certifiable(session, wipe, tools)
    if facts_digest(session, wipe) != row.facts or digest(document_of(row)) != row.digest:
        raise Conflict("拟定以后记录有变化，请重新拟定、重新签字 / put it up anew", code="facts")
    before = inspection_store.signatures(session, row.id)
    _check_side(session, wipe, given, signer, before, now)
    signature = _signature(session, row, given, signer, tools, now)
    # The version counts up: a reading that arrives in this very moment and this signature cannot both be the first.
    store.write(session, wipe, now)
    details = {
        "side": given.side,
        "over": row.digest,
        "ink": signature.ink,
        "how": signer.how,
        "certificate": str(row.id),
    }
    words = f"{SIDE_WORDS[given.side]}签字" + (
        f"（代签：{given.instead_reason}）" if given.instead_reason else ""
    )
    write_step(session, wipe, "cert_sign", words, signer.user, now, **details)
    if before:
        _issue(session, wipe, row, signer.user, tools, now)
    return row


def _check_side(
    session: Session,
    wipe: Wipe,
    given: Signing,
    signer: Signer,
    before: Sequence[WipeSignature],
    now: dt.datetime,
) -> None:
    if given.side not in SIDES:
        raise wrong("side", "请选择哪一方 / which side")
    if any(other.side == given.side for other in before):
        raise Conflict("这一方已经签过字 / this side has signed", code="signed_already")
    if any(other.user == signer.user for other in before):
        raise Forbidden("执行人和检查人不能是同一个人 / two persons", code="second_person")
    if given.side == VERIFIER and (signer.user != wipe.verified_by or given.instead_reason):
        raise Forbidden("检查人须本人签字 / the inspector signs himself", code="not_this_side")
    if given.side == PERFORMER:
        _check_performer(session, wipe, given, signer, now)


def _check_performer(session: Session, wipe: Wipe, given: Signing, signer: Signer, now: dt.datetime) -> None:
    if signer.user == wipe.verified_by:
        raise Forbidden("执行人和检查人不能是同一个人 / two persons", code="second_person")
    if not given.instead_reason:
        if signer.user != wipe.released_by:
            raise Forbidden("签字的人不是执行人本人 / the signer did not perform it", code="not_this_side")
        return
    user_id = parse_id(signer.user)
    colleague = None if user_id is None else principal_of(session, user_id, now)
    if signer.user == wipe.released_by or colleague is None or not colleague.may(wipe.centre_id, *ASKERS):
        raise Forbidden("代签的须是本中心的另一名工作人员 / another member of staff", code="not_this_side")


def _signature(
    session: Session, row: WipeCertificate, given: Signing, signer: Signer, tools: Tools, now: dt.datetime
) -> WipeSignature:
    told = {
        "title": one_line(given.title, MAX_TITLE), "place": one_line(given.place, MAX_PLACE),
        "contact": one_line(given.contact, MAX_CONTACT),
    }  # fmt: skip
    missing = [name for name, text in told.items() if not text]
    if missing:
        message = "请填写职务、地点和联系方式 / title, place and contact"
        raise Invalid(message, fields=[FieldError(name, "missing", message) for name in missing])
    signature = WipeSignature(
        centre_id=row.centre_id, certificate_id=row.id, side=given.side, user=signer.user, name=signer.name,
        employee_id=signer.employee, how=signer.how, over=row.digest, at=now,
        instead_reason=one_line(given.instead_reason, MAX_REASON) or None,
        ink=tools.blobs.put(session, given.ink, "image/png", now), **told,
    )  # fmt: skip
    session.add(signature)
    session.flush()
    return signature


def _issue(
    session: Session, wipe: Wipe, row: WipeCertificate, actor: str, tools: Tools, now: dt.datetime
) -> Paper:
    signed = inspection_store.signatures(session, row.id)
    document = with_signatures(document_of(row), signed)
    paper = issue_paper(
        session, actor, kind="certificate", centre_id=wipe.centre_id, subject=f"wipe:{wipe.id}", document=document,
        parties=tuple(one.employee_id for one in signed if one.employee_id is not None), now=now, keys=tools.keys,
    )  # fmt: skip
    store.move(session, wipe, Event.CERTIFY, now, certificate_paper_id=paper.id)
    inspection_store.move_certificate(session, row, state="issued", paper_id=paper.id, issued_at=now)
    cross_off(session, wipe, actor, now)
    write_step(
        session, wipe, "certify", f"证明 {paper.number}", actor, now, certificate=str(row.id), paper=paper.number,
        mark=certificate_mark(row, signed, paper.number),
    )  # fmt: skip
    return paper


def document_of(row: WipeCertificate) -> Document:
    """The text as it was put up. Raise `ValueError` for what is none."""
    return from_plain(orjson.loads(row.document))


def certificate_mark(row: WipeCertificate, signed: Sequence[WipeSignature], number: str) -> str:
    """One sha256 over what an issued certificate rests on; it stands in the audit trail."""
    return mark_of(
        {
            "certificate": str(row.id), "digest": row.digest, "facts": row.facts, "paper": number, "grade": row.grade,
            "signatures": sorted(
                [one.side, one.user, one.name, one.title, one.place, one.contact, one.over, one.ink] for one in signed
            ),
        }
    )  # fmt: skip
