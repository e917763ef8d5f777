"""A round's items in Excel: texts as texts, nothing is run as a formula."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from app.credchecks import kit_store, store
from app.credchecks.model import CheckItem
from app.credchecks.rules import SHANGHAI
from app.credchecks.words import SOURCE_WORDS, item_word
from app.kernel.tenancy import Principal
from app.people import names_of
from app.registry import ServiceCentre, write_xlsx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEAD = [
    "岗位", "管家", "工号", "手机、号码、微信号", "事项", "规则", "结果", "核对时间", "核对人", "方式", "说明", "截图",
]  # fmt: skip


@dataclass(frozen=True)
class _Sheet:
    label: str


def export(session: Session, principal: Principal, round_id: uuid.UUID) -> tuple[bytes, str, int]:
    """The file, its name and how many items it has. Raise `NotFound`."""
    row = store.find_round(session, principal, round_id)
    rows = _rows(session, store.items(session, row.id))
    centre = session.get_one(ServiceCentre, row.centre_id)
    with tempfile.TemporaryDirectory(prefix="butler-export-") as folder:
        path = Path(folder) / "export.xlsx"
        write_xlsx(iter([HEAD, *rows]), path, _Sheet(f"{row.month} 月度核对"))
        return path.read_bytes(), f"月度核对-{centre.code}-{row.month}.xlsx", len(rows)


def _rows(session: Session, items: Sequence[CheckItem]) -> list[list[str]]:
    posts = kit_store.posts(session, {item.post_id for item in items})
    people = kit_store.employees(session, {item.holder_id for item in items if item.holder_id})
    names = names_of(session, {item.by for item in items if item.by})
    rows = []
    for item in items:
        holder = people.get(item.holder_id) if item.holder_id else None
        at = item.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if item.at else ""
        rows.append(
            [
                posts[item.post_id].name, holder.name if holder else "", holder.number if holder else "",
                item.subject_name, item.label, item.rule, item_word(item), at, names.get(item.by or "", ""),
                SOURCE_WORDS.get(item.source or "", ""), item.reason, str(len(item.photos)) if item.photos else "",
            ]
        )  # fmt: skip
    return rows
