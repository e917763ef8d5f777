"""Inspections and the certificate of one wipe, as its pages show them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.fleet import actor_names
from app.kernel.errors import NotFound
from app.kernel.tenancy import Principal
from app.papers import Paper, to_plain
from app.people import names_of
from app.wipe import inspection_store, store
from app.wipe.certifying import document_of, hindrances
from app.wipe.confirming import MUST_PHOTOS, PHOTO_KINDS, may_inspect
from app.wipe.documents import HOW, SIDE_WORDS
from app.wipe.fact_rules import VERDICT_WORDS, Verdict
from app.wipe.grading_rules import CERTIFIABLE, GRADE_WORDS, SEEN, Grade, Graded
from app.wipe.inspecting import ASKERS, kind_words, may_ask
from app.wipe.inspection_model import (
    PERFORMER,
    SIDES,
    VERIFIER,
    WipeCertificate,
    WipeInspection,
    WipeSignature,
)
from app.wipe.judging import REFUSED, judge
from app.wipe.model import Wipe
from app.wipe.states import INSPECTABLE, State
from app.wipe.tools import Tools

GRADE_BADGES = {
    Grade.VERIFIED: "good", Grade.WARNINGS: "unknown", Grade.UNVERIFIED: "quiet", Grade.FAILED: "bad",
}  # fmt: skip
VERDICT_BADGES = {Verdict.PASS: "good", Verdict.FAIL: "bad", Verdict.UNKNOWN: "unknown"}
_LOOKED = (*INSPECTABLE, State.VERIFIED, State.CERTIFIED)


def panel(session: Session, principal: Principal, tools: Tools, wipe: Wipe) -> dict[str, Any]:
    """What `wipe/_inspection.html` and `wipe/_certificate.html` need beside `wipe`."""
    rows = list(reversed(inspection_store.inspections(session, wipe.id)))
    graded = judge(session, wipe, tools.policies) if any(row.kind != "before" for row in rows) else None
    second = may_inspect(principal, wipe)
    imei_open = graded is not None and _imei_wanted(graded, rows)
    certificates = inspection_store.certificates(session, wipe.id)
    return {
        "inspections": rows,
        "inspectors": actor_names(session, [row.by for row in rows]),
        "graded": graded,
        "grade_words": GRADE_WORDS,
        "grade_badges": GRADE_BADGES,
        "verdict_words": VERDICT_WORDS,
        "verdict_badges": VERDICT_BADGES,
        "kind_words": kind_words,
        "key_refused": REFUSED,
        "seen_items": SEEN,
        "photo_kinds": PHOTO_KINDS,
        "photos_needed": MUST_PHOTOS,
        "may_ask_inspection": may_ask(principal, wipe),
        "may_inspect": second and wipe.state in _LOOKED,
        "imei_hidden": second and wipe.state in INSPECTABLE,
        "imei_open": imei_open,
        "imei_wanted": second and wipe.state in _LOOKED and imei_open,
        "may_confirm": second
        and wipe.state == State.INSPECTED
        and graded is not None
        and graded.grade in CERTIFIABLE,
        "may_confirm_failed": second
        and wipe.state == State.INSPECTED
        and graded is not None
        and graded.grade is Grade.FAILED,
        "own_work": principal.may(wipe.centre_id, "lead") and principal.user == wipe.released_by,
        "certificates": certificates,
        "certificate_paper": _paper(session, certificates[0] if certificates else None),
        "may_certify": principal.may(wipe.centre_id, *ASKERS) and wipe.state == State.VERIFIED,
    }


def _imei_wanted(graded: Graded, rows: Sequence[WipeInspection]) -> bool:
    """Whether a gateway read a phone that did not tell its IMEI: then somebody reads it off the screen."""
    by_code = {fact.code: fact.verdict for fact in graded.facts}
    read = any(row.kind == "automatic" and row.evidence for row in rows)
    return read and by_code.get("same_phone") is not Verdict.PASS


def _paper(session: Session, row: WipeCertificate | None) -> Paper | None:
    return None if row is None or row.paper_id is None else session.get(Paper, row.paper_id)


def certificate_panel(session: Session, principal: Principal, tools: Tools, wipe: Wipe) -> dict[str, Any]:
    """What the certificate's own page needs."""
    rows = inspection_store.certificates(session, wipe.id)
    row = rows[0] if rows else None
    signed = inspection_store.signatures(session, row.id) if row is not None else []
    paper, staff, lead = (
        _paper(session, row),
        principal.may(wipe.centre_id, *ASKERS),
        principal.may(wipe.centre_id, "lead"),
    )
    revoked = session.get(Paper, row.revoked_paper_id) if row is not None and row.revoked_paper_id else None
    up = row is not None and row.state == "signing"
    return {
        "wipe": wipe,
        "row": row,
        "document": to_plain(document_of(row)) if row is not None and up else None,
        "paper": paper,
        "revoked": revoked,
        "json_ready": row is not None and inspection_store.signed_json(session, row.id) is not None,
        "sides": _sides(session, principal, wipe, signed) if up else [],
        "hindrances": hindrances(session, wipe, tools) if paper is None or revoked else [],
        "may_put_up": staff and wipe.state == State.VERIFIED,
        "may_decide": lead and row is not None and row.state == "issued",
        "grade_words": GRADE_WORDS,
        "grade_badges": GRADE_BADGES,
        "names": names_of(session, [user for one in rows for user in (one.put_up_by, one.ended_by or "") if user]),
        "former": rows[1:],
    }  # fmt: skip


def _sides(
    session: Session, principal: Principal, wipe: Wipe, signed: Sequence[WipeSignature]
) -> list[dict[str, Any]]:
    users = {PERFORMER: wipe.released_by or "", VERIFIER: wipe.verified_by or ""}
    names = names_of(session, users.values())
    done = {one.side: one for one in signed}
    staff = principal.may(wipe.centre_id, *ASKERS)
    return [
        {
            "side": side, "word": SIDE_WORDS[side], "name": names[users[side]], "signed": done.get(side),
            "how": HOW.get(done[side].how, "") if side in done else "", "own": principal.user == users[side],
            "may": staff and side not in done, "instead": side == PERFORMER,
        }
        for side in SIDES
    ]  # fmt: skip


def inspections_of(session: Session, principal: Principal, wipe_id: uuid.UUID) -> list[WipeInspection]:
    """In order. Raise `NotFound`, also for a foreign centre's."""
    wipe = store.find(session, principal, wipe_id)
    return list(inspection_store.inspections(session, wipe.id))


def certificate_standing(
    session: Session, principal: Principal, tools: Tools, wipe_id: uuid.UUID
) -> dict[str, Any]:
    """How a wipe stands with its certificate. Raise `NotFound`, also for a foreign centre's."""
    wipe = store.find(session, principal, wipe_id)
    rows = inspection_store.certificates(session, wipe.id)
    return {
        "wipe_id": wipe.id, "state": wipe.state, "grade": wipe.grade, "verified_by": wipe.verified_by,
        "verified_at": wipe.verified_at, "certificate": rows[0].state if rows else None,
        "certificate_paper_id": wipe.certificate_paper_id,
        "contested": bool(rows) and rows[0].contested_at is not None,
        "hindrances": [] if wipe.certificate_paper_id is not None else hindrances(session, wipe, tools),
    }  # fmt: skip


def picture_of(session: Session, principal: Principal, wipe_id: uuid.UUID, sha256: str) -> str:
    """The name of a photo or drawn signature of this wipe. Raise `NotFound` for any other."""
    wipe = store.find(session, principal, wipe_id)
    names = {
        photo["sha256"] for row in inspection_store.inspections(session, wipe.id) for photo in row.photos
    }
    for certificate in inspection_store.certificates(session, wipe.id):
        names |= {one.ink for one in inspection_store.signatures(session, certificate.id)}
    if sha256 not in names:
        raise NotFound("没有这张照片 / no such picture")
    return sha256
