"""What may be exempted (R03), for how long, and which exemption covers a breach. Plain values only."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.kernel.errors import FieldError

SHANGHAI = ZoneInfo("Asia/Shanghai")
PHONE_ONLY = frozenset(
    {
        "loader_unlocked",
        "more_apps_than_prescribed",
        "other_device_owner",
        "rooted",
        "test_build",
    }
)
"""Breaches that one phone may be spared, a whole centre never: they say that a phone is no longer in the company's
hands, and an exemption of all would hide the next one that is stolen or opened."""
EXEMPTABLE = PHONE_ONLY | {
    "accessibility_not_allowed",
    "account_not_allowed",
    "adb_wifi_on",
    "airplane_mode_on",
    "app_forbidden",
    "app_in_other_user",
    "app_not_prescribed",
    "app_sideloaded",
    "developer_options_on",
    "installer_not_allowed",
    "no_screen_lock",
    "patch_too_old",
    "required_inactive",
    "required_missing",
    "required_other_signer",
    "required_too_old",
    "storage_low",
    "unknown_sources_on",
    "user_not_allowed",
}
"""Breaches only: what is unknown is found out, nobody can approve not knowing."""

MAX_SUBJECT = 600
_PACKAGE = r"[A-Za-z]\w*(\.\w+)+"
_SHAPES: tuple[tuple[str, str, frozenset[str]], ...] = (
    (_PACKAGE, "包名，如 com.example.app", frozenset(
        {"app_forbidden", "app_not_prescribed", "app_sideloaded", "installer_not_allowed", "required_inactive",
         "required_missing", "required_other_signer", "required_too_old"})),
    (rf"{_PACKAGE}|\*", "包名，如 com.example.app；* 是全部应用", frozenset({"unknown_sources_on"})),
    (rf"{_PACKAGE}@\d+", "包名@用户空间，如 com.tencent.mm@999", frozenset({"app_in_other_user"})),
    (r"[^@\s]+@\d+", "账号类型@用户空间，如 com.xiaomi@0", frozenset({"account_not_allowed"})),
    (r"\d+", "用户空间的编号，如 999", frozenset({"user_not_allowed"})),
    (rf"{_PACKAGE}/[\w.$]+", "无障碍服务，如 com.example.app/.Service", frozenset({"accessibility_not_allowed"})),
    (r"", "不填", frozenset(
        {"adb_wifi_on", "airplane_mode_on", "developer_options_on", "no_screen_lock", "patch_too_old", "storage_low"})),
)  # fmt: skip
"""What a finding of these codes is about looks like, and how to say it."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """An approved exception from one finding, within `[valid_from, valid_to)`; `handset_id` None: the whole centre."""

    id: uuid.UUID
    centre_id: uuid.UUID
    handset_id: uuid.UUID | None
    code: str
    subject: str
    valid_from: dt.datetime
    valid_to: dt.datetime


Grouped = Mapping[tuple[uuid.UUID, str, str], Sequence[Exemption]]


def grouped(exemptions: Iterable[Exemption]) -> Grouped:
    """By centre, code and subject: judging many phones must not walk through all exemptions for each finding."""
    found: dict[tuple[uuid.UUID, str, str], list[Exemption]] = {}
    for exemption in exemptions:
        found.setdefault((exemption.centre_id, exemption.code, exemption.subject), []).append(exemption)
    return found


def covering(
    exemptions: Grouped,
    centre_id: uuid.UUID,
    handset_id: uuid.UUID,
    code: str,
    subject: str,
    now: dt.datetime,
) -> Exemption | None:
    """The exemption that covers this breach of a phone of this centre now, the one that lasts longest; None: none does.

    The centre is asked too: what one centre allows its phones no other has allowed.
    """
    return max(
        (
            exemption
            for exemption in exemptions.get((centre_id, code, subject), ())
            if exemption.handset_id in (None, handset_id) and exemption.valid_from <= now < exemption.valid_to
        ),
        key=lambda exemption: (exemption.valid_to, exemption.id),
        default=None,
    )


def next_start(
    exemptions: Grouped,
    centre_id: uuid.UUID,
    handset_id: uuid.UUID,
    code: str,
    subject: str,
    now: dt.datetime,
) -> dt.datetime | None:
    """When the next exemption of this breach begins; None: none is to come."""
    return min(
        (
            exemption.valid_from
            for exemption in exemptions.get((centre_id, code, subject), ())
            if exemption.handset_id in (None, handset_id) and exemption.valid_from > now
        ),
        default=None,
    )


def ask_problems(
    *,
    code: str,
    whole_centre: bool,
    subject: str,
    reason: str,
    valid_to: dt.datetime,
    now: dt.datetime,
    max_days: int,
) -> list[FieldError]:
    """All that is wrong with a request; empty: it may be asked."""
    found = []
    if code not in EXEMPTABLE:
        found.append(FieldError("code", "not_exemptable", "这一项不能例外 / this finding cannot be exempted"))
    elif whole_centre and code in PHONE_ONLY:
        text = "这一项只能按单部手机例外 / only for one phone, never for a whole centre"
        found.append(FieldError("code", "phone_only", text))
    if len(subject) > MAX_SUBJECT:
        found.append(FieldError("subject", "too_long", "对象太长 / too long"))
    elif whole_centre and (words := _misshapen(code, subject)):
        text = f"这一项的对象应为：{words} / no finding of this code is about such a thing"
        found.append(FieldError("subject", "no_such_subject", text))
    if not reason:
        found.append(FieldError("reason", "required", "请写明理由 / say why"))
    if valid_to <= now:
        found.append(FieldError("valid_to", "past", "结束日期已过 / lies in the past"))
    elif valid_to > now + dt.timedelta(days=max_days):
        text = f"最长 {max_days} 天，到期可以再申请 / at most {max_days} days"
        found.append(FieldError("valid_to", "too_long", text))
    return found


def _misshapen(code: str, subject: str) -> str:
    """What should stand there. Of a whole centre only, where it is typed: whatever one phone's finding is about was
    read from it, however odd, and must be exemptable.
    """
    return next(
        (
            words
            for shape, words, codes in _SHAPES
            if code in codes and not re.fullmatch(shape, subject, re.ASCII)
        ),
        "",
    )


def end_of(day: dt.date) -> dt.datetime:
    """The instant at which an exemption whose last day this is ends: the following midnight in Shanghai."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), SHANGHAI).astimezone(dt.UTC)


def last_day(valid_to: dt.datetime) -> dt.date:
    """The last day, in Shanghai, of which an exemption that ends at this instant covers anything."""
    return (valid_to - dt.timedelta(microseconds=1)).astimezone(SHANGHAI).date()


def latest_day(now: dt.datetime, days: int) -> dt.date:
    """The last day, in Shanghai, that one asked for now can have where it may last so many days."""
    return (now + dt.timedelta(days=days)).astimezone(SHANGHAI).date() - dt.timedelta(days=1)
