"""For the edges: what was typed, and a code, are counted in a transaction of their own before the act begins."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import g, request
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.http.identity import current_principal, own_session, sign_in_limits
from app.http.pages import page_now
from app.http.problems import Problem
from app.http.transaction import write_apart
from app.kernel.errors import Forbidden
from app.kernel.tenancy import Principal
from app.people import check_code, code_keys, own_things, take_try, was_right, wrong_code
from app.runtime import runtime
from app.wipe import store
from app.wipe.asking import typed_wrong
from app.wipe.hook import tools
from app.wipe.noting import write_step
from app.wipe.rules import typed_right
from app.wipe.tools import ASKERS, policy_of

_HOUR = dt.timedelta(hours=1)


def typed(wipe_id: uuid.UUID, tag: str, imei6: str) -> None:
    """Before `open_write`, in a view with `late_transaction=True`: whether what was typed names the wipe's phone.

    A wrong word stands in the history and counts, whatever the request is answered; which part was wrong is not told.
    Raise `Invalid` `typed_wrong`, 429 `too_often`, `NotFound`, `Forbidden`.
    """
    _before_write()
    who, now = current_principal(), page_now()
    with write_apart() as writer:
        wipe = store.find(writer, who, wipe_id)
        who.require_role(wipe.centre_id, *ASKERS)
        most = policy_of(writer, tools(), wipe.centre_id).body["typed_wrong"]
        if store.wrong_words(writer, who.user, now - _HOUR) >= most:
            raise Problem(429, "too_often", "编号输错太多次，请过一小时再来 / too many wrong: wait an hour")
        right = typed_right(wipe.asset_tag, wipe.imeis, tag, imei6)
        if not right:
            write_step(writer, wipe, "typed_wrong", "", who.user, now, outcome="refused")
    if not right:
        raise typed_wrong()


def proved_code(code: str) -> Principal:
    """Before `open_write`: the caller's authenticator code, typed now and good once; who he is.

    Raise `Forbidden` `person_needed` for a token, `factor_needed` for whoever has no authenticator, `Invalid`
    `bad_code`, 429 `too_often`.
    """
    _before_write()
    found, limits, now = own_session(), sign_in_limits(), page_now()
    assert found.user_id is not None
    keys = code_keys(f"wipe:{found.user_id}")
    with write_apart() as writer:
        if not own_things(writer, found.user_id, limits, now).has_factor:
            raise Forbidden(
                "批准前要先设置验证器：到“我的账号”里设置 / set up an authenticator first",
                code="factor_needed",
            )
        wait = take_try(writer, keys, limits, now)
    if wait > dt.timedelta(0):
        raise Problem(429, "too_often", "试得太多了，请过一会儿再试 / too many tries: wait a while")
    with write_apart() as writer:
        right = check_code(writer, runtime().keys, found.user_id, code, now) is not None
        if right:
            was_right(writer, keys)
        else:
            _note_wrong(writer, str(found.user_id), now)
    if not right:
        raise wrong_code()
    return current_principal()


def _note_wrong(session: Session, user: str, now: dt.datetime) -> None:
    event = AuditEvent(
        at=now, actor=user, action="session.refused", object=f"principal:{user}", ip=request.remote_addr or "",
        outcome="refused", details={"step": "wipe"},
    )  # fmt: skip
    record(session, event)


def _before_write() -> None:
    if g.get("writes"):
        # With the database's only write lock in hand, the try could not be committed apart from it.
        raise RuntimeError("this comes before open_write()")
