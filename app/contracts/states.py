"""The lives of an assessment and of a replacement request. `advance` alone moves a state."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class Assessment(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    """The lead has signed it: its text is frozen until operations confirm it or send it back."""
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    """Taken back before it was confirmed."""
    VOIDED = "voided"
    """Confirmed and then found wrong, before anything followed from it."""


class AssessmentEvent(StrEnum):
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    VOID = "void"


class Request(StrEnum):
    REQUESTED = "requested"
    SECOND = "second"
    """Over what the contract's price allows: approved once, finance or the admin has yet to."""
    APPROVED = "approved"
    BOUGHT = "bought"
    REPLACED = "replaced"
    """The new phone is at the post, the old one stands to be destroyed."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    """Approved, but nothing was bought."""


class RequestEvent(StrEnum):
    APPROVE = "approve"
    TO_SECOND = "to_second"
    APPROVE_OVER = "approve_over"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    BUY = "buy"
    UNDO_BUY = "undo_buy"
    REPLACE = "replace"
    CANCEL = "cancel"


_A, _AE, _R, _RE = Assessment, AssessmentEvent, Request, RequestEvent

ASSESSMENT_NEXT: dict[tuple[Assessment, AssessmentEvent], Assessment] = {
    (_A.DRAFT, _AE.SUBMIT): _A.SUBMITTED,
    (_A.SUBMITTED, _AE.SEND_BACK): _A.DRAFT,
    (_A.SUBMITTED, _AE.CONFIRM): _A.CONFIRMED,
    (_A.DRAFT, _AE.CANCEL): _A.CANCELLED,
    (_A.SUBMITTED, _AE.CANCEL): _A.CANCELLED,
    (_A.CONFIRMED, _AE.VOID): _A.VOIDED,
}
REQUEST_NEXT: dict[tuple[Request, RequestEvent], Request] = {
    (_R.REQUESTED, _RE.APPROVE): _R.APPROVED,
    (_R.REQUESTED, _RE.TO_SECOND): _R.SECOND,
    (_R.SECOND, _RE.APPROVE_OVER): _R.APPROVED,
    (_R.REQUESTED, _RE.REJECT): _R.REJECTED,
    (_R.SECOND, _RE.REJECT): _R.REJECTED,
    (_R.REQUESTED, _RE.WITHDRAW): _R.WITHDRAWN,
    (_R.SECOND, _RE.WITHDRAW): _R.WITHDRAWN,
    (_R.APPROVED, _RE.BUY): _R.BOUGHT,
    (_R.APPROVED, _RE.CANCEL): _R.CANCELLED,
    (_R.BOUGHT, _RE.UNDO_BUY): _R.APPROVED,
    (_R.BOUGHT, _RE.REPLACE): _R.REPLACED,
}

LIVE_ASSESSMENTS = (Assessment.DRAFT, Assessment.SUBMITTED, Assessment.CONFIRMED)
LIVE_REQUESTS = (Request.REQUESTED, Request.SECOND, Request.APPROVED, Request.BOUGHT, Request.REPLACED)
"""Of which an assessment has one at most."""

ASSESSMENT_WORDS: dict[Assessment, str] = {
    _A.DRAFT: "填写中",
    _A.SUBMITTED: "待运营确认",
    _A.CONFIRMED: "已确认",
    _A.CANCELLED: "已取消",
    _A.VOIDED: "已作废",
}
REQUEST_WORDS: dict[Request, str] = {
    _R.REQUESTED: "待审批",
    _R.SECOND: "超预算，待复批",
    _R.APPROVED: "已批准，待购买",
    _R.BOUGHT: "已购买，待换机",
    _R.REPLACED: "已换机",
    _R.REJECTED: "未批准",
    _R.WITHDRAWN: "已撤回",
    _R.CANCELLED: "已取消",
}


def advance_assessment(state: Assessment, event: AssessmentEvent) -> Assessment:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = ASSESSMENT_NEXT.get((state, event))
    if after is None:
        raise _refused(ASSESSMENT_WORDS[state], state, event)
    return after


def advance_request(state: Request, event: RequestEvent) -> Request:
    """As `advance_assessment`."""
    after = REQUEST_NEXT.get((state, event))
    if after is None:
        raise _refused(REQUEST_WORDS[state], state, event)
    return after


def _refused(word: str, state: str, event: str) -> Conflict:
    text = f"现在的状态（{word}）不能这样处理，请刷新 / {state}: cannot {event}"
    return Conflict(text, code="contract_state")
