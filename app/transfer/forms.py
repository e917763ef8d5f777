"""What people type, as values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from app.kernel.texts import wrong
from app.transfer.deciding import Wechat

_SHANGHAI = ZoneInfo("Asia/Shanghai")


def wechat(form: Mapping[str, str], photos: tuple[bytes, ...]) -> Wechat:
    """Raise `Invalid` naming the field."""
    return Wechat(
        outcome=form.get("outcome", ""),
        began_at=instant(form.get("began_at", ""), "began_at"),
        finished_at=instant(form.get("finished_at", ""), "finished_at"),
        before=number(form.get("before", ""), "before"),
        after=number(form.get("after", ""), "after"),
        words=form.get("words", ""),
        photos=photos,
    )


def instant(text: str, field: str) -> dt.datetime | None:
    """What a browser's control says, as Shanghai's time; empty: None."""
    if not text.strip():
        return None
    try:
        local = dt.datetime.fromisoformat(text)
    except ValueError:
        raise wrong(field, "请填写时间") from None
    if not 2000 <= local.year <= 2100 or local.tzinfo is not None:
        raise wrong(field, "请填写时间")
    return local.replace(tzinfo=_SHANGHAI).astimezone(dt.UTC)


def number(text: str, field: str) -> int | None:
    """A count, empty: nobody counted."""
    plain = text.strip()
    if not plain:
        return None
    if not (plain.isascii() and plain.isdecimal() and len(plain) <= 7):
        raise wrong(field, "请填写数字")
    return int(plain)


def local(now: dt.datetime) -> str:
    """For a browser's control."""
    return now.astimezone(_SHANGHAI).strftime("%Y-%m-%dT%H:%M")
