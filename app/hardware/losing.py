"""What a lost phone asks for at once, what was done about it, and what ends with it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.escrow import kit_secrets, mark_lost
from app.guides import family_of
from app.hardware import store
from app.hardware.loss_rules import BY_CODE, CANNOT, DONE, OUTCOMES, POLICE, SEEN, STEPS, LossStep
from app.hardware.model import HardwareCase, LossDeed
from app.hardware.noting import ask, done, keep_photos, write_step
from app.hardware.states import Case
from app.hardware.tools import MAX_PHOTOS, REPORTERS, SUBJECT, Tools
from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import one_line, wrong
from app.policy import effective
from app.registry import Handset, Number, WeChatAccount, kit_of


@dataclass(frozen=True)
class Deed:
    """What a person says that he did of one step. `photos`: JPEG bytes as taken in."""

    what: str
    outcome: str
    words: str = ""
    receipt: str = ""
    photos: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class LossLine:
    """A step with what is known for this phone, and what was done of it, the latest first."""

    step: LossStep
    about: str
    deeds: Sequence[LossDeed]

    @property
    def outcome(self) -> str | None:
        return self.deeds[0].outcome if self.deeds else None


def begin(session: Session, tools: Tools, case: HardwareCase, now: dt.datetime) -> None:
    """Open the tasks, each with whom or what it is about; the passwords that the phone could give away fall due."""
    hours = effective(session, tools.policies, SUBJECT, case.centre_id).body["lost_hours"]
    due_at = now + dt.timedelta(hours=hours)
    about = _about(session, case)
    for step in STEPS:
        if step.what == POLICE and case.police_number:
            _reported_already(session, case, now)
            continue
        body = f"{about.get(step.what, '')}{step.how}凭据：{step.proof}。"
        ask(
            session, case, step.what, step.title, now, roles=step.roles, body=body, due_at=due_at, kind="lost_phone"
        )  # fmt: skip
    write_step(session, SYSTEM, case, "told", "做不到的事，登记时已说明：" + "".join(CANNOT), now)
    _passwords_fall_due(session, tools, case, now, due_at)


def _reported_already(session: Session, case: HardwareCase, now: dt.datetime) -> None:
    session.add(
        LossDeed(
            centre_id=case.centre_id, case_id=case.id, what=POLICE, outcome=DONE, words="登记遗失时已报警",
            receipt=case.police_number, photos=[], by=case.reported_by, at=now,
        )
    )  # fmt: skip


def _passwords_fall_due(
    session: Session, tools: Tools, case: HardwareCase, now: dt.datetime, due_at: dt.datetime
) -> None:
    kit = kit_of(session, case.post_id, case.happened_at) if case.post_id else None
    if kit is None:
        return
    filed = kit_secrets(
        session, SYSTEM, tools.policies, number_ids=kit.number_ids, wechat_ids=kit.wechat_ids, now=now
    )
    ids = [secret.id for secret in filed if secret.id is not None]
    mark_lost(session, tools.policies, ids, now, due_at=due_at)


def _about(session: Session, case: HardwareCase) -> Mapping[str, str]:
    """Which number, which account, whose page, which IMEI: what one needs to have at hand for a step."""
    kit = kit_of(session, case.post_id, case.happened_at) if case.post_id else None
    numbers = store.rows_of(session, Number, kit.number_ids if kit else ()).values()
    accounts = store.rows_of(session, WeChatAccount, kit.wechat_ids if kit else ()).values()
    phone = session.get_one(Handset, case.handset_id)
    imeis = "、".join(row.imei for row in phone.imeis) or "没有登记"
    find = family_of(phone.brand).find
    return {
        "lost_number": f"号码：{'、'.join(n.e164 for n in numbers) or '岗位上没有登记号码'}。",
        "lost_wechat": f"微信：{'、'.join(a.nickname for a in accounts) or '岗位上没有登记微信'}。",
        "lost_lock": f"{phone.brand}：{find.text}。{find.note}",
        "lost_erase": f"{phone.brand}：{find.text}。",
        POLICE: f"IMEI：{imeis}；序列号 {phone.serial}。",
    }


def loss_lines(session: Session, case: HardwareCase) -> list[LossLine]:
    """Every step of a loss, done or not; the last only once a gateway met the phone. Internal: of a case that the
    caller may see.
    """
    if case.kind != "loss":
        return []
    deeds, about = store.parts(session, LossDeed, case.id), _about(session, case)
    return [
        LossLine(step, about.get(step.what, ""), [d for d in reversed(deeds) if d.what == step.what])
        for step in (*STEPS, *([SEEN] if store.last_step(session, case.id, "seen") else []))
    ]


def record_deed(
    session: Session, principal: Principal, tools: Tools, case_id: uuid.UUID, deed: Deed, now: dt.datetime
) -> LossDeed:
    """Keep what was done, and close its task. By the desk, or by who answers for the phone.

    Raise `NotFound`, `Forbidden`, `Invalid` without anything that shows it, `Conflict` when the phone is back.
    """
    case = store.find(session, principal, case_id)
    if principal.employee is None or principal.employee != case.employee_id:
        principal.require_role(case.centre_id, *REPORTERS)
    if case.kind != "loss":
        raise Conflict("只有遗失才有这些处置 / for a loss only", code="not_lost")
    if case.state in (Case.FOUND, Case.DROPPED):
        raise Conflict("手机已找回或事项已撤销 / it is over", code="hardware_state")
    words, receipt = one_line(deed.words, 500), one_line(deed.receipt, 60)
    _require_proof(deed, words, receipt)
    row = LossDeed(
        centre_id=case.centre_id, case_id=case.id, what=deed.what, outcome=deed.outcome, words=words,
        receipt=receipt or None, photos=keep_photos(session, tools, deed.photos, MAX_PHOTOS, now),
        by=principal.user, at=now,
    )  # fmt: skip
    session.add(row)
    if deed.what == POLICE and receipt:
        store.change(session, case, police_number=receipt)
    _tell_history(session, principal, case, row, now)
    return row


def _require_proof(deed: Deed, words: str, receipt: str) -> None:
    if deed.what not in BY_CODE:
        raise wrong("what", "没有这一项 / no such step")
    if deed.outcome not in OUTCOMES:
        raise wrong("outcome", "请选择结果 / choose what came of it")
    if deed.outcome == DONE and not (words or receipt or deed.photos):
        raise wrong("words", f"请留下凭据：{BY_CODE[deed.what].proof} / leave what shows it")
    if deed.outcome == DONE and deed.what == POLICE and not receipt:
        raise wrong("receipt", "请填写报警回执号 / the number is required")
    if deed.outcome != DONE and not words:
        raise wrong("words", "请写明为什么 / say why")


def _tell_history(
    session: Session, principal: Principal, case: HardwareCase, row: LossDeed, now: dt.datetime
) -> None:
    what, how = BY_CODE[row.what].title, OUTCOMES[row.outcome][1]
    told = "，".join(part for part in (row.words, f"回执 {row.receipt}" if row.receipt else "") if part)
    if row.photos:
        told += f"（照片 {len(row.photos)} 张）"
    write_step(
        session, principal, case, "lost", f"{what}：{how}。{told}", now,
        what=row.what, outcome=row.outcome, receipt=row.receipt, photos=row.photos,
    )  # fmt: skip
    done(session, case, row.what, f"{how} {told}", principal.user, now)


def end(session: Session, case: HardwareCase, how: str, by: str, now: dt.datetime) -> None:
    """Close what is still open of it. Passwords that fell due stay so: who found the phone may know them."""
    for what in BY_CODE:
        done(session, case, what, how, by, now)
