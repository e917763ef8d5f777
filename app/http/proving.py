"""Somebody puts his word to a text on this screen: who he is, proved by his password in the same moment.

A session that was left open signs nothing, and neither does a token: a signature is a person's.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import structlog
from flask import request
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.http.device import known_device
from app.http.identity import own_session, sign_in_limits
from app.http.pages import page_now
from app.http.problems import Problem
from app.http.transaction import read_apart, write_apart
from app.kernel.errors import FieldError, Forbidden, Invalid
from app.people import (
    actor_of_login,
    check_password,
    code_keys,
    get_user,
    has_own_password,
    prove,
    sign_in_keys,
    take_try,
    was_right,
)

log = structlog.get_logger(__name__)
How = Literal["own_session", "at_this_device"]
_MAX_LOGIN = 100


@dataclass(frozen=True)
class Signer:
    """`user` is `Principal.user`; `employee` who he is as an employee. `at_this_device`: at another's screen, with his
    own name and password; he lends it no rights, only his word.
    """

    user_id: uuid.UUID
    user: str
    name: str
    employee: uuid.UUID | None
    how: How


def signer_of_form(form: Mapping[str, str]) -> Signer:
    """Who signs: by `password` the session's own person, or by `signer_login` and `signer_password` another one.

    Call before `open_write`, in a view with `late_transaction=True`: each try is counted in a transaction of its own,
    before it is looked at. Raise `Invalid` naming the field for a wrong password, 429 `too_often`, `Forbidden` for a
    token and for whoever has not yet chosen a password of his own.
    """
    session = own_session()
    assert session.user_id is not None
    login = form.get("signer_login", "").strip().lower()[:_MAX_LOGIN]
    if login:
        return _other(login, form.get("signer_password", ""))
    return _own(session.user_id, form.get("password", ""))


def _own(user_id: uuid.UUID, password: str) -> Signer:
    keys = code_keys(f"prove:{user_id}")
    _count(keys)
    with read_apart() as reader:
        try:
            prove(reader, user_id, password)
        except Forbidden:
            raise _wrong(str(user_id), "password") from None
        return _right(reader, user_id, keys, "own_session")


def _other(login: str, password: str) -> Signer:
    keys = sign_in_keys(login, request.remote_addr or "", known_device(login))
    _count(keys)
    with read_apart() as reader:
        checked = check_password(reader, login, password)
        if checked is None:
            raise _wrong(actor_of_login(reader, login), "signer_password")
        return _right(reader, checked.user_id, keys, "at_this_device")


def _right(reader: Session, user_id: uuid.UUID, keys: Mapping[str, str], how: How) -> Signer:
    with write_apart() as writer:
        was_right(writer, keys)
    if not has_own_password(reader, user_id):
        # Whoever handed a one-time password over knows it too.
        raise Forbidden(
            "请先登录并换成自己的密码，再来签字 / choose a password of your own first",
            code="one_time_password",
        )
    user = get_user(reader, user_id)
    return Signer(user.id, str(user.id), user.name, user.employee_id, how)


def _count(keys: Mapping[str, str]) -> None:
    with write_apart() as writer:
        wait = take_try(writer, keys, sign_in_limits(), page_now())
    if wait > dt.timedelta(0):
        log.warning("signing_braked", ip=request.remote_addr or "")
        raise Problem(
            429,
            "too_often",
            "密码试得太多了，请过一会儿再试 / too many tries: wait a while",
            retry_after_s=int(wait.total_seconds()) + 1,
        )


def _wrong(actor: str, field: str) -> Invalid:
    log.warning("signing_denied", ip=request.remote_addr or "")
    entry = AuditEvent(
        at=page_now(), actor=actor, action="session.refused", object=f"principal:{actor}",
        ip=request.remote_addr or "", outcome="refused", details={"step": "signing"},
    )  # fmt: skip
    with write_apart() as writer:
        record(writer, entry)
    message = (
        "密码不正确 / the password is not right"
        if field == "password"
        else "登录名或密码不正确 / name or password is not right"
    )
    return Invalid(message, code="bad_password", fields=[FieldError(field, "bad_password", message)])
