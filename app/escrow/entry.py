"""The blind check for the edges of other rooms: counted, looked at and noted each in a transaction of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from flask import g

from app.escrow import checking, store
from app.escrow.filing import SameAsInForce
from app.escrow.sealing import Tampered, note, tampered_event
from app.http.identity import current_principal
from app.http.pages import page_now
from app.http.problems import Problem
from app.http.transaction import write_apart
from app.kernel.db import db
from app.runtime import runtime


def blind_check(secret_id: uuid.UUID, typed: str) -> bool:
    """Whether what the caller typed is the secret in force. Only in a view with `late_transaction`, before its write.

    What the view must look up before it reads by `read_apart()`. The try is committed before anything is looked at, and
    what was found before the view goes on: neither is undone by what the view does then. Raise 429 `too_often`,
    `NotFound`, `Forbidden`, `Conflict` (nothing in force), `Unavailable` (sealed, damaged).
    """
    if g.get("writes"):
        # With the database's only write lock in hand, the try could not be committed apart from it.
        raise RuntimeError("blind_check comes before open_write()")
    here, who, now = runtime(), current_principal(), page_now()
    with write_apart() as writer:
        counted = checking.take_try(writer, who, secret_id, vault=here.vault, policies=here.policies, now=now)
    if not counted:
        raise Problem(429, "too_often", "今天对这个密码的核对次数已用完，请明天再核对 / no more checks today")
    with telling_of_damage(), write_apart() as writer:
        return checking.check(writer, who, secret_id, typed, vault=here.vault, now=now)


@contextmanager
def telling_of_damage() -> Iterator[None]:
    """A record that is not what was filed is an audit event, though the request is refused and undone; and so is it
    that somebody was told which password is in force, by filing it again.
    """
    try:
        yield
    except SameAsInForce as exc:
        db.session().rollback()
        with write_apart() as writer:
            secret, who = store.lock(writer, exc.secret_id), current_principal().user
            note(writer, who, secret, "escrow.file_same", page_now(), outcome="refused")
        raise
    except Tampered as exc:
        db.session().rollback()
        with write_apart() as writer:
            tampered_event(writer, exc, current_principal().user, page_now())
        raise
