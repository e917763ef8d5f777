"""The board in Excel: a row for each finding that is no pass, and one for each phone without any."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.compliance.board_rules import OPEN, BoardLine
from app.compliance.exemption_listing import ExemptionLine
from app.compliance.exemption_rules import SHANGHAI
from app.compliance.finding_words import SEVERITY, STATUS, subject_words, title_of
from app.compliance.rules import CLAUSE, Finding, Status
from app.compliance.texts import text_of
from app.kernel.db import from_us
from app.registry import write_xlsx

_HEAD = [
    "服务中心", "资产编号", "序列号", "品牌型号", "岗位", "管家", "手机的结论", "判定时间", "发现", "对象", "严重程度",
    "状态", "说明", "条款", "首次发现", "最近一次", "宽限到", "例外到",
]  # fmt: skip

_EXEMPTIONS_HEAD = [
    "服务中心", "手机", "问题", "对象", "状态", "最后一天", "理由", "申请人", "申请时间", "决定人", "决定时间",
    "决定说明", "结束人", "结束时间", "结束原因",
]  # fmt: skip


@dataclass(frozen=True)
class _Sheet:
    label: str


def workbook(
    lines: Iterable[tuple[BoardLine, Sequence[Mapping[str, Any]]]], labels: Mapping[str, str]
) -> bytes:
    """`labels`: package → what people call it."""
    return _book(_Sheet("应用合规"), [_HEAD, *_rows(lines, labels)])


def exemptions_book(lines: Iterable[ExemptionLine], labels: Mapping[str, str]) -> bytes:
    rows = [
        [
            line.centre, line.tag or "全中心", line.title, subject_words(line.row.subject, "", labels), line.word,
            str(line.last), line.row.reason, line.asked_by, _minute(line.row.requested_at), line.decided_by,
            _minute(line.row.decided_at), line.row.decision or "", line.ended_by, _minute(line.row.ended_at),
            line.row.end_reason or "",
        ]
        for line in lines
    ]  # fmt: skip
    return _book(_Sheet("应用例外"), [_EXEMPTIONS_HEAD, *rows])


def _book(sheet: _Sheet, rows: Iterable[list[str]]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="butler-export-") as folder:
        path = Path(folder) / "export.xlsx"
        write_xlsx(iter(rows), path, sheet)
        return path.read_bytes()


def _rows(
    lines: Iterable[tuple[BoardLine, Sequence[Mapping[str, Any]]]], labels: Mapping[str, str]
) -> Iterator[list[str]]:
    for line, findings in lines:
        verdict = STATUS[line.status][1] if line.at is not None else "未知（从未判定）"
        phone = [
            line.centre, line.tag, line.serial, line.model, line.post, line.person, verdict, _minute(line.at),
        ]  # fmt: skip
        shown = [f for f in findings if f["status"] in OPEN]
        for finding in shown:
            yield [*phone, *_cells(finding, labels)]
        if not shown:
            yield [*phone, *[""] * (len(_HEAD) - len(phone))]


def _cells(f: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    told, _ = text_of(Finding(f["code"], f["subject"], Status(f["status"]), f["evidence"]))
    severity = f.get("severity")
    times = [f.get(name) for name in ("first_seen", "last_seen", "grace_until", "exempt_until")]
    return [
        title_of(f["code"]), subject_words(f["subject"], f["evidence"].get("label"), labels),
        SEVERITY[severity][1] if isinstance(severity, str) else "", STATUS[f["status"]][1], told, CLAUSE,
        *(_minute(None if us is None else from_us(us)) for us in times),
    ]  # fmt: skip


def _minute(instant: dt.datetime | None) -> str:
    return "" if instant is None else instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
