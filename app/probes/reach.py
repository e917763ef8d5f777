"""Phones that were not heard for long: a task to plug them in, then one to go and look, closed when they are met."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.duty import excuse_facts
from app.kernel.tenancy import SYSTEM
from app.observers import trusted
from app.policy import PolicyFiles, effective_many
from app.probes import store
from app.probes.model import OutOfReach
from app.probes.rules import SHANGHAI
from app.probes.schedule import SUBJECT
from app.readings import Heard, last_heard
from app.registry import Handset, find_handset, holder_of
from app.tasks import close_task, open_task

_HOUR = dt.timedelta(hours=1)


def watch_reach(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Open and close the tasks; return how many phones are out of reach for long.

    While nobody can be believed (server or site just came back) no task is opened: the silence may be ours.
    """
    standing = store.out_of_reach(session)
    phones = {phone.handset_id: phone for phone in last_heard(session)}
    met = [
        row
        for row in standing.values()
        if row.handset_id not in phones or phones[row.handset_id].at > row.heard_at
    ]
    for row in met:
        _close(session, row, "又读到这部手机" if row.handset_id in phones else "手机已停用", now)
        del standing[row.handset_id]
    store.drop_out_of_reach(session, met)
    return len(standing) + _open(session, policies, list(phones.values()), standing, now)


def _open(
    session: Session,
    policies: PolicyFiles,
    phones: list[Heard],
    standing: dict[uuid.UUID, OutOfReach],
    now: dt.datetime,
) -> int:
    found = effective_many(session, policies, SUBJECT, {phone.centre_id for phone in phones})
    believed = {centre_id: trusted(session, centre_id, now) for centre_id in found}
    made = 0
    for phone in phones:
        body, silent = found[phone.centre_id].body, now - phone.at
        if not believed[phone.centre_id] or silent < body["plug_in_hours"] * _HOUR:
            continue
        row = standing.get(phone.handset_id)
        if row is None and _in_workshop(session, phone.handset_id, now):
            continue
        if row is None:
            row = OutOfReach(
                handset_id=phone.handset_id, centre_id=phone.centre_id, heard_at=phone.at, plug_in_at=now
            )
            session.add(row)
            session.flush()
            _ask(session, phone, "plug_in", now)
            made += 1
        if row.look_at is None and silent >= body["look_hours"] * _HOUR:
            row.look_at = now
            session.flush()
            _ask(session, phone, "look", now)
    return made


def _in_workshop(session: Session, handset_id: uuid.UUID, now: dt.datetime) -> bool:
    """Whether an approved maintenance or repair holds now: then everybody knows where the phone is."""
    return any(
        fact.reason != "delegation" and fact.start <= now and (fact.end is None or fact.end > now)
        for fact in excuse_facts(session, handset_id)
    )


def _key(kind: str, handset_id: uuid.UUID) -> str:
    return f"{kind}:{handset_id}"


_TITLES = {"plug_in": "请把手机 {tag} 接上底座或连回网络", "look": "请到现场查看手机 {tag}"}
_WHY = {
    "plug_in": "网关最后一次读到它是 {at}（北京时间）。联系不上不等于关机，接上后手机会自己说明。{holder}",
    "look": "网关从 {at}（北京时间）起一直没有读到它，请当面确认手机在哪里、能否开机。{holder}",
}


def _ask(session: Session, phone: Heard, kind: str, now: dt.datetime) -> None:
    handset: Handset = find_handset(session, SYSTEM, phone.handset_id)
    holder = holder_of(session, SYSTEM, phone.handset_id, now)
    who = f"保管人：{holder.employee_name}（{holder.post_name}）。" if holder and holder.employee_name else ""
    at = phone.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    open_task(
        session, key=_key(kind, phone.handset_id), kind=kind, centre_id=phone.centre_id, handset_id=phone.handset_id,
        title=_TITLES[kind].format(tag=handset.asset_tag), body=_WHY[kind].format(at=at, holder=who),
        link=f"/probes/phones/{phone.handset_id}", roles=("operations", "lead"), now=now,
    )  # fmt: skip


def _close(session: Session, row: OutOfReach, how: str, now: dt.datetime) -> None:
    for kind in _TITLES:
        close_task(session, _key(kind, row.handset_id), how=how, by=SYSTEM.user, now=now)
