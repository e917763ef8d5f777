"""Days, warnings, and what U04 asks of a number's registration. Plain values only."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.kernel.errors import FieldError

SHANGHAI = ZoneInfo("Asia/Shanghai")
MAX_YEARS = 10
MAX_FEN = 100_000_00
ITEMS: Mapping[str, str] = {
    "battery": "电池续航",
    "storage": "存储空间",
    "system": "系统与安全补丁",
    "performance": "运行速度",
    "faults": "外观与故障",
}
CODES: Mapping[str, str] = {"good": "良好", "fair": "一般", "poor": "不能满足工作", "unknown": "未知"}
CONCLUSIONS: Mapping[str, str] = {"keep": "继续使用", "replace": "更换手机"}


def local_day(instant: dt.datetime) -> dt.date:
    """The day in Shanghai that an instant lies in."""
    return instant.astimezone(SHANGHAI).date()


def end_of(day: dt.date) -> dt.datetime:
    """The instant at which a contract whose last day this is ends: the following midnight in Shanghai."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), SHANGHAI).astimezone(dt.UTC)


def days_left(ends_on: dt.date, today: dt.date) -> int:
    """0 on the last day, negative after it."""
    return (ends_on - today).days


def thresholds(policy: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    """The policy's days as days left: those after the end are negative."""
    return (*policy["warn_days"], *(-days for days in policy["after_days"]))


def warning_level(left: int, levels: Iterable[int]) -> int | None:
    """The lowest threshold that is reached: after weeks without a scheduler only the latest is told."""
    return min((level for level in levels if left <= level), default=None)


def must_warn(left: int, warned: int | None, levels: Iterable[int]) -> int | None:
    """The threshold to tell now, None when it, or a lower one, was told."""
    level = warning_level(left, levels)
    return level if level is not None and (warned is None or level < warned) else None


@dataclass(frozen=True)
class Near:
    """From how many days left on a contract is shown as near, and as soon, to its end."""

    soon: int
    near: int


def near_of(warn_days: Sequence[int]) -> Near:
    """By the thresholds of the warnings: the first of them, and one in their middle."""
    ascending = sorted(warn_days)
    return Near(soon=ascending[(len(ascending) - 1) // 2], near=ascending[-1])


@dataclass(frozen=True)
class Terms:
    """What a contract says. Days are whole days in Shanghai, both included; amounts in fen."""

    carrier: str
    plan_type: str | None
    plan_name: str
    monthly_fen: int
    handset_budget_fen: int | None
    starts_on: dt.date
    ends_on: dt.date
    registered_name: str | None = None
    note: str | None = None


def term_problems(terms: Terms) -> list[FieldError]:
    found = []
    for name, text in (("carrier", terms.carrier), ("plan_name", terms.plan_name)):
        if not text:
            found.append(FieldError(name, "required", "必填 / required"))
    for name, day in (("starts_on", terms.starts_on), ("ends_on", terms.ends_on)):
        if not 2000 <= day.year <= 2100:
            found.append(FieldError(name, "range", "年份应在 2000 至 2100 之间 / 2000 to 2100"))
    if terms.ends_on < terms.starts_on:
        found.append(FieldError("ends_on", "span", "到期日不能早于起始日 / ends before it begins"))
    elif (terms.ends_on - terms.starts_on).days > MAX_YEARS * 366:
        found.append(FieldError("ends_on", "too_long", f"合约最长 {MAX_YEARS} 年，请核对 / too long"))
    for name, fen in (("monthly_fen", terms.monthly_fen), ("handset_budget_fen", terms.handset_budget_fen)):
        if fen is not None and not 0 <= fen <= MAX_FEN:
            found.append(FieldError(name, "range", "金额须在 0 至 10 万元之间 / out of range"))
    return found


@dataclass(frozen=True)
class Finding:
    """`verdict`: `fail` or `unknown`; what is right is no finding."""

    code: str
    verdict: str
    words: str


def number_findings(
    number_name: str | None,
    number_plan: str | None,
    contract: Terms | None,
    accepted: Iterable[str],
    today: dt.date,
) -> list[Finding]:
    """What U04 and R06 find wrong with a number, or do not know of it. `contract`: the one that ends last.

    The contract's own words come first; the number's record fills in what it leaves open.
    """
    found = []
    if contract is None:
        found.append(Finding("no_contract", "unknown", "没有登记合约"))
    elif contract.ends_on < today:
        found.append(Finding("ended", "fail", f"合约已于 {contract.ends_on} 到期"))
    told = contract.registered_name if contract is not None else None
    name = told or number_name
    known = {plain_name(text) for text in accepted}
    if not name:
        found.append(Finding("name_missing", "unknown", "没有登记实名主体（U04）"))
    elif plain_name(name) not in known:
        found.append(Finding("name_foreign", "fail", f"实名主体“{name}”不是公司（U04）"))
    elif told and number_name and plain_name(told) != plain_name(number_name):
        found.append(Finding("name_differs", "unknown", "合约与号码档案的实名主体不一致（U04）"))
    plan = (contract.plan_type if contract is not None else None) or number_plan
    if not plan:
        found.append(Finding("plan_missing", "unknown", "没有登记套餐类型（U04）"))
    return found


def plain_name(text: str) -> str:
    """A company's name for comparing: full-width forms made plain, no blanks, no case."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def is_pdf(data: bytes) -> bool:
    """Whether it begins and ends as a PDF: half of one, from a broken upload, is refused."""
    return data.startswith(b"%PDF-") and b"%%EOF" in data[-2048:]


def over_budget(price_fen: int, budget_fen: int | None) -> bool:
    """Whether a price needs the second approver: also where nobody wrote down what the contract allows."""
    return budget_fen is None or price_fen > budget_fen


def item_problems(
    items: Mapping[str, Mapping[str, str]], conclusion: str | None, reason: str
) -> list[FieldError]:
    """What an assessment lacks before it can be signed: unknown is an answer, silence is none."""
    found = []
    for key, label in ITEMS.items():
        item = items.get(key, {})
        if item.get("code") not in CODES:
            found.append(FieldError(key, "required", f"请给“{label}”选择结果，不清楚就选“未知” / choose one"))
        elif item["code"] == "poor" and not item.get("words"):
            found.append(FieldError(key, "words", f"请写明“{label}”怎样不能满足工作 / say how"))
    if conclusion not in CONCLUSIONS:
        found.append(FieldError("conclusion", "required", "请选择结论 / choose the conclusion"))
    if not reason.strip():
        found.append(FieldError("reason", "required", "请写明理由 / say why"))
    return found
