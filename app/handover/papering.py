"""The text that both sides sign, and the paper that it becomes: plain data from a leg's rows."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy.orm import Session

from app.escrow import SecretState
from app.handover import store
from app.handover.model import Handover, HandoverLeg, HandoverSignature
from app.handover.proposing import handsets_of, item_states
from app.handover.records import changes_of, name_of
from app.handover.rules import (
    CATEGORIES,
    CHANGE_WORDS,
    KIND_WORDS,
    REASONS,
    SIDE_WORDS,
    UNKNOWN,
    Change,
    ChangeKind,
    ItemState,
)
from app.handover.testing import TestLine, matters_of, secrets_of, tests_of
from app.kernel.clock import to_rfc3339
from app.papers import (
    Column,
    Document,
    Fields,
    Photo,
    Photos,
    Signatures,
    Signed,
    Table,
    Text,
)
from app.policy import PolicyFiles, effective
from app.registry import Handset, Post, ServiceCentre

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_PRESENT = {True: "在", False: "不在场", None: "不清楚"}
_RESULTS = {"pass": "通过", "fail": "不通过", UNKNOWN: "未知"}
HOW = {"own_session": "本人登录并重新输入密码", "at_this_device": "在对方设备上输入本人密码"}
_HEAD = "基本情况"
FACTS = "清点记录摘要"
"""The field that ties the text to the rows it was made of."""


def minute(instant: dt.datetime | None) -> str:
    return "—" if instant is None else instant.astimezone(_SHANGHAI).strftime("%Y-%m-%d %H:%M")


def build(
    session: Session, case: Handover, leg: HandoverLeg, *, policies: PolicyFiles, now: dt.datetime
) -> Document:
    """What the leg's rows say now. Internal: the caller may see the leg."""
    body = effective(session, policies, "handover", leg.centre_id).body
    items = item_states(session, leg.id)
    labels = {c["code"]: c["label"] for c in body["conditions"]} | {UNKNOWN: "不清楚", "": "—"}
    parts: list[Fields | Table | Text | Photos | Signatures] = [
        _head(session, case, leg, now),
        _items(items, labels),
        _changes(changes_of(session, leg), labels, first=leg.previous_id is None),
        _tests(tests_of(session, leg, policies=policies, now=now)),
        _counts(leg, body["counts"]),
        *_as_it_stands(session, case, leg, policies, now),
        _exceptions(session, leg),
    ]
    photos = [Photo(sha, item.name) for item in items for sha in item.photos]
    if photos:
        parts.append(Photos("照片", tuple(photos)))
    parts.append(Text("双方确认", _DECLARATION))
    title = "领取登记单" if case.kind == "issue" else "移交物品单"
    return Document(title, _subtitle(session, case, leg), tuple(parts))


def _as_it_stands(
    session: Session, case: Handover, leg: HandoverLeg, policies: PolicyFiles, now: dt.datetime
) -> list[Table | Text]:
    """Passwords and open matters are those of the day: a correction, made later, would tell of who has the kit now."""
    if leg.corrects_id is not None:
        return [Text("密码状态、未了事项", "更正不重新核对，以被更正的单据为准。")]
    return [
        _secrets(secrets_of(session, leg, policies=policies, now=now)),
        _matters(session, case, leg),
    ]


_DECLARATION = (
    "双方当面清点了以上物品，看过检测结果、密码状态和异议，认可本单内容。\n"
    "签字以后，物品的保管责任由移交人转给接收人；与上次记录的差异，按本单所列保管期间认定责任（R04）。\n"
    "公司设置的号码密码和微信密码，任何人不得自行更改（R07）。"
)


def _subtitle(session: Session, case: Handover, leg: HandoverLeg) -> str:
    post = session.get_one(Post, case.post_id)
    step = "领取" if case.kind == "issue" else ("移交人 → 负责人" if leg.number == 1 else "负责人 → 接任者")
    corrected = "（更正）" if leg.corrects_id else ""
    phones = [
        session.get_one(Handset, found).asset_tag for found in handsets_of(store.items_of(session, leg.id))
    ]
    return " · ".join([f"岗位 {post.code} {post.name}", *phones, f"{step}{corrected}"])


def _head(session: Session, case: Handover, leg: HandoverLeg, now: dt.datetime) -> Fields:
    centre = session.get_one(ServiceCentre, case.centre_id)
    rows = [
        ("服务中心", f"{centre.code} {centre.name}"),
        (
            "事由",
            f"{KIND_WORDS[case.kind]} · {REASONS[case.reason]}" + (f" · {case.note}" if case.note else ""),
        ),
        ("地点", case.place or "—"),
        ("移交人", name_of(session, leg.giver_id, leg.giver_user)),
        ("接收人", name_of(session, leg.receiver_id, leg.receiver_user)),
        ("主持人", name_of(session, None, case.lead_user)),
        ("定稿时间", minute(now)),
    ]
    if leg.previous_id is not None:
        before = session.get_one(HandoverLeg, leg.previous_id)
        rows.append(("上次记录", minute(before.completed_at)))
    if leg.corrects_id is not None:
        rows.append(("更正原因", leg.correction_reason or ""))
    rows.append((FACTS, facts_digest(session, leg)))
    return Fields(_HEAD, tuple(rows))


_UNREGISTERED = {"number": "ICCID 未登记", "wechat": "微信号未登记"}


def _items(items: Sequence[ItemState], labels: Mapping[str, str]) -> Table:
    rows = [
        (
            str(number), CATEGORIES.get(item.category, item.category), item.name, _identifier(item),
            _PRESENT[item.present], labels.get(item.condition, item.condition), item.words,
        )
        for number, item in enumerate(items, 1)
    ]  # fmt: skip
    widths = (("序号", 4), ("类别", 5), ("物品", 15), ("编号", 19), ("在场", 6), ("状况", 8), ("说明", 16))
    return _table("物品清单", widths, rows)


def _identifier(item: ItemState) -> str:
    """The numbers that tell it from another; one that nobody registered is said to be so, and not left blank."""
    if item.category == "handset" and "IMEI" not in item.identifier:
        return f"{item.identifier} · IMEI 未登记".removeprefix(" · ")
    return item.identifier or _UNREGISTERED.get(item.category, "—")


def _changes(changes: Sequence[Change], labels: Mapping[str, str], *, first: bool) -> Table | Text:
    if first:
        return Text("与上次记录的差异", "这套设备没有以前的记录，本单作为以后比较的依据。")
    shown = [change for change in changes if change.kind != ChangeKind.SAME]
    if not shown:
        return Text("与上次记录的差异", "没有差异。")
    rows = [
        (
            change.name, CHANGE_WORDS[change.kind], _state(change.before, labels), _state(change.after, labels),
            _holder(change),
        )
        for change in shown
    ]  # fmt: skip
    widths = (("物品", 12), ("差异", 8), ("上次", 14), ("这次", 14), ("期间保管人", 18))
    return _table("与上次记录的差异", widths, rows)


def _state(item: ItemState | None, labels: Mapping[str, str]) -> str:
    if item is None:
        return "未列入"
    if not item.present:
        return _PRESENT[item.present]
    return labels.get(item.condition, item.condition)


def _holder(change: Change) -> str:
    who = change.in_custody_of
    return "—" if who is None else f"{who.name} 自 {minute(who.since)}"


def _tests(lines: Iterable[TestLine]) -> Table:
    rows = [
        (
            line.label,
            "手工" if line.by_hand else "系统读取",
            _RESULTS[line.result],
            minute(line.at),
            line.words,
        )
        for line in lines
    ]
    widths = (("项目", 16), ("方式", 8), ("结果", 8), ("时间", 14), ("说明", 20))
    return _table("现场检测", widths, rows)


def _secrets(states: Iterable[SecretState]) -> Table:
    rows = [
        (
            state.subject_name, state.label, f"已备案 {minute(state.filed_at)}" if state.filed else "没有备案",
            _checked(state),
        )
        for state in states
    ]  # fmt: skip
    return _table("密码状态（不含密码）", (("所属", 14), ("种类", 12), ("备案", 18), ("最近核对", 18)), rows)


def _checked(state: SecretState) -> str:
    if state.matched is None or state.checked_at is None:
        return "没有核对"
    return f"{'一致' if state.matched else '不一致'} {minute(state.checked_at)}"


def _counts(leg: HandoverLeg, named: Iterable[Mapping[str, str]]) -> Table:
    rows = []
    for count in named:
        found = leg.counts.get(count["key"], {})
        value = found.get("value")
        rows.append((count["label"], "未知" if value is None else str(value), found.get("by", "") or "—"))
    return _table("数量核对", (("项目", 20), ("数量", 10), ("清点人", 14)), rows)


def _matters(session: Session, case: Handover, leg: HandoverLeg) -> Text:
    found = [matter.words for matter in matters_of(session, case, leg)]
    return Text("未了事项", "\n".join(found) if found else "没有。")


def _exceptions(session: Session, leg: HandoverLeg) -> Text:
    rows = store.exceptions_of(session, leg.id)
    lines = [f"{SIDE_WORDS[row.side]}（{minute(row.at)}）：{row.words}" for row in rows]
    return Text("异议", "\n".join(lines) if lines else "双方没有异议。")


def _table(heading: str, widths: Iterable[tuple[str, int]], rows: Iterable[tuple[str, ...]]) -> Table:
    return Table(heading, tuple(Column(label, width) for label, width in widths), tuple(rows))


def with_signatures(
    session: Session, leg: HandoverLeg, document: Document, rows: Iterable[HandoverSignature]
) -> Document:
    """The paper: the signed text, then who signed it."""
    signed = tuple(
        Signed(
            role=SIDE_WORDS[row.side] if row.instead_reason is None else f"见证人（代{SIDE_WORDS[row.side]}）",
            name=row.name, at=to_rfc3339(row.at), how=HOW.get(row.how, row.how), over=row.over, ink=row.ink,
            note="" if row.instead_reason is None else instead_note(session, leg, row),
        )
        for row in rows
    )  # fmt: skip
    return Document(document.title, document.subtitle, (*document.parts, Signatures("签字", signed)))


def instead_note(session: Session, leg: HandoverLeg, row: HandoverSignature) -> str:
    giver = row.side == "giver"
    ids = (leg.giver_id, leg.giver_user) if giver else (leg.receiver_id, leg.receiver_user)
    return f"{name_of(session, *ids)}没有签字，原因：{row.instead_reason}"


def facts_digest(session: Session, leg: HandoverLeg) -> str:
    """The sha256 of what the leg's rows hold: things, pictures, tests by hand, counts, exceptions; hexadecimal."""
    items = store.items_of(session, leg.id, removed=True)
    photos = store.photos_of(session, [row.id for row in items])
    facts: dict[str, Any] = {
        "leg": str(leg.id),
        "sides": [str(leg.giver_id), leg.giver_user, str(leg.receiver_id), leg.receiver_user],
        "previous": str(leg.previous_id),
        "counts": leg.counts,
        "items": [
            [
                str(row.id), row.key, row.category, row.origin, row.name, row.identifier, row.present, row.condition,
                row.words, row.removed_reason, [[p.sha256, p.caption] for p in photos.get(row.id, [])],
            ]
            for row in items
        ],
        "tests": [[t.key, t.result, t.words, t.by, to_rfc3339(t.at)] for t in store.tests_of(session, leg.id)],
        "exceptions": [
            [e.side, e.words, e.by, to_rfc3339(e.at)] for e in store.exceptions_of(session, leg.id)
        ],
    }  # fmt: skip
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()
