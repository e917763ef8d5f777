"""A page for each step of a leg: what stands, and what the one who looks may do there."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request

from app.escrow import last_try
from app.handover import reading, records, signing, store, testing
from app.handover.leg_views import (
    Head,
    change_lines,
    head_of,
    item_cards,
    leg_path,
    leg_word,
    side_cards,
    step_path,
)
from app.handover.model import Handover, HandoverLeg
from app.handover.rules import SIDE_WORDS, Hindrance, labels_of
from app.handover.states import FROZEN_LEGS, Leg
from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other, zh
from app.http.problems import STATUS, Problem
from app.http.uploads import send_picture
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.papers import get_paper, to_plain
from app.people import names_of
from app.policy import effective
from app.runtime import runtime

leg_pages = Blueprint("handover_leg_pages", __name__)
RESULT_WORDS = {"pass": ("good", "通过"), "fail": ("bad", "不通过"), "unknown": ("unknown", "未知")}
_WAIT = dt.timedelta(minutes=3)
"""So long a page looks by itself whether the phone was read; a gateway that answers takes seconds."""


@dataclass(frozen=True)
class Opened:
    """A leg that the caller may see. `body`: policy `handover` of its centre. `unknowns`: what would be signed so."""

    case: Handover
    leg: HandoverLeg
    head: Head
    body: Mapping[str, Any]
    hindrances: list[Hindrance]
    unknowns: list[Hindrance]


def open_leg(leg_id: uuid.UUID, step: str) -> Opened:
    """Raise `NotFound`, also for a leg that is not the caller's to see."""
    session, who, here = db.session(), current_principal(), runtime()
    case, leg = reading.find_leg(session, who, leg_id)
    hindrances: list[Hindrance] = []
    unknowns: list[Hindrance] = []
    if leg.state == Leg.DRAFT:
        hindrances = signing.hindrances(session, who, leg.id, policies=here.policies, now=page_now())
        unknowns = signing.warnings(session, who, leg.id, policies=here.policies, now=page_now())
    body = effective(session, here.policies, "handover", case.centre_id).body
    head = head_of(session, who, case, leg, step, hindrances, unknowns)
    return Opened(case, leg, head, body, hindrances, unknowns)


def answer(page: str, refusal: DomainError | None) -> Response | str:
    """The page as it is, or with what was refused."""
    return page if refusal is None else refused(page, refusal)


def refused(page: str, error: DomainError) -> Response:
    """With the refusal's status, upon which the edge writes nothing."""
    status = error.status if isinstance(error, Problem) else 422
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), status)
    return Response(page, status=status, content_type="text/html; charset=utf-8")


@leg_pages.get("/handovers/legs/<uuid:leg_id>")
@access(*SIGNED_IN)
def leg(leg_id: uuid.UUID) -> Response:
    """To the step that comes next."""
    found = open_leg(leg_id, "items")
    if found.head.completed:
        return see_other(f"{found.head.path}/done")
    if found.head.signing:
        return see_other(f"{found.head.path}/sign")
    left = next((step for step in found.head.steps if step.left), None)
    return see_other(
        left.path if left else f"{found.head.path}/{'review' if found.hindrances == [] else 'items'}"
    )


@leg_pages.get("/handovers/legs/<uuid:leg_id>/items")
@access(*SIGNED_IN)
def items(leg_id: uuid.UUID) -> Response | str:
    return items_page(leg_id)


def items_page(
    leg_id: uuid.UUID, refusal: DomainError | None = None, typed: Mapping[str, str] | None = None
) -> Response | str:
    session, found = db.session(), open_leg(leg_id, "items")
    rows = reading.items_of(session, leg_id, removed=True)
    lines = item_cards(session, found.leg, rows, found.body)
    page = render_template(
        "handover/items.html", **card_words(found), lines=lines, refusal=refusal, typed=typed or {},
        has_last=found.leg.previous_id is not None,
        unanswered=sum(row.saved_at is None and row.removed_reason is None for row in rows),
    )  # fmt: skip
    return answer(page, refusal)


def card_words(found: Opened) -> dict[str, Any]:
    """What the cards of things need beside their rows."""
    return {
        "head": found.head,
        "conditions": list(labels_of(found.body).items()),
        "photo_limit": found.body["photos_per_item"],
        "zh": zh,
    }


@leg_pages.get("/handovers/legs/<uuid:leg_id>/tests")
@access(*SIGNED_IN)
def tests(leg_id: uuid.UUID) -> Response | str:
    return page_of_tests(leg_id)


def page_of_tests(leg_id: uuid.UUID, refusal: DomainError | None = None) -> Response | str:
    found = open_leg(leg_id, "tests")
    return answer(render_template("handover/tests.html", **_tests(found), refusal=refusal, zh=zh), refusal)


@leg_pages.get("/handovers/legs/<uuid:leg_id>/tests/live")
@access(*SIGNED_IN)
def live_tests(leg_id: uuid.UUID) -> str:
    return render_template("handover/_tests.html", **_tests(open_leg(leg_id, "tests")))


def _tests(found: Opened) -> dict[str, Any]:
    session, leg, now = db.session(), found.leg, page_now()
    lines = testing.tests_of(session, leg, policies=runtime().policies, now=now)
    live = [line for line in lines if not line.by_hand]
    asked = leg.tests_asked_at
    busy = (
        leg.state == Leg.DRAFT
        and asked is not None
        and now - asked < _WAIT
        and any(line.at is None or line.at < asked for line in live)
    )
    hand = hand_tests(found, [line for line in lines if line.by_hand])
    return {"head": found.head, "live": live, "hand": hand, "busy": busy, "result_words": RESULT_WORDS}


def hand_tests(found: Opened, lines: list[testing.TestLine]) -> list[dict[str, Any]]:
    """Tests by hand with who did them; the words of one that nobody did are no words of his."""
    done = {test.key: test for test in reading.hand_tests_of(db.session(), found.leg.id)}
    names = names_of(db.session(), {test.by for test in done.values()})
    return [
        {
            "key": line.key, "label": line.label, "result": line.result, "at": line.at,
            "words": done[line.key].words if line.key in done else "",
            "by": names.get(done[line.key].by, "") if line.key in done else "",
        }
        for line in lines
    ]  # fmt: skip


@leg_pages.get("/handovers/legs/<uuid:leg_id>/passwords")
@access(*SIGNED_IN)
def passwords(leg_id: uuid.UUID) -> str:
    found = open_leg(leg_id, "passwords")
    secrets = testing.secrets_of(db.session(), found.leg, policies=runtime().policies, now=page_now())
    tries = {
        state.id: last_try(db.session(), state.id)
        for state in secrets
        if state.id is not None and state.on_phone
    }
    return render_template("handover/passwords.html", head=found.head, secrets=secrets, tries=tries)


@leg_pages.get("/handovers/legs/<uuid:leg_id>/counts")
@access(*SIGNED_IN)
def counts(leg_id: uuid.UUID) -> Response | str:
    return counts_page(leg_id)


def counts_page(
    leg_id: uuid.UUID, refusal: DomainError | None = None, typed: Mapping[str, str] | None = None
) -> Response | str:
    session, found = db.session(), open_leg(leg_id, "counts")
    kept, typed = found.leg.counts, typed or {}
    written = reading.exceptions_of(session, leg_id)
    names = names_of(session, {row.by for row in written})
    sides = [(side, SIDE_WORDS[side]) for side in SIDE_WORDS if f"except_{side}" in found.head.acts]
    page = render_template(
        "handover/counts.html", head=found.head, refusal=refusal, zh=zh, version=found.leg.version,
        counts=[
            {**named, "value": typed.get(f"count-{named['key']}", kept.get(named["key"], {}).get("value"))}
            for named in found.body["counts"]
        ],
        counted_by=typed.get("by", next((one["by"] for one in kept.values() if one.get("by")), "")),
        matters=testing.matters_of(session, found.case, found.leg), sides=sides, said=typed.get("words", ""),
        exceptions=[
            {"side": SIDE_WORDS[row.side], "words": row.words, "at": row.at, "by": names.get(row.by, "")}
            for row in written
        ],
    )  # fmt: skip
    return answer(page, refusal)


@leg_pages.get("/handovers/legs/<uuid:leg_id>/review")
@access(*SIGNED_IN)
def review(leg_id: uuid.UUID) -> Response | str:
    return review_page(leg_id)


def review_page(leg_id: uuid.UUID, refusal: DomainError | None = None) -> Response | str:
    found = open_leg(leg_id, "review")
    page = render_template(
        "handover/review.html", **_document(found), refusal=refusal, zh=zh, version=found.leg.version,
        hindrances=_paths(found, found.hindrances), warnings=_paths(found, found.unknowns),
    )  # fmt: skip
    return answer(page, refusal)


def _paths(found: Opened, lines: list[Hindrance]) -> list[dict[str, str]]:
    return [{"words": line.words, "path": step_path(found.case, found.leg, line.step)} for line in lines]


def _document(found: Opened) -> dict[str, Any]:
    """The text that is signed, exactly: while it is up for signing, and afterwards, from what was stored then."""
    session, who = db.session(), current_principal()
    document = signing.document_of(session, who, found.leg.id, policies=runtime().policies, now=page_now())
    frozen = found.leg.state in FROZEN_LEGS
    return {
        "head": found.head,
        "document": to_plain(document),
        "digest": store.open_round(session, found.leg).digest if frozen else "",
        "pictures": f"{found.head.path}/pictures",
    }


@leg_pages.get("/handovers/legs/<uuid:leg_id>/sign")
@access(*SIGNED_IN)
def sign(leg_id: uuid.UUID) -> Response | str:
    args = request.args
    return sign_page(leg_id, args.get("side", ""), args.get("how", ""))


def sign_page(
    leg_id: uuid.UUID,
    side: str,
    how: str,
    refusal: DomainError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response | str:
    session, found = db.session(), open_leg(leg_id, "sign")
    values: dict[str, Any] = {"head": found.head, "refusal": refusal, "typed": typed or {}, "zh": zh}
    if found.head.signing:
        row = store.open_round(session, found.leg)
        signed = reading.signatures_of(session, row.id)
        values |= _document(found)
        values["sides"] = side_cards(current_principal(), found.head, signed, side, how)
        problems = refusal.fields if refusal else ()
        values["ink_problem"] = next((zh(p.message) for p in problems if p.field == "ink"), "")
    return answer(render_template("handover/sign.html", **values), refusal)


@leg_pages.get("/handovers/legs/<uuid:leg_id>/done")
@access(*SIGNED_IN)
def done(leg_id: uuid.UUID) -> str:
    session, who, found = db.session(), current_principal(), open_leg(leg_id, "done")
    values: dict[str, Any] = {"head": found.head, "paper": None, "changes": [], "corrections": []}
    if found.head.completed:
        changes = records.differences_of(session, who, leg_id)
        rows = reading.items_of(session, leg_id)
        values |= {
            "paper": get_paper(session, who, found.leg.paper_id) if found.leg.paper_id else None,
            "changes": change_lines(changes, labels_of(found.body), rows),
            "has_last": found.leg.previous_id is not None,
            "following": _following(found),
            "corrections": [
                {"path": leg_path(row), "word": leg_word(found.case, row), "reason": row.correction_reason}
                for row in store.corrections_of(session, leg_id)
            ],
        }
    return render_template("handover/done.html", **values)


def _following(found: Opened) -> list[dict[str, str]]:
    """What happens next, in words."""
    case, leg, hours = found.case, found.leg, found.body["renew_hours"]
    lines = []
    if leg.corrects_id is not None:
        return [{"words": "以后比较和追责时，以这份更正为准；原来的单据照样保留。", "link": ""}]
    if case.kind == "handover" and leg.number == 1:
        words = "第 2 步：清点后交给接任的管家"
        lines.append({"words": words, "link": f"/handovers/{case.id}"})
    elif case.kind == "return":
        lines.append({"words": "岗位现在没有人任职；有人接任时办“领取”。", "link": ""})
    else:
        lines.append({"words": "微信好友覆盖率（R08）从这次签收起算。", "link": ""})
    if case.kind != "issue":
        lines.append({"words": f"原来的密码 {hours} 小时内要更换（R07），已列入待办。", "link": "/escrow"})
    return lines


@leg_pages.get("/handovers/legs/<uuid:leg_id>/pictures/<sha256>")
@access(*SIGNED_IN)
def picture(leg_id: uuid.UUID, sha256: str) -> Response:
    """A photo or a drawn signature, for whoever may see the leg that it belongs to."""
    return send_picture(reading.photo_in(db.session(), current_principal(), leg_id, sha256))
