"""What the forms of contracts say, as values; what cannot be read is told field by field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.contracts.purchase_service import Bought
from app.contracts.request_service import Wanted
from app.contracts.rules import CONCLUSIONS, ITEMS, Terms
from app.contracts.words import PLANS
from app.kernel.errors import FieldError, Invalid
from app.kernel.ids import parse_id
from app.kernel.money import parse_yuan
from app.kernel.texts import one_line

T = TypeVar("T")
_MAX_LABELS = 40


class _Fields:
    """Reads one field after another and remembers what was wrong."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self.form = form
        self.problems: list[FieldError] = []

    def text(self, name: str, limit: int) -> str:
        return one_line(self.form.get(name, ""), limit)

    def read(
        self, name: str, parse: Callable[[str], T], message: str, default: T, *, required: bool = True
    ) -> T:
        text = self.form.get(name, "").strip()
        if not text and not required:
            return default
        try:
            return parse(text)
        except ValueError:
            self.problems.append(FieldError(name, "invalid", message))
            return default

    def done(self) -> None:
        if self.problems:
            raise Invalid("填写的内容有误 / the form has errors", fields=self.problems)


_DAY = "请选择日期"
_MONEY = "金额最多两位小数，例 129.00"


def _fen(text: str) -> int:
    return int(parse_yuan(text))


def terms_of_form(form: Mapping[str, str]) -> Terms:
    """Raise `Invalid` with the fields."""
    fields, never = _Fields(form), dt.date(2000, 1, 1)
    plan = form.get("plan_type", "")
    budget: int | None = (
        fields.read("handset_budget_fen", _fen, _MONEY, 0) if form.get("handset_budget_fen") else None
    )
    terms = Terms(
        carrier=fields.text("carrier", 40),
        plan_type=plan if plan in PLANS else None,
        plan_name=fields.text("plan_name", 120),
        monthly_fen=fields.read("monthly_fen", _fen, _MONEY, 0),
        handset_budget_fen=budget,
        starts_on=fields.read("starts_on", dt.date.fromisoformat, _DAY, never),
        ends_on=fields.read("ends_on", dt.date.fromisoformat, _DAY, never),
        registered_name=fields.text("registered_name", 200) or None,
        note=fields.text("note", 500) or None,
    )
    fields.done()
    return terms


def assessment_of_form(form: Mapping[str, str]) -> dict[str, Any]:
    """`items`, `conclusion` and `reason` as `drafting_service.fill` takes them."""
    items = {
        key: {"code": form.get(f"{key}_code", ""), "words": form.get(f"{key}_words", "")} for key in ITEMS
    }
    conclusion = form.get("conclusion", "")
    return {
        "items": items,
        "conclusion": conclusion if conclusion in CONCLUSIONS else None,
        "reason": form.get("reason", ""),
    }


def wanted_of_form(form: Mapping[str, str]) -> Wanted:
    """Raise `Invalid` with the fields. The specification stands as `内存=8GB; 存储=256GB`."""
    fields = _Fields(form)
    wanted = Wanted(
        brand=fields.text("brand", 60),
        model=fields.text("model", 100),
        price_fen=fields.read("price_fen", _fen, _MONEY, 1),
        specification=fields.read(
            "specification", _labels, "规格请写成 内存=8GB; 存储=256GB", {}, required=False
        ),
        over_reason=fields.text("over_reason", 500),
        note=fields.text("note", 500),
    )
    fields.done()
    return wanted


def _labels(text: str) -> dict[str, str]:
    found = {}
    for part in text.replace("；", ";").replace("＝", "=").split(";"):
        name, mark, value = (one_line(piece, 100) for piece in part.partition("="))
        if part.strip():
            if not name or not mark or not value:
                raise ValueError("not name=value")
            found[name] = value
    if len(found) > _MAX_LABELS:
        raise ValueError("too many")
    return found


def bought_of_form(form: Mapping[str, str]) -> Bought:
    """Raise `Invalid` with the fields."""
    fields = _Fields(form)
    handset_id = parse_id(form.get("handset_id", ""))
    if handset_id is None:
        fields.problems.append(FieldError("handset_id", "required", "请选择新手机"))
    fen = fields.read("bought_fen", _fen, _MONEY, 1)
    day = fields.read("bought_on", dt.date.fromisoformat, _DAY, dt.date(2000, 1, 1))
    fields.done()
    assert handset_id is not None
    return Bought(handset_id, fen, day, fields.text("invoice_number", 60), fields.text("note", 500))
