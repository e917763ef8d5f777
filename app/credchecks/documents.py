"""What is signed and printed: the report of a round, the paper of a case. Words and figures, never a password."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.credchecks import case_store, kit_store, store
from app.credchecks.model import ChangeCase, CheckItem, CheckRound
from app.credchecks.rules import SECRET, SHANGHAI, tally
from app.credchecks.states import CASE_WORDS, FINDING_WORDS, ITEM_WORDS, Item
from app.credchecks.telling import last_day_of
from app.credchecks.tools import Tools
from app.credchecks.words import SOURCE_WORDS, item_word
from app.papers import Column, Document, Fields, Photo, Photos, Table, Text, issue_paper
from app.people import names_of
from app.registry import ServiceCentre

_NOBODY = "无人在岗"
Part = Fields | Table | Text | Photos


def round_document(session: Session, row: CheckRound) -> Document:
    """The report as it would be signed now: all items, in the order of the posts."""
    items = store.items(session, row.id)
    centre = session.get_one(ServiceCentre, row.centre_id)
    names = names_of(
        session, {row.opened_by, *(i.by for i in items if i.by), *(i.asked_by for i in items if i.asked_by)}
    )
    head = Fields(
        "核对",
        (
            ("服务中心", centre.name),
            ("月份", row.month),
            ("开始", _minute(row.opened_at)),
            ("应完成", f"{last_day_of(row.due_at):%Y-%m-%d}"),
            ("制度", f"credchecks v{row.policy_version} {row.policy_sha256[:12]}（R07、U01–U03、C05、C06）"),
        ),
    )
    parts: list[Part] = [
        head,
        _figures(items),
        _by_post(session, items),
        *_findings(items, names),
        *_cases(session, row),
    ]
    pictures = tuple(
        Photo(name, f"{item.subject_name} {item.label}") for item in items for name in item.photos
    )
    if pictures:
        parts.append(Photos("截图", pictures))
    return Document(f"{centre.name} {row.month} 月度核对报告", "密码和微信资料", tuple(parts))


def figures_of(items: Sequence[CheckItem]) -> dict[str, int]:
    counted = tally([item.state for item in items])
    return {"all": counted.all, **{str(state): counted.of(state) for state in Item}}


def _figures(items: Sequence[CheckItem]) -> Table:
    rows = []
    for name, area in (
        ("密码", [i for i in items if i.area == SECRET]),
        ("微信资料", [i for i in items if i.area != SECRET]),
    ):
        counted = tally([item.state for item in area])
        rows.append((name, str(counted.all), *(str(counted.of(state)) for state in _SHOWN)))
    columns = (Column("类别", 2), Column("合计", 1), *(Column(ITEM_WORDS[state], 1) for state in _SHOWN))
    return Table("结果", columns, tuple(rows))


_SHOWN = (Item.MATCH, Item.MISMATCH, Item.NOT_REACHABLE, Item.UNFILED, Item.WAIVED)


def _by_post(session: Session, items: Sequence[CheckItem]) -> Table:
    posts = kit_store.posts(session, {item.post_id for item in items})
    people = kit_store.employees(session, {item.holder_id for item in items if item.holder_id})
    rows = []
    for post_id in dict.fromkeys(item.post_id for item in items):
        own = [item for item in items if item.post_id == post_id]
        holder = people.get(own[0].holder_id) if own[0].holder_id else None
        counted = tally([item.state for item in own])
        kit = "、".join(dict.fromkeys(item.subject_name for item in own))
        rows.append(
            (
                posts[post_id].name, holder.name if holder else _NOBODY, kit, str(counted.all),
                *(str(counted.of(state)) for state in _SHOWN),
            )
        )  # fmt: skip
    columns = (Column("岗位", 3), Column("管家", 2), Column("手机、号码、微信号", 5), Column("合计", 1))
    return Table("按岗位", (*columns, *(Column(ITEM_WORDS[s], 1) for s in _SHOWN)), tuple(rows))


def _findings(items: Sequence[CheckItem], names: dict[str, str]) -> list[Table]:
    """All that is not simply right, with who says so and why."""
    rows = tuple(
        (
            f"{item.subject_name} {item.label}（{item.rule}）",
            item_word(item),
            item.reason or "—",
            f"{names.get(item.by or '', '')} {_minute(item.at) if item.at else ''}".strip() or "—",
            SOURCE_WORDS.get(item.source or "", "—"),
        )
        for item in items
        if item.state != Item.MATCH
    )
    columns = (
        Column("事项", 4),
        Column("结果", 2),
        Column("说明", 4),
        Column("核对人", 3),
        Column("方式", 2),
    )
    return [Table("不一致、无法核对、未备案、免核对", columns, rows)] if rows else []


def _cases(session: Session, row: CheckRound) -> list[Table]:
    found = case_store.of_round(session, row.id)
    people = kit_store.employees(session, {case.employee_id for case in found if case.employee_id})
    rows = tuple(
        (
            f"{case.subject_name} {case.label}",
            people[case.employee_id].name if case.employee_id else _NOBODY,
            CASE_WORDS[case.state],
            FINDING_WORDS.get(case.finding or "", "未认定"),
        )
        for case in found
    )
    columns = (Column("号码、微信号", 4), Column("保管人", 2), Column("状态", 2), Column("认定", 2))
    return [Table("密码不一致的案件", columns, rows)] if rows else []


def issue_case_paper(
    session: Session, actor: str, row: ChangeCase, tools: Tools, now: dt.datetime
) -> uuid.UUID:
    """The paper of a decision; that of the answer to an appeal corrects it."""
    document = case_document(session, row)
    paper = issue_paper(
        session, actor, kind="unauthorised", centre_id=row.centre_id, subject=f"change_case:{row.id}",
        document=document, parties=(row.employee_id,) if row.employee_id else (), corrects=row.paper_id, now=now,
        keys=tools.keys,
    )  # fmt: skip
    return paper.id


def case_document(session: Session, row: ChangeCase) -> Document:
    centre = session.get_one(ServiceCentre, row.centre_id)
    post = kit_store.posts(session, [row.post_id])[row.post_id]
    people = kit_store.employees(session, [row.employee_id] if row.employee_id else [])
    holder = people.get(row.employee_id) if row.employee_id else None
    names = names_of(
        session, {a for a in (row.checked_by, row.stated_by, row.decided_by, row.answered_by) if a}
    )
    facts = [
        ("服务中心", centre.name),
        ("岗位", post.name),
        ("保管人", f"{holder.name}（{holder.number}）" if holder else _NOBODY),
        ("号码、微信号", row.subject_name),
        ("密码", row.label),
        ("上次确认正确", _minute(row.known_good_at) if row.known_good_at else "没有记录"),
        ("发现不一致", f"{_minute(row.mismatch_at)}，{names.get(row.checked_by, row.checked_by)}"),
    ]
    parts: list[Part] = [Fields("事实", tuple(facts)), _custody(session, row)]
    said = row.statement or ("管家在期限内没有说明。" if row.employee_id else "发现时岗位无人。")
    parts.append(Text("管家的说明", said + _by(names, row.stated_by, row.stated_at)))
    word = FINDING_WORDS.get(row.finding or "", "未认定")
    decided = f"{row.reason}{_by(names, row.decided_by, row.decided_at)}"
    if row.answered_at is None:
        parts.append(Text(f"认定：{word}（R07）", decided))
    else:
        parts += [
            Text("原认定：擅自更改（R07）", decided),
            Text("申诉", row.appeal),
            Text(f"复核：{word}", f"{row.answer}{_by(names, row.answered_by, row.answered_at)}"),
        ]
    parts.append(Text("处理", "密码须重新设置并备案。是否处分由人事按公司规定决定；本单不涉及扣款。"))
    return Document("擅自更改处理单", f"{row.subject_name} {row.label}", tuple(parts))


def _custody(session: Session, row: ChangeCase) -> Table:
    """Who held the post since the password was last known to be right."""
    start = row.known_good_at or row.mismatch_at
    end = row.mismatch_at + dt.timedelta(microseconds=1)
    held = kit_store.holders_between(session, row.post_id, min(start, row.mismatch_at), end)
    rows = tuple(
        (f"{person.name}（{person.number}）", _minute(since), _minute(until) if until else "至今")
        for person, since, until in held
    )
    columns = (Column("岗位上的管家", 3), Column("自", 2), Column("至", 2))
    return Table("上次确认正确以来的保管人", columns, rows or ((_NOBODY, "—", "—"),))


def _by(names: dict[str, str], actor: str | None, at: dt.datetime | None) -> str:
    return "" if actor is None or at is None else f"\n{names.get(actor, actor)}，{_minute(at)}"


def _minute(instant: dt.datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
