"""Notices of the month: to each employee his own amount and why, to the lead the counts; never another's name."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.allowance import store
from app.allowance.model import AllowanceLine, AllowanceMonth, TopupClaim
from app.allowance.rules import LineState, bounds, closable_from, month_after, month_of
from app.allowance.tools import CLOSERS, SUBJECT, close_key
from app.allowance.words import CLAIM, LINE, MATTER, minute, reasons, yuan
from app.notify import Recipients, tell
from app.policy import PolicyFiles, effective_many
from app.tasks import open_task

_LINES_AT_ONCE = 200


def tell_lines(session: Session, now: dt.datetime) -> int:
    """Tell some lines that nobody was told of yet, apart from the closing: it must not wait for a thousand notices."""
    lines = store.untold(session, _LINES_AT_ONCE)
    for line in lines:
        _tell_line(session, line, now)
    store.mark_told(session, [line.id for line in lines], now)
    return len(lines)


def _tell_line(session: Session, line: AllowanceLine, now: dt.datetime) -> None:
    word = LINE[line.state][1]
    corrected = "更正：" if line.revision > 1 else ""
    paid = line.amount_fen if line.state == LineState.PAYABLE else 0
    tell(
        session,
        key=f"allowance:{line.id}",
        kind=f"allowance_{line.state}",
        centre_id=line.centre_id,
        to=Recipients(employees=(line.employee_id,), group=line.state == LineState.CANCELLED),
        title=f"{corrected}{line.month} 话费补贴{word}，应发 {yuan(paid)}",
        body="\n".join(_body(line)),
        link="/my/allowance",
        now=now,
    )


def _body(line: AllowanceLine) -> list[str]:
    told = [
        f"保管 {line.days} 天，补贴标准折算 {yuan(line.amount_fen)}。",
        reasons(line.state, line.strikes, line.suspected, line.undecided) + "。",
    ]
    told += [f"{minute(m['at'])} {MATTER.get(m['kind'], m['kind'])}" for m in line.matters]
    if line.revision > 1:
        told.append(f"更正原因：{line.why}")
    if line.state != LineState.PAYABLE:
        told.append("证据和申诉入口见“我的补贴”。")
    return told


def tell_closed(
    session: Session, row: AllowanceMonth, counts: Sequence[tuple[str, int]], now: dt.datetime
) -> None:
    """Lead and finance hear how many, and look names up where their rights are checked."""
    told = "，".join(f"{LINE[state][1]} {people} 人" for state, people in counts)
    tell(
        session,
        key=f"allowance_closed:{row.id}",
        kind="allowance_closed",
        centre_id=row.centre_id,
        to=Recipients(roles=CLOSERS, group=True),
        title=f"{row.month} 话费补贴已关账",
        body=told or "当月无人保管手机",
        link=f"/allowance/{row.month}/{row.centre_id}",
        now=now,
    )


def tell_claim(session: Session, claim: TopupClaim, now: dt.datetime) -> None:
    """The employee hears what became of his receipt; a new one is finance's."""
    fresh = claim.state == "filed"
    to = Recipients(roles=("finance",)) if fresh else Recipients(employees=(claim.employee_id,))
    paid = claim.approved_fen if claim.approved_fen is not None else claim.paid_fen
    tell(
        session,
        key=f"topup:{claim.id}:{claim.version}",
        kind="topup_claim",
        centre_id=claim.centre_id,
        to=to,
        title=f"充值报销{CLAIM[claim.state][1]}：{claim.month}，{yuan(paid)}",
        body=claim.reason or "",
        link=f"/allowance/claims/{claim.id}" if fresh else f"/my/allowance/claims/{claim.id}",
        now=now,
    )


def ask_to_close(session: Session, files: PolicyFiles, now: dt.datetime) -> int:
    """Put last month on the list of things to do, in each centre where it may be closed and is not."""
    month = month_after(month_of(now), -1)
    centres = store.centres_not_closed(session, month, *bounds(month))
    policies = effective_many(session, files, SUBJECT, [centre.id for centre in centres])
    asked = 0
    for centre in centres:
        opens = closable_from(month, policies[centre.id].body["grace_days"])
        if now >= opens:
            asked += _ask(session, centre.id, month, opens, now)
    return asked


def _ask(session: Session, centre_id: uuid.UUID, month: str, opens: dt.datetime, now: dt.datetime) -> bool:
    return open_task(
        session,
        key=close_key(centre_id, month),
        kind="month",
        centre_id=centre_id,
        title=f"{month} 话费补贴可以关账了",
        link=f"/allowance/{month}/{centre_id}",
        due_at=opens + dt.timedelta(days=7),
        roles=CLOSERS,
        now=now,
    )
