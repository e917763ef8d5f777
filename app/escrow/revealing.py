"""Seeing a secret: asked for with a reason, approved by another person, shown once, its renewal due from then on."""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.escrow import store
from app.escrow.due import mark_due
from app.escrow.model import RevealRequest, Secret
from app.escrow.rights import FILERS
from app.escrow.rules import kept_token, new_token
from app.escrow.sealing import note, open_escrow, open_version
from app.escrow.states import Reveal, RevealEvent
from app.escrow.vault import Vault
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from app.kernel.paging import Page
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.notify import Recipients, tell
from app.policy import PolicyFiles, effective
from app.tasks import close_task, open_task

APPROVERS = ("operations", "lead")
MAX_REASON = 500
_MIN_REASON = 4


def request(
    session: Session, principal: Principal, secret_id: uuid.UUID, reason: str, *, policies: PolicyFiles,
    now: dt.datetime,
) -> RevealRequest:  # fmt: skip
    """Ask to see the version in force. Raise `Invalid` without a reason, `Conflict` with nothing to see."""
    secret, centre = store.find(session, principal, secret_id)
    principal.require_role(centre, *FILERS)
    words = one_line(reason, MAX_REASON)
    if len(words) < _MIN_REASON:
        text = "请写明为什么要查看"
        raise Invalid(text, fields=[FieldError("reason", "required", text)])
    if secret.in_force is None:
        raise Conflict("还没有使用中的密码 / nothing is in force yet", code="nothing_in_force")
    hours = effective(session, policies, "escrow", centre).body["approval_hours"]
    row = RevealRequest(
        centre_id=centre, secret_id=secret.id, state=Reveal.REQUESTED, reason=words, requested_by=principal.user,
        requested_at=now, expires_at=now + dt.timedelta(hours=hours),
    )  # fmt: skip
    session.add(row)
    session.flush()
    open_task(
        session, key=_task(row), kind="secret", centre_id=centre, title="批准查看密码", body=words,
        link="/escrow/reveals", due_at=row.expires_at, roles=APPROVERS, now=now,
    )  # fmt: skip
    note(session, principal.user, secret, "escrow.reveal_request", now, reason=words, request=str(row.id))
    return row


def listed(
    session: Session,
    principal: Principal,
    *,
    state: Sequence[str],
    secret_id: uuid.UUID | None,
    cursor: str | None,
    limit: int,
) -> Page[RevealRequest]:
    """Requests of the caller's centres, the latest first; `state` empty: in any."""
    return store.reveal_page(session, principal, state=state, secret_id=secret_id, cursor=cursor, limit=limit)


def approve(
    session: Session, principal: Principal, reveal_id: uuid.UUID, *, note_text: str, now: dt.datetime
) -> RevealRequest:
    """By another person than who asked. Raise `Forbidden`, `Conflict` when decided or over."""
    return _decide(session, principal, reveal_id, RevealEvent.APPROVE, note_text, now)


def reject(
    session: Session, principal: Principal, reveal_id: uuid.UUID, *, note_text: str, now: dt.datetime
) -> RevealRequest:
    """As `approve`; an approval that was not used yet can be taken back by it too."""
    return _decide(session, principal, reveal_id, RevealEvent.REJECT, note_text, now)


def _decide(
    session: Session,
    principal: Principal,
    reveal_id: uuid.UUID,
    event: RevealEvent,
    words: str,
    now: dt.datetime,
) -> RevealRequest:
    row = store.reveal(session, principal, reveal_id)
    secret, centre = store.find(session, principal, row.secret_id)
    principal.require_role(centre, *APPROVERS)
    if row.requested_by == principal.user:
        raise Forbidden("不能批准自己的申请，请另一人处理 / not your own request", code="own_request")
    _still(row, now)
    said = one_line(words, MAX_REASON)
    store.move_reveal(session, row, event, decided_by=principal.user, decided_at=now, decision=said)
    close_task(session, _task(row), how=str(row.state), by=principal.user, now=now)
    note(session, principal.user, secret, f"escrow.reveal_{event}", now, reason=said, request=str(row.id))
    _answer(session, row, now)
    return row


def _answer(session: Session, row: RevealRequest, now: dt.datetime) -> None:
    approved = row.state == Reveal.APPROVED
    asker = uuid.UUID(row.requested_by)
    tell(
        session, key=f"escrow.reveal:{row.id}:{row.state}", kind="secret", centre_id=row.centre_id,
        to=Recipients(users=(asker,)), title="查看密码的申请已批准" if approved else "查看密码的申请未批准",
        body="请在有效期内查看，只显示一次。" if approved else (row.decision or ""), link="/escrow/reveals", now=now,
    )  # fmt: skip


def withdraw(
    session: Session, principal: Principal, reveal_id: uuid.UUID, *, now: dt.datetime
) -> RevealRequest:
    """By who asked."""
    row, secret = _mine(session, principal, reveal_id)
    store.move_reveal(session, row, RevealEvent.WITHDRAW, token_hash=None)
    close_task(session, _task(row), how="已撤回", by=principal.user, now=now)
    note(session, principal.user, secret, "escrow.reveal_withdraw", now, request=str(row.id))
    return row


def open_request(
    session: Session, principal: Principal, reveal_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> tuple[RevealRequest, str]:
    """The token for one showing; only after who asked has just proved his second factor. One before it is void."""
    row, secret = _mine(session, principal, reveal_id)
    _still(row, now)
    minutes = effective(session, policies, "escrow", row.centre_id).body["token_minutes"]
    token = new_token()
    until = min(row.expires_at, now + dt.timedelta(minutes=minutes))
    store.move_reveal(session, row, RevealEvent.OPEN, token_hash=kept_token(token), token_until=until)
    note(session, principal.user, secret, "escrow.reveal_open", now, request=str(row.id))
    return row, token


def show(
    session: Session, principal: Principal, reveal_id: uuid.UUID, token: str, *, vault: Vault,
    policies: PolicyFiles, now: dt.datetime,
) -> tuple[Secret, str]:  # fmt: skip
    """The text, to be handed on only after this transaction is committed: the trail says so before anybody sees it."""
    row, secret = _mine(session, principal, reveal_id)
    _still(row, now)
    right = hmac.compare_digest(row.token_hash or "", kept_token(token))
    if row.state != Reveal.OPENED or not right or row.token_until is None or row.token_until <= now:
        raise Forbidden("查看凭证不对、已用过或已过期，请重新验证 / the token is void", code="token_void")
    if secret.in_force is None:
        raise Conflict("还没有使用中的密码 / nothing is in force yet", code="nothing_in_force")
    text = open_version(session, open_escrow(session, vault), secret, secret.in_force)
    store.move_reveal(session, row, RevealEvent.SHOW, token_hash=None, shown_at=now)
    store.add_sight(session, secret, secret.in_force, principal.user, now)
    note(
        session, principal.user, secret, "escrow.reveal", now, reason=row.reason, request=str(row.id),
        approved_by=row.decided_by, version=secret.in_force,
    )  # fmt: skip
    hours = effective(session, policies, "escrow", row.centre_id).body["rotate_after_reveal_hours"]
    mark_due(session, secret, "shown", now + dt.timedelta(hours=hours), now, policies=policies)
    return secret, text


def _mine(session: Session, principal: Principal, reveal_id: uuid.UUID) -> tuple[RevealRequest, Secret]:
    row = store.reveal(session, principal, reveal_id)
    _, centre = store.find(session, principal, row.secret_id)
    principal.require_role(centre, *FILERS)
    if row.requested_by != principal.user:
        raise Forbidden("只有申请人自己可以 / only who asked for it", code="not_requester")
    return row, store.lock(session, row.secret_id)


def _still(row: RevealRequest, now: dt.datetime) -> None:
    if row.expires_at <= now:
        raise Conflict("申请已过期，请重新申请 / the request is over: ask again", code="reveal_expired")


def _task(row: RevealRequest) -> str:
    return f"escrow.approve:{row.id}"
