"""The paper of a settled transfer: what was moved, what was not, who took it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.kernel.keys import KeyStore
from app.kernel.tenancy import SYSTEM
from app.papers import Column, Document, Fields, Paper, Photo, Photos, Table, Text, issue_paper
from app.people import names_of
from app.registry import Handset
from app.transfer import manifest_store, store
from app.transfer.model import Transfer, TransferWechat
from app.transfer.noting import write_step
from app.transfer.rules import Final
from app.transfer.states import WORDS
from app.transfer.tools import PART_WORDS
from app.transfer.wire_schemas import parse_final
from app.transfer.words import COPY, ENTRY, PART, WECHAT, entry_words, note_words, size_words

SHANGHAI = ZoneInfo("Asia/Shanghai")
_AT_ONCE = 20
Part = Fields | Table | Text | Photos


def issue_missing(session: Session, keys: KeyStore, now: dt.datetime) -> int:
    """A paper for each settled transfer that has none; how many."""
    rows = store.without_paper(session, _AT_ONCE)
    for row in rows:
        issue(session, keys, row, now)
    return len(rows)


def issue(session: Session, keys: KeyStore, row: Transfer, now: dt.datetime) -> Paper:
    document = build(session, row)
    paper = issue_paper(
        session, SYSTEM.user, kind="transfer", centre_id=row.centre_id, subject=f"transfer:{row.id}",
        document=document, parties=(), now=now, keys=keys,
    )  # fmt: skip
    store.change(session, row, paper_id=paper.id)
    write_step(session, row, "paper", paper.number, SYSTEM.user, now, audited=False)
    return paper


def build(session: Session, row: Transfer) -> Document:
    """What is printed."""
    wechat = next(iter(store.wechat_of(session, row.id)), None)
    final = None if row.result is None else parse_final(row.result)
    old = session.get_one(Handset, row.old_id)
    new = None if row.new_id is None else session.get_one(Handset, row.new_id)
    said = [
        row.opened_by,
        row.run_by,
        row.data_accepted_by,
        row.wechat_accepted_by,
        row.waived_by,
        row.ended_by,
    ]
    asked = [row.waive_asked_by, wechat.by if wechat else None]
    names = names_of(session, {name for name in (*said, *asked) if name is not None})
    parts: list[Part] = [
        _head(row, old, new, names),
        *_counts(row, final),
        *_short(session, row),
        *_wechat(wechat, names),
        *_decisions(row, names),
        Text("说明", _CLAIM),
    ]
    subtitle = f"{old.asset_tag} → {new.asset_tag if new else '无新机'}"
    return Document("数据迁移单", subtitle, tuple(parts))


def _head(row: Transfer, old: Handset, new: Handset | None, names: dict[str, str]) -> Fields:
    rows = [("结果", WORDS[row.state]), ("旧手机", _phone(old)), ("新手机", _phone(new) if new else "无")]
    rows += [("迁移内容", "、".join(PART_WORDS[part] for part in row.parts))]
    left_out = [words for part, words in PART_WORDS.items() if part not in row.parts]
    if left_out:
        rows.append(("没有选择迁移", "、".join(left_out)))
    if row.reason:
        rows.append(("原因", row.reason))
    if row.run_by is not None:
        rows.append(
            ("执行", f"{names.get(row.run_by, row.run_by)}，{_minute(row.started_at)}，共 {row.runs} 次")
        )
    rows.append(("完成", f"{_by(row.ended_by, names)}，{_minute(row.ended_at)}"))
    rows.append(("加密副本", f"{COPY[row.copy][1]}（出具本单时）"))
    return Fields("基本情况", tuple(rows))


def _counts(row: Transfer, final: Final | None) -> Sequence[Part]:
    if final is None:
        return ()
    lines: list[tuple[str, ...]] = []
    if final.files is not None:
        f = final.files
        short = f.differs + f.failed + f.skipped
        lines.append((PART_WORDS["files"], str(f.found), str(f.verified), str(short), size_words(f.bytes)))
    for part in final.parts:
        outcome = PART[part.outcome][1] + (f"：{note_words(part.reason)}" if part.reason else "")
        lines.append((PART_WORDS[part.name], _n(part.found), _n(part.verified), _n(part.differs), outcome))
    columns = (
        Column("内容", 4),
        Column("旧手机", 2),
        Column("已核验", 2),
        Column("有差异", 2),
        Column("备注", 4),
    )
    proof = (
        ("清单项数", _n(row.manifest_entries)),
        ("清单 SHA-256", row.manifest_sha256 or "没有完整的清单"),
    )
    return (Table("核验结果", columns, tuple(lines)), Fields("清单", proof))


def _short(session: Session, row: Transfer) -> Sequence[Part]:
    """Numbers alone: a paper goes through more hands than may read what customers' files are called."""
    if row.manifest_command is None:
        return ()
    lines = [
        (PART_WORDS[part], ENTRY[state][1], entry_words(reason), str(number))
        for part, state, reason, number in manifest_store.short_counts(session, row.manifest_command)
    ]
    columns = (Column("内容", 3), Column("情况", 2), Column("原因", 4), Column("项数", 1))
    return (Table("没有核验一致的项（名称见系统里的清单）", columns, tuple(lines)),) if lines else ()


def _wechat(record: TransferWechat | None, names: dict[str, str]) -> Sequence[Part]:
    if record is None:
        return ()
    rows = [("结果", WECHAT[record.outcome][1])]
    if record.began_at is not None:
        rows.append(("时间", f"{_minute(record.began_at)} 至 {_minute(record.finished_at)}"))
    rows.append(("会话数", f"旧手机 {_n(record.before)}，新手机 {_n(record.after)}"))
    if record.words:
        rows.append(("说明", record.words))
    rows.append(("登记", f"{names.get(record.by, record.by)}，{_minute(record.at)}"))
    parts: list[Part] = [Fields("微信聊天记录（微信自带迁移）", tuple(rows))]
    if record.photos:
        shots = tuple(Photo(name, f"截图 {number}") for number, name in enumerate(record.photos, 1))
        parts.append(Photos("微信迁移截图", shots))
    return parts


def _decisions(row: Transfer, names: dict[str, str]) -> Sequence[Part]:
    lines = []
    for what, by, at, why in (
        ("接受资料差异", row.data_accepted_by, row.data_accepted_at, row.data_reason),
        ("接受微信未全部迁移", row.wechat_accepted_by, row.wechat_accepted_at, row.wechat_reason),
        ("申请免迁移", row.waive_asked_by, row.waive_asked_at, row.waive_reason),
        ("批准免迁移", row.waived_by, row.ended_at, "" if row.waived_by is None else "同意"),
    ):
        if by is not None:
            lines.append((what, _by(by, names), _minute(at), why or ""))
    columns = (Column("决定", 3), Column("人员", 2), Column("时间", 3), Column("理由", 6))
    return (Table("人工决定", columns, tuple(lines)),) if lines else ()


def _phone(phone: Handset) -> str:
    imeis = "、".join(i.imei for i in phone.imeis) or "未登记"
    return f"{phone.asset_tag}　{phone.brand} {phone.model}　序列号 {phone.serial}　IMEI {imeis}"


def _by(user: str | None, names: dict[str, str]) -> str:
    if user is None:
        return "—"
    return "网关" if user.startswith("agent:") else names.get(user, user)


def _minute(instant: dt.datetime | None) -> str:
    return "—" if instant is None else instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _n(value: int | None) -> str:
    return "不清楚" if value is None else str(value)


_CLAIM = (
    "“已核验”是指写入新手机后重新读取、内容摘要或数量与旧手机一致。微信聊天记录由微信自带功能迁移，本系统不读取，以登记人"
    "看到的会话数和截图为准。应用自己的数据（如登录状态、草稿）不在迁移范围内。"
)
