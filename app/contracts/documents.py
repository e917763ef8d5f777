"""The forms of R06 as documents: the assessment and the replacement request. What is signed is built here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.contracts.model import Assessment, NumberContract, ReplacementRequest
from app.contracts.rules import CODES, CONCLUSIONS, ITEMS
from app.contracts.words import PLANS, shown_number
from app.kernel.clock import to_rfc3339
from app.kernel.money import format_yuan
from app.papers import Column, Document, Fields, Photo, Photos, Signatures, Signed, Table, Text

VERDICTS: Mapping[str, str] = {"ok": "不低于原机", "lower": "低于原机", "unknown": "未知"}


@dataclass(frozen=True)
class About:
    """The names of what a form is about."""

    centre: str
    number: str
    post: str
    tag: str


def assessment_document(row: Assessment, contract: NumberContract, about: About) -> Document:
    """The text that the assessor and the confirmer sign."""
    parts = (Fields("合约", _contract_rows(contract, about)), *found_parts(row))
    return Document("合约到期设备评估单", f"{about.centre}　{about.post}　{about.tag}", parts)


def found_parts(row: Assessment) -> tuple[Fields | Table | Photos, ...]:
    """What of that text comes of the assessment's own row: readings, checks, pictures, conclusion."""
    items = tuple(
        (label, CODES[row.items[key]["code"]], row.items[key].get("words", ""))
        for key, label in ITEMS.items()
    )
    photos = tuple(Photo(p["sha256"], p["caption"]) for p in row.photos)
    conclusion = CONCLUSIONS[row.conclusion or ""]
    return (
        Fields("系统已知的情况", tuple((str(label), str(value)) for label, value in row.readings)),
        Table("评估人的检查", (Column("项目", 3), Column("结果", 3), Column("说明", 7)), items),
        *((Photos("照片", photos),) if photos else ()),
        Fields("结论（R06）", (("结论", conclusion), ("理由", row.reason))),
    )


def _contract_rows(contract: NumberContract, about: About) -> tuple[tuple[str, str], ...]:
    budget = contract.handset_budget_fen
    return (
        ("号码", shown_number(about.number)),
        ("岗位", about.post),
        ("运营商与套餐", f"{contract.carrier}　{contract.plan_name}"),
        ("套餐类型", PLANS.get(contract.plan_type or "", "未知")),
        ("合约期", f"{contract.starts_on} 至 {contract.ends_on}"),
        ("合约内购机额度", f"¥{format_yuan(budget)}" if budget is not None else "未知"),
    )


def request_document(row: ReplacementRequest, contract: NumberContract, about: About) -> Document:
    """The application for a new phone; its numbers are those that were approved."""
    budget = f"¥{format_yuan(row.budget_fen)}" if row.budget_fen is not None else "未知"
    lines = tuple(
        (line["label"], line["old"] or "未知", line["new"] or "未知", VERDICTS[line["verdict"]])
        for line in row.compared
    )
    wanted = [("品牌型号", f"{row.brand} {row.model}"), ("价格", f"¥{format_yuan(row.price_fen)}")]
    wanted += [("合约内购机额度", budget)]
    wanted += [("超出额度的理由", row.over_reason)] if row.over_reason else []
    wanted += [("说明", row.note)] if row.note else []
    columns = (Column("项目", 3), Column("原手机", 4), Column("申请的手机", 4), Column("比较", 3))
    parts = (
        Fields("申请", (("原手机", about.tag), *_contract_rows(contract, about)[:3])),
        Fields("申请的手机", tuple(wanted)),
        Table("规格比较", columns, lines),
        Text("原手机", "换机后原手机列入待销毁清单；工作信息转移并核实之前，不销毁任何数据（R06）。"),
    )
    return Document("换机申请单", f"{about.centre}　{about.post}　{about.tag}", parts)


def with_signatures(document: Document, signed: Sequence[Mapping[str, Any]]) -> Document:
    """The document as it is issued: with who signed its text."""
    return Document(
        document.title,
        document.subtitle,
        (*document.parts, Signatures("签字", tuple(Signed(**one) for one in signed))),
    )


def signature(
    role: str, name: str, at: dt.datetime, how: str, over: str, ink: str | None = None, note: str = ""
) -> dict[str, Any]:
    return {
        "role": role, "name": name, "at": to_rfc3339(at), "how": how, "over": over, "ink": ink, "note": note,
    }  # fmt: skip
