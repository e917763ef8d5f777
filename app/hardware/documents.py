"""The room's papers: what was decided of a case, and what wages are to pay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.hardware import store
from app.hardware.answering import moment
from app.hardware.model import DeductionOrder, HardwareCase
from app.hardware.rules import day_of, schedule
from app.hardware.states import APPEAL_WORDS, ORDER_WORDS, Order
from app.hardware.tools import CAUSES, KINDS, Tools
from app.kernel.money import Fen, format_yuan
from app.kernel.tenancy import SYSTEM, Principal
from app.papers import Column, Document, Fields, Paper, Photo, Photos, Table, Text, issue_paper, papers_about
from app.people import names_of
from app.registry import Employee, Handset, ServiceCentre

PAYERS: Mapping[str, str] = {"person": "本人承担", "centre": "中心承担"}


def subject_of(case: HardwareCase) -> str:
    return f"hardware_case:{case.id}"


def verdict_text(case: HardwareCase) -> str:
    """What was decided, for the person concerned."""
    told = f"认定：{CAUSES[case.cause or 'unknown']}，{PAYERS[case.payer or 'centre']}。依据：{case.finding}"
    if case.payer != "person":
        return told
    if case.due_on is not None:
        told += f" 请在 {case.due_on} 前提供同品牌、不低于原配置的新机，或选择由中心购买并从工资中分期扣除。"
    if case.appeal == "none" and case.appeal_until is not None:
        told += f" 不服的可以在 {moment(case.appeal_until)} 前申诉一次。"
    return told


def life_text(within: bool | None) -> str:
    return {True: "在两年使用期内", False: "已过两年使用期", None: "使用期无法确定"}[within]


def issue_damage(
    session: Session, principal: Principal, tools: Tools, case: HardwareCase, now: dt.datetime
) -> Paper:
    """The decision as it stands now; a later one corrects the one before."""
    parts: tuple[Fields | Table | Text | Photos, ...] = (
        _head(session, case),
        Text("情况", case.words),
        *_differences(case),
        Photos("报告照片", _photos(case.photos)),
        Text("本人陈述", case.statement or "（没有陈述）"),
        _verdict(session, case),
        Photos("认定依据照片", _photos(case.finding_photos)),
        *_appeal(session, case),
    )
    kept = tuple(part for part in parts if not isinstance(part, Photos) or part.photos)
    document = Document("手机损坏遗失处理单", _of_what(session, case), kept)
    return _issue(session, principal, tools, case, "damage", document, now)


def _of_what(session: Session, case: HardwareCase) -> str:
    """The line under the title, which a list of papers shows too."""
    phone = session.get_one(Handset, case.handset_id)
    return f"{KINDS[case.kind]}　{phone.asset_tag} {phone.brand} {phone.model}　{day_of(case.happened_at)}　依据 R05"


def _differences(case: HardwareCase) -> tuple[Table, ...]:
    """What the handover found, on which the blame rests (R04)."""
    rows = tuple(
        (item["name"], item["kind"], item["before"], item["after"], item["custody"]) for item in case.items
    )
    labels = (("物品", 3), ("变化", 2), ("上次", 4), ("这次", 4), ("保管人", 3))
    return (Table("交接差异", tuple(Column(*label) for label in labels), rows),) if rows else ()


def _head(session: Session, case: HardwareCase) -> Fields:
    phone = session.get_one(Handset, case.handset_id)
    rows = (
        ("服务中心", session.get_one(ServiceCentre, case.centre_id).name),
        ("手机", f"{phone.asset_tag}　{phone.brand} {phone.model}"),
        ("序列号", phone.serial),
        ("类别", KINDS[case.kind]),
        ("发生或发现", moment(case.happened_at)),
        ("负责人", person_name(session, case) or "无人"),
        ("负责依据", case.answers_why),
        ("报警回执", case.police_number or "—"),
    )
    return Fields("事项", rows)


def person_name(session: Session, case: HardwareCase) -> str:
    if case.employee_id is None:
        return ""
    person = session.get_one(Employee, case.employee_id)
    return f"{person.name}（{person.number}）"


def _verdict(session: Session, case: HardwareCase) -> Fields:
    by = names_of(session, [case.judged_by or ""])
    rows = (
        ("原因", CAUSES[case.cause or "unknown"]),
        ("使用期", life_text(case.within_life)),
        ("费用", PAYERS[case.payer or "centre"]),
        ("依据", case.finding or ""),
        ("提供新机期限", str(case.due_on or "—")),
        ("认定人", by.get(case.judged_by or "", "")),
        ("认定时间", moment(case.judged_at) if case.judged_at else ""),
        ("制度", f"hardware v{case.policy_version}　{(case.policy_sha256 or '')[:12]}"),
    )
    return Fields("认定", rows)


def _appeal(session: Session, case: HardwareCase) -> tuple[Fields, ...]:
    if case.appealed_at is None:
        return ()
    names = names_of(session, [case.appeal_decided_by or ""])
    rows = (
        ("申诉理由", case.appeal_words or ""),
        ("结果", APPEAL_WORDS[case.appeal]),
        ("决定理由", case.appeal_decision or ""),
        ("决定人", names.get(case.appeal_decided_by or "", "")),
        ("决定时间", moment(case.appeal_decided_at) if case.appeal_decided_at else ""),
    )
    return (Fields("申诉", rows),)


def _photos(names: list[str]) -> tuple[Photo, ...]:
    return tuple(Photo(name, f"照片 {number}") for number, name in enumerate(names, start=1))


def issue_deduction(
    session: Session,
    principal: Principal,
    tools: Tools,
    case: HardwareCase,
    order: DeductionOrder,
    now: dt.datetime,
) -> Paper:
    """The order with how its amount came about and when it is taken at the earliest."""
    basis = order.basis
    by = names_of(session, [order.ordered_by])[order.ordered_by]
    amount = (
        ("新机发票金额", yuan(basis["invoice_fen"])),
        ("原机价格", yuan(basis["old_fen"]) if basis["old_fen"] is not None else "没有登记"),
        ("计算基数", yuan(basis["base_fen"])),
        ("使用月数", "不详" if basis["age_months"] is None else f"{basis['age_months']} 个月"),
        ("按使用时间计", f"{basis['keep_percent']}%"),
        ("应扣总额", yuan(order.amount_fen)),
        ("状态", ORDER_WORDS[order.state]),
        ("下达人", by),
        ("下达时间", moment(order.ordered_at)),
    )
    plan = schedule(order.amount_fen, order.monthly_fen, order.first_month)
    rows = tuple((month, yuan(fen)) for month, fen in plan)
    percent = (case.policy_body or {}).get("cap_percent", 20)
    limits = (
        f"每月扣款不超过当月工资的 {percent}%，扣后不低于当地最低工资；由财务逐月确认，没有确认的月份不扣，"
        "当月扣不足的顺延，不在以后月份补扣。\n申诉期内和申诉未决时不扣；申诉成立或手机找回的，已扣的全部退回。"
    )
    parts = (_head(session, case), Fields("金额", amount), _plan(rows), Text("说明", limits))
    document = Document("手机赔付扣款通知单", _of_what(session, case), parts)
    return _issue(session, principal, tools, case, "deduction", document, now)


def _plan(rows: tuple[tuple[str, str], ...]) -> Table:
    return Table("计划（上限不足时顺延）", (Column("月份", 1), Column("至多扣款", 1)), rows)


def correct_deduction(
    session: Session,
    principal: Principal,
    tools: Tools,
    case: HardwareCase,
    order: DeductionOrder,
    now: dt.datetime,
) -> Paper:
    """That the order was taken back, with what was taken and given back."""
    parts = store.instalments(session, order.id)
    rows = tuple(
        (part.month, yuan(part.taken_fen), "已退回" if part.reversal_id is not None else "没有扣款")
        for part in parts
    )
    taken = sum(part.taken_fen for part in parts if part.reversal_id is not None)
    told = Fields(
        "撤销",
        (
            ("原扣款总额", yuan(order.amount_fen)),
            ("已扣并全部退回", yuan(taken)),
            ("状态", ORDER_WORDS[Order.LIFTED]),
        ),
    )
    table = (
        Table("退回明细", (Column("月份", 1), Column("已扣", 1), Column("处理", 1)), rows),
    ) if rows else ()  # fmt: skip
    document = Document("手机赔付扣款撤销通知", _of_what(session, case), (_head(session, case), told, *table))
    return _issue(session, principal, tools, case, "deduction", document, now)


def _issue(
    session: Session,
    principal: Principal,
    tools: Tools,
    case: HardwareCase,
    kind: str,
    document: Document,
    now: dt.datetime,
) -> Paper:
    before = [paper for paper in papers_about(session, SYSTEM, subject_of(case)) if paper.kind == kind]
    return issue_paper(
        session, principal.user, kind=kind, centre_id=case.centre_id, subject=subject_of(case), document=document,
        parties=(case.employee_id,) if case.employee_id else (), now=now, keys=tools.keys,
        corrects=before[-1].id if before else None,
    )  # fmt: skip


def yuan(fen: int) -> str:
    return f"¥{format_yuan(Fen(fen))}"
