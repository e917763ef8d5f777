"""What keeps a phone from being erased. Looked at when it is asked for, approved, released, and as the order leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from enum import StrEnum

from sqlalchemy.orm import Session

from app.contracts import running_contract
from app.escrow import lock_order_runs
from app.handover import open_handovers
from app.hardware import is_lost, waiting_of
from app.kernel.errors import Conflict, FieldError, NotFound
from app.kernel.ids import parse_id
from app.kernel.tenancy import SYSTEM
from app.people import principal_of
from app.registry import Handset, HandsetRef, history_of, holder_of, holds_on, placeholder_serial
from app.transfer import transfer_state
from app.wipe import store
from app.wipe.identity import Reading, reading_of, same_phone
from app.wipe.model import Wipe
from app.wipe.restored import behind_checkpoints
from app.wipe.rules import BEYOND_REPAIR, CHECKLIST, Blocker, checklist_gaps
from app.wipe.tools import APPROVERS_FOR_LEADS, PERFORMERS, Tools, policy_of
from app.wipe.verifying import approval_problems

_TRANSFER_WORDS = {
    "none": "数据还没有迁移", "running": "数据正在迁移", "unverified": "数据迁移还没有核对通过",
}  # fmt: skip


class Look(StrEnum):
    """When it is looked. What is only known, or only counts, later is not asked earlier."""

    REQUEST = "request"
    APPROVE = "approve"
    RELEASE = "release"
    LEASE = "lease"


def blockers(
    session: Session, tools: Tools, wipe: Wipe, look: Look, now: dt.datetime, *, by: str | None = None
) -> list[Blocker]:
    """Everything that stands in the way now, each with its way out. What two approvers set aside is left out from the
    release on. `by`: who acts, for his own share of the cap. Internal: the caller may see the wipe.
    """
    acts = look in (Look.RELEASE, Look.LEASE)
    # Locked until the order is out: a hold, a new custody or a corrected serial that is just being written is waited
    # for, and none is written between this look and what follows from it.
    phone = session.get_one(Handset, wipe.handset_id, populate_existing=True, with_for_update=acts)
    found = [*_identity(session, tools, wipe, phone, look, now), *_matters(session, wipe, now, lock=acts)]
    found += [*_used_later(session, tools, wipe), *_moved_other(session, wipe)]
    if acts:
        found += [*_authority(session, tools, wipe, now), *_performer(session, wipe, look, now)]
        found += _pace(session, tools, wipe, look, now, by)
        waived = {one["code"] for one in wipe.waivers} if wipe.second_by is not None else set()
        found = [one for one in found if not (one.waivable and one.code in waived)]
    gaps = checklist_gaps(wipe.checklist)
    if gaps:
        items = "；".join(CHECKLIST[item] for item in gaps)
        found.append(Blocker("checklist", f"清单还没有满足：{items}", f"/wipes/{wipe.id}"))
    return found


def refuse(found: Sequence[Blocker]) -> None:
    """Raise `Conflict` `blocked` that names them all; nothing when there is none."""
    if found:
        raise Conflict(
            "现在不能清除：" + "；".join(one.words for one in found),
            code="blocked",
            fields=[FieldError(one.code, "blocked", one.words) for one in found],
        )


def _identity(
    session: Session, tools: Tools, wipe: Wipe, phone: Handset, look: Look, now: dt.datetime
) -> Iterator[Blocker]:
    link = f"/phones/{phone.id}"
    imeis = tuple(i.imei for i in phone.imeis)
    retired = phone.retired_at is not None
    if placeholder_serial(phone.serial):
        yield Blocker("placeholder_serial", "登记的序列号是很多手机共用的，认不准是哪一台", link)
    if not imeis:
        yield Blocker("no_imei", "档案里没有 IMEI，认不准是哪一台：先补登", link)
    if retired:
        yield Blocker("retired", "手机已在档案中停用", link)
    ref = HandsetRef(phone.id, phone.centre_id, phone.serial, imeis, retired)
    if look is not Look.REQUEST and not retired and not same_phone(wipe, ref):
        yield Blocker("identity_changed", "手机的档案在申请之后改过：撤回，核对后重新申请", link)
    read = reading_of(session, phone.id)
    # The request takes it from the reading of its moment: a draft may be older than the first reading.
    met = (read.android_id if read else None) if look is Look.REQUEST else wipe.android_id
    if wipe.strategy == "test_harness" and met is None:
        yield Blocker(
            "not_met", "申请之前网关没有读到过这台手机：接到网关上读一次再申请，或改为手工恢复出厂", link
        )
    if read is None:
        return
    days = policy_of(session, tools, wipe.centre_id).body["known_days"]
    if wipe.strategy == "test_harness" and read.android_id and _too_new(read, now - dt.timedelta(days=days)):
        words = f"网关以现在的系统标识认识这台手机还不到 {days} 天：等到期，或改为手工恢复出厂"
        yield Blocker("too_new", words, link)
    # A serial can be flashed, an IMEI typed off the file; this one nobody chooses, and only a reset changes it.
    if look is not Look.REQUEST and wipe.android_id and read.android_id not in (None, wipe.android_id):
        words = "手机的系统标识与申请时不同：可能不是同一台，或已被重置过。核对后撤回，重新申请"
        yield Blocker("android_changed", words, link)
    other = read.serial not in (None, phone.serial) or bool(read.imeis and not set(read.imeis) & set(imeis))
    if read.refused or other:
        yield Blocker("identity_contradicted", "以这个序列号应答的是另一台手机，先弄清是哪一台", link)


def _too_new(read: Reading, enough: dt.datetime) -> bool:
    """Whether only time could tell it from another phone that came instead: it hides its IMEI, and a person may type
    one off the file; or another `android_id` was read before, and whoever flashes a serial can flash an IMEI.
    """
    if read.known is not None and read.known.since <= enough:
        return False
    return not read.imeis or read.known is None or read.known.replaced


def _matters(session: Session, wipe: Wipe, now: dt.datetime, *, lock: bool) -> Iterator[Blocker]:
    """Of other rooms: nobody's phone, nobody's matter, nothing on it that is needed."""
    handset_id, link = wipe.handset_id, f"/phones/{wipe.handset_id}"
    cases = open_handovers(session, SYSTEM, handset_id=handset_id)
    yield from (Blocker("handover_open", "它的交接还没有完成", f"/handovers/{case.id}") for case in cases)
    for hold in holds_on(session, [("handset", handset_id)]):
        if not (cases and hold.cause.startswith("handover:")):
            yield Blocker("held", f"手机被锁定：{hold.reason}", hold.link)
    held = holder_of(session, SYSTEM, handset_id, now)
    if held is not None:
        who = f"（{held.employee_name}）" if held.employee_name else ""
        yield Blocker("in_custody", f"手机还在岗位 {held.post_name}{who} 名下，先收回", link)
    moved = transfer_state(session, handset_id)
    if moved.code in _TRANSFER_WORDS:
        yield Blocker("transfer_open", _TRANSFER_WORDS[moved.code], moved.link)
    if is_lost(session, handset_id):
        yield Blocker("lost", "手机报了遗失，还没有登记找回", link)
    if lock_order_runs(session, handset_id):
        yield Blocker("lock_order", "网关正在处理它的锁屏密码，等结果", "/escrow")
    yield from _disposal(session, wipe, now, lock=lock)


def _used_later(session: Session, tools: Tools, wipe: Wipe) -> Iterator[Blocker]:
    """What somebody put on the phone after its transfer is nowhere else."""
    moved = transfer_state(session, wipe.handset_id)
    custody = history_of(session, SYSTEM, wipe.handset_id)
    until = custody[-1].until if custody else None
    hours = policy_of(session, tools, wipe.centre_id).body["used_hours"]
    if moved.code in _TRANSFER_WORDS or moved.at is None or until is None:
        return
    if until > moved.at + dt.timedelta(hours=hours):
        words = f"迁移完成以后它还在岗位上用了超过 {hours} 小时，后来的资料没有迁移过：再迁移一次"
        yield Blocker("used_later", words, f"/transfers/new?old={wipe.handset_id}")


def _moved_other(session: Session, wipe: Wipe) -> Iterator[Blocker]:
    """Data that was taken off another phone of this serial proves nothing of the data on this one."""
    moved, read = transfer_state(session, wipe.handset_id), reading_of(session, wipe.handset_id)
    met = {wipe.android_id, read.android_id if read else None} - {None}
    if moved.code in ("verified", "accepted") and moved.android_id and met - {moved.android_id}:
        words = (
            "迁移数据时手机的系统标识与现在不同：可能不是同一台，或后来重置过。再迁移一次，或由两人批准免迁移"
        )
        yield Blocker("moved_other", words, f"/transfers/new?old={wipe.handset_id}")


def _disposal(session: Session, wipe: Wipe, now: dt.datetime, *, lock: bool) -> Iterator[Blocker]:
    waits = waiting_of(session, wipe.handset_id, lock=lock)
    if waits is None or waits.id != wipe.disposal_id:
        words = "待销毁的决定已经取消或改变：取消这次清除，需要时重新建立"
        yield Blocker("no_disposal", words, "/hardware/disposals")
        return
    runs = running_contract(session, wipe.handset_id, waits.source, now)
    if runs is not None:
        broken = waits.cause == BEYOND_REPAIR
        words = f"它的号码合约到 {runs.ends_on} 才到期" + ("（损坏无法修复的，须两人批准）" if broken else "")
        yield Blocker("contract_runs", words, f"/contracts/{runs.id}", waivable=broken)


def _authority(session: Session, tools: Tools, wipe: Wipe, now: dt.datetime) -> Iterator[Blocker]:
    link = f"/wipes/{wipe.id}"
    problems = list(approval_problems(session, wipe))
    if problems:
        words = "批准的内容与审计记录对不上，可能被改动过：不能执行，请核查"
        yield Blocker("tampered", words, link)
    gone = [
        user
        for user in (wipe.approved_by, wipe.second_by)
        if not _still(session, wipe, user, APPROVERS_FOR_LEADS, now)
    ]
    if gone:
        yield Blocker("approver_gone", "批准的人已停用，或不再有批准权：撤回，由现任的人重新批准", link)
    if wipe.lapses_at <= now:
        yield Blocker("lapsed", "批准已过期，重新申请", link)
    if wipe.arms_at is None or wipe.arms_at > now:
        yield Blocker("cooling", "冷静期还没有结束", link)
    if behind_checkpoints(session, tools.checkpoint_dir):
        words = "数据库比外面保存的检查点旧（可能恢复过备份）：先核查，再重新申请"
        yield Blocker("restored", words, "/audit")


def _performer(session: Session, wipe: Wipe, look: Look, now: dt.datetime) -> Iterator[Blocker]:
    """Who released it stands for it until it is out."""
    if look is Look.LEASE and not _still(session, wipe, wipe.released_by, PERFORMERS, now):
        yield Blocker("performer_gone", "执行的人已停用，或不再有执行权", f"/wipes/{wipe.id}")


def _still(session: Session, wipe: Wipe, user: str | None, roles: Sequence[str], now: dt.datetime) -> bool:
    """Whether who acted then is still somebody who may; True where nobody did."""
    user_id = parse_id(user or "")
    if user_id is None:
        return True
    try:
        return principal_of(session, user_id, now).may(wipe.centre_id, *roles)
    except NotFound:
        return False


def _pace(
    session: Session, tools: Tools, wipe: Wipe, look: Look, now: dt.datetime, by: str | None
) -> Iterator[Blocker]:
    """The cap on releases. As the order leaves, this one is among those that are counted."""
    body = policy_of(session, tools, wipe.centre_id).body
    own = 1 if look is Look.LEASE else 0
    day = store.count_releases(session, now - dt.timedelta(days=1), centre_id=wipe.centre_id) - own
    if day >= body["centre_day"]:
        yield Blocker("rate_centre", f"本中心 24 小时内最多执行 {body['centre_day']} 次，过一会儿再来")
    actor = wipe.released_by if look is Look.LEASE else by
    hour = store.count_releases(session, now - dt.timedelta(hours=1), by=actor) - own
    if actor is not None and hour >= body["person_hour"]:
        yield Blocker("rate_person", f"一个人一小时内最多执行 {body['person_hour']} 次，过一会儿再来")
