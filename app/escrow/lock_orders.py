"""Asking a gateway to check, or to set, the screen lock on the phone itself. Nothing secret leaves the server here."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.commands import cancel as cancel_command
from app.commands import enqueue
from app.escrow import lock_store, store
from app.escrow.lock_model import LockOrder
from app.escrow.lock_rules import CHECK, MOST_WRONG, SET, LockEvent, LockState
from app.escrow.model import Secret
from app.escrow.rights import FILERS
from app.escrow.rules import SCREEN_LOCK
from app.escrow.sealing import note, open_escrow
from app.escrow.vault import Vault
from app.kernel.errors import Conflict, NotFound
from app.kernel.ids import new_id
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import Handset, placeholder_serial
from app.tasks import close_task, open_task

_KINDS = {CHECK: "check_lock", SET: "set_lock"}
_SHOWN = 20


def ask_lock_check(
    session: Session, principal: Principal, secret_id: uuid.UUID, *, vault: Vault, now: dt.datetime
) -> LockOrder:
    """Have the password in force tried once on its phone; an order for that which has not ended is the answer.

    A match or mismatch sets `Secret.checked_at` and `matched`, as a blind check does. After a mismatch only a person
    may ask again (`Conflict` `mismatched_before` for the system), until another password is in force. Raise
    `NotFound`, `Forbidden`, `Unavailable` while sealed, `Conflict`: `no_screen_lock`, `nothing_in_force`, `lock_busy`,
    `retired_phone`, `no_identity` (the phone's serial is no phone's own), `wrong_too_often` (three times).
    """
    secret, centre = _askable(session, principal, secret_id, vault)
    if secret.in_force is None:
        raise Conflict("还没有使用中的密码可以核对 / nothing is in force yet", code="nothing_in_force")
    if secret.matched is False and principal.user == SYSTEM.user:
        raise Conflict("上次核对不一致，不再自动重试 / mismatched before", code="mismatched_before")
    return _ask(session, principal, secret, centre, CHECK, secret.in_force, now)


def ask_lock_set(
    session: Session, principal: Principal, secret_id: uuid.UUID, *, vault: Vault, now: dt.datetime
) -> LockOrder:
    """Have the phone's lock changed from the password in force to the one that waits, which then comes into force.

    Raise as `ask_lock_check`, or `Conflict` (`nothing_waits`) when no new password is filed.
    """
    secret, centre = _askable(session, principal, secret_id, vault)
    if secret.pending is None:
        raise Conflict("先备案新密码（不要勾选“已设置好”）/ no new password waits", code="nothing_waits")
    if secret.in_force is None:
        raise Conflict(
            "没有使用中的旧密码，网关改不了：请在手机上设置 / nothing is in force", code="nothing_in_force"
        )
    return _ask(session, principal, secret, centre, SET, secret.pending, now)


def lock_orders_of(session: Session, secret_id: uuid.UUID) -> list[LockOrder]:
    """The latest orders about a secret, newest first. Internal: callers have checked who asks."""
    return lock_store.of_secret(session, secret_id, _SHOWN)


def orders_for(session: Session, principal: Principal, secret_id: uuid.UUID) -> list[LockOrder]:
    """As `lock_orders_of`, for who may see the secret. Raise `NotFound`."""
    secret, _ = store.find(session, principal, secret_id)
    return lock_orders_of(session, secret.id)


def lock_order_runs(session: Session, handset_id: uuid.UUID) -> bool:
    """Whether a gateway is asked, or is about, to try or to set the phone's lock. Internal: asks no principal."""
    return lock_store.active_on(session, handset_id) is not None


def cancel_order(
    session: Session, principal: Principal, order_id: uuid.UUID, *, now: dt.datetime
) -> LockOrder:
    """Take an order back that no gateway holds. Raise `NotFound`, `Conflict` when one does, or it has ended."""
    order = lock_store.by_id(session, order_id)
    if order is None:
        raise NotFound("没有这个指令 / no such order")
    secret, centre = store.find(session, principal, order.secret_id)
    principal.require_role(centre, *FILERS)
    # Moved first: of this and a gateway that takes it in the same moment, one is told that it was too late.
    lock_store.move(session, order, LockEvent.CANCEL, at=now)
    cancel_command(session, principal, order.command_id, now=now)
    note(session, principal.user, secret, "escrow.lock_cancel", now, order=str(order.id), what=order.what)
    return order


def refuse_while_setting(session: Session, secret: Secret, actor: str, now: dt.datetime) -> None:
    """Before a waiting version is confirmed, dropped or filed anew by a person.

    Raise `Conflict` while a gateway may be setting it; one that still waits for a gateway is taken back.
    """
    order = lock_store.active_on(session, secret.handset_id) if secret.handset_id is not None else None
    if order is not None and order.secret_id == secret.id and order.what == SET:
        if order.state == LockState.SENT:
            raise Conflict(
                "网关正在手机上改这个密码，请等结果 / a gateway is setting it: wait for its word",
                code="lock_busy",
            )
        lock_store.move(session, order, LockEvent.CANCEL, at=now)
        cancel_command(session, SYSTEM, order.command_id, now=now)
        note(session, actor, secret, "escrow.lock_cancel", now, order=str(order.id), what=order.what)
    close_task(session, task_key(secret), how="已弄清", by=actor, now=now)


def ask_to_look(session: Session, secret: Secret, now: dt.datetime) -> None:
    """A task for somebody to find out, at the phone, which password it has now."""
    open_task(
        session, key=task_key(secret), kind="secret", centre_id=secret.centre_id, title="弄清手机现在的锁屏密码",
        body="网关改锁屏密码的结果不明，新旧密码都还保留：请到手机旁先试新的、再试旧的，再到页面上点“已生效”或“放弃”。",
        link=f"/escrow/secrets/{secret.id}", handset_id=secret.handset_id, roles=("operations", "lead"), now=now,
    )  # fmt: skip


def task_key(secret: Secret) -> str:
    return f"escrow.lock:{secret.id}"


def _askable(
    session: Session, principal: Principal, secret_id: uuid.UUID, vault: Vault
) -> tuple[Secret, uuid.UUID]:
    _, centre = store.find(session, principal, secret_id)
    principal.require_role(centre, *FILERS)
    secret = store.lock(session, secret_id)
    if secret.kind != SCREEN_LOCK or secret.handset_id is None:
        raise Conflict("只有手机的锁屏密码能在手机上核对 / not a phone's screen lock", code="no_screen_lock")
    phone = session.get_one(Handset, secret.handset_id)
    if phone.retired_at is not None:
        raise Conflict("该手机已停用 / this phone is retired", code="retired_phone")
    if placeholder_serial(phone.serial):
        raise Conflict(
            "这部手机的序列号不是它独有的，认不准 / the serial identifies no phone", code="no_identity"
        )
    if lock_store.wrong_tries(session, secret.id, secret.since) >= MOST_WRONG:
        raise Conflict(
            f"备案的密码在手机上已经错了 {MOST_WRONG} 次，再试手机会锁住：请问清密码，重新备案 / wrong too often",
            code="wrong_too_often",
        )
    open_escrow(session, vault)
    return secret, centre


def _ask(
    session: Session, principal: Principal, secret: Secret, centre: uuid.UUID, what: str, version: int,
    now: dt.datetime,
) -> LockOrder:  # fmt: skip
    assert secret.handset_id is not None
    standing = lock_store.active_on(session, secret.handset_id)
    if standing is not None:
        if (standing.secret_id, standing.what, standing.version) == (secret.id, what, version):
            return standing
        raise Conflict("这部手机上还有一个没办完的指令 / another order is not yet done", code="lock_busy")
    order_id = new_id()
    command, made = enqueue(
        session,
        principal,
        secret.handset_id,
        _KINDS[what],
        {"order": str(order_id)},
        dedup_key="lock",
        now=now,
    )
    if not made:
        raise Conflict("这部手机上还有一个没办完的指令 / another order is not yet done", code="lock_busy")
    order = LockOrder(
        id=order_id, centre_id=centre, secret_id=secret.id, handset_id=secret.handset_id, what=what, version=version,
        command_id=command.id, state=LockState.WAITING, asked_by=principal.user, asked_at=now,
    )  # fmt: skip
    session.add(order)
    session.flush()
    note(
        session, principal.user, secret, f"escrow.lock_{what}_ask", now, order=str(order.id), version=version
    )
    return order
