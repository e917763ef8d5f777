"""A reset by hand, or at a console: the person says when he begins and what he did; his word proves nothing yet."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.errors import Conflict, Forbidden
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, required, wrong
from app.wipe import store
from app.wipe.identity import reading_of
from app.wipe.model import Wipe
from app.wipe.noting import write_step
from app.wipe.rails import Look, blockers, refuse
from app.wipe.releasing import at_phone, bind, still_open, typed_imei
from app.wipe.rules import BY_HAND, over
from app.wipe.states import Event, State
from app.wipe.tools import MAX_REASON, PERFORMERS, Tools, policy_of, span_of


def begin_guided(
    session: Session,
    principal: Principal,
    tools: Tools,
    wipe_id: uuid.UUID,
    *,
    typed_tag: str,
    typed_imei6: str,
    imei_typed: str | None,
    photo: bytes | None,
    now: dt.datetime,
) -> Wipe:
    """The person at the phone begins. A gateway read the phone and its IMEI in the last minutes; where it read no IMEI,
    he types the whole of it from `*#06#`; where it read nothing, he takes a picture of that, too (`photo`: JPEG as the
    edge took it in). Any approved strategy may be done so.

    From here on the phone may be erased. Raise as `release`.
    """
    row = at_phone(session, principal, wipe_id, typed_tag, typed_imei6)
    store.lock_centre(session, row.centre_id)
    policy = policy_of(session, tools, row.centre_id)
    read = reading_of(session, row.handset_id)
    seen = read is not None and not over(read.at, now, span_of(policy.body, "reading_minutes"))
    # What a gateway saw is this phone only where that told its IMEI; else a person reads it off, as for a release.
    named = seen and read is not None and bool(read.imeis)
    typed = typed_imei(row, imei_typed or "") if imei_typed or not named else None
    if not seen and photo is None:
        raise wrong("photo", "请拍下 *#06# 显示的 IMEI / a picture of *#06# is needed", "photo_needed")
    refuse(blockers(session, tools, row, Look.RELEASE, now, by=principal.user))
    kept = tools.blobs.put(session, photo, "image/jpeg", now) if photo is not None else None
    expect: dict[str, Any] | None = read.expect if seen and read is not None else None
    store.move(
        session, row, Event.GUIDE, now, tries=row.tries + 1, done_by=BY_HAND, released_by=principal.user,
        released_at=now, ordered_at=now, imei_typed=typed, expect=expect, command_id=None, agent_id=None, why=None,
        lock_cleared=still_open(row, read if seen else None), proof_photo=kept, acknowledged_at=None, silent_at=None,
    )  # fmt: skip
    bind(session, row, principal.user, now, "guide", seen_by="gateway" if seen else "person")
    return row


def report_reset(
    session: Session,
    principal: Principal,
    wipe_id: uuid.UUID,
    *,
    done: bool,
    words: str = "",
    now: dt.datetime,
) -> Wipe:
    """What came of it, by who began it: carried out, or not begun at all (then `words` say why).

    Raise `Conflict` when no reset by hand is under way.
    """
    row = store.find(session, principal, wipe_id)
    principal.require_role(row.centre_id, *PERFORMERS)
    if row.done_by != BY_HAND:
        raise Conflict("这次清除由网关执行，等它的回报 / the gateway does this one", code="by_agent")
    if principal.user != row.released_by:
        raise Forbidden("请由开始手工重置的人报告 / only who began it", code="not_performer")
    if done:
        said = one_line(words, MAX_REASON)
        store.move(session, row, Event.ACKNOWLEDGE, now, acknowledged_at=now, why=None)
    else:
        said = required(words, "words", "请写明为什么没有做 / say why not")
        if row.state == State.SILENT:
            raise Conflict(
                "已经超过时限，只能通过检查确认没有清除 / too late to say so: let it be inspected",
                code="wipe_state",
            )
        store.move(session, row, Event.STOP, now, why="not_begun", ordered_at=None)
    write_step(session, row, "report", said, principal.user, now, done=done)
    return row
