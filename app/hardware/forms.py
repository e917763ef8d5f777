"""What people type, as values: money in yuan, days, instants of Shanghai, a phone's specification line by line."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Protocol

from app.hardware.deducting import Confirmed
from app.hardware.judging import Finding
from app.hardware.kits import NewPhone, checked_phone
from app.hardware.losing import Deed
from app.hardware.repairing import Repair
from app.hardware.replacing import Offered, Purchase
from app.hardware.reporting import Report
from app.hardware.rules import SHANGHAI
from app.kernel.ids import parse_id
from app.kernel.money import parse_yuan
from app.kernel.texts import one_line, wrong

_LABELS = 30


class Form(Protocol):
    """A form as it was sent; a name may stand in it more than once."""

    def get(self, name: str, default: str, /) -> str: ...
    def getlist(self, name: str, /) -> Sequence[str]: ...


def money(text: str, field: str = "price") -> int:
    """Yuan as typed, in fen. Raise `Invalid`."""
    try:
        return int(parse_yuan(text))
    except ValueError:
        raise wrong(field, "请填写金额，如 899.00 / an amount in yuan") from None


def a_day(text: str, field: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise wrong(field, "请填写日期") from None
    if not 2000 <= day.year <= 2100:
        raise wrong(field, "请填写日期")
    return day


def instant(text: str, field: str) -> dt.datetime:
    """What a browser's control for date and time says, as Shanghai's time."""
    try:
        local = dt.datetime.fromisoformat(text)
        if not 2000 <= local.year <= 2100 or local.tzinfo is not None:
            raise ValueError
    except ValueError:
        raise wrong(field, "请填写时间") from None
    return local.replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


def local(moment: dt.datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")


def phone(form: Mapping[str, str]) -> NewPhone:
    """A new phone; each label of its specification comes as `spec-内存`. Raise `Invalid` naming the field."""
    values = {
        one_line(name.removeprefix("spec-"), 40): one_line(text, 100)
        for name, text in list(form.items())[:200]
        if name.startswith("spec-") and text.strip()
    }
    if len(values) > _LABELS:
        raise wrong("specification", "规格项目太多 / too many")
    return checked_phone(form, values)


def report(form: Form, handset_id: uuid.UUID, photos: tuple[bytes, ...]) -> Report:
    return Report(
        handset_id, form.get("kind", ""), instant(form.get("happened_at", ""), "happened_at"), form.get("words", ""),
        photos, form.get("police_number", ""), parse_id(form.get("leg", "")), tuple(form.getlist("items")),
    )  # fmt: skip


def finding(form: Mapping[str, str], photos: tuple[bytes, ...]) -> Finding:
    return Finding(
        form.get("cause", ""), form.get("words", ""), form.get("way", "replace"), photos,
        parse_id(form.get("employee", "")), form.get("employee_why", ""),
    )  # fmt: skip


def repair(form: Mapping[str, str], photos: tuple[bytes, ...]) -> Repair:
    return Repair(
        form.get("shop", ""), a_day(form.get("done_on", ""), "done_on"), money(form.get("price", "") or "0"),
        form.get("result", ""), form.get("words", ""), photos,
    )  # fmt: skip


def offered(form: Mapping[str, str], photos: tuple[bytes, ...]) -> Offered:
    price = form.get("price", "").strip()
    return Offered(phone(form), money(price) if price else None, form.get("invoice_number", ""), photos)


def purchase(form: Mapping[str, str], photos: tuple[bytes, ...]) -> Purchase:
    months = form.get("months", "").strip()
    if months and not (months.isascii() and months.isdigit() and len(months) <= 3):
        raise wrong("months", "请填写月数")
    return Purchase(offered(form, photos), form.get("asset_tag", ""), int(months) if months else None)


def confirmed(form: Mapping[str, str]) -> Confirmed:
    cap = money(form.get("cap", ""), "cap")
    return Confirmed(form.get("month", ""), cap, form.get("attested") == "yes")


def deed(form: Mapping[str, str], photos: tuple[bytes, ...]) -> Deed:
    """What was done about a lost phone."""
    return Deed(
        form.get("what", ""), form.get("outcome", ""), form.get("words", ""), form.get("receipt", ""), photos
    )
