"""When a message may leave, how often it is tried, and what it says. Plain values only."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
MAX_BODY = 4000
SMS_CHARS = 200
"""Three parts of a long message: more is cut, the inbox has the whole."""


def block(text: str, limit: int = MAX_BODY) -> str:
    """Several lines, made fit for every database: NFC, without what cannot be printed, cut to `limit` characters."""
    lines = ("".join(c for c in line if c.isprintable()).rstrip() for line in text[: 4 * limit].splitlines())
    return unicodedata.normalize("NFC", "\n".join(lines)).strip()[:limit]


def quiet_until(instant: dt.datetime, start: str, end: str) -> dt.datetime | None:
    """The end of the quiet hours (`HH:MM` in Shanghai, half-open) that hold the instant, None outside of them.

    Start and end alike: there are none.
    """
    local = instant.astimezone(SHANGHAI)
    begin, until = dt.time.fromisoformat(start), dt.time.fromisoformat(end)
    at = local.time().replace(tzinfo=None)
    over_midnight = begin > until
    inside = (at >= begin or at < until) if over_midnight else begin <= at < until
    if not inside:
        return None
    day = local.date() + dt.timedelta(days=1 if over_midnight and at >= begin else 0)
    return dt.datetime.combine(day, until, tzinfo=SHANGHAI).astimezone(dt.UTC)


def leave_at(now: dt.datetime, policy: Mapping[str, object], *, urgent: bool) -> dt.datetime:
    """When a message that is made now may leave: held a little for others of the same person, never at quiet hours."""
    if urgent:
        return now
    held = now + dt.timedelta(minutes=int(str(policy["hold_minutes"])))
    return quiet_until(held, str(policy["quiet_from"]), str(policy["quiet_to"])) or held


def retry_at(now: dt.datetime, attempts: int, waits_minutes: Sequence[int]) -> dt.datetime | None:
    """When to try again after `attempts` failures; None: as often as policy says, it is given up."""
    if attempts > len(waits_minutes):
        return None
    return now + dt.timedelta(minutes=waits_minutes[attempts - 1])


@dataclass(frozen=True)
class Words:
    """One notice as it leaves. `link` is a full address, None where this installation has no public one."""

    title: str
    body: str
    link: str | None


def mail_text(notices: Sequence[Words]) -> tuple[str, str]:
    """Subject and plain text of one mail for one person's notices."""
    subject = notices[0].title if len(notices) == 1 else f"您有 {len(notices)} 条通知"
    parts = []
    for number, notice in enumerate(notices, 1):
        head = notice.title if len(notices) == 1 else f"{number}. {notice.title}"
        parts.append("\n".join(text for text in (head, notice.body, notice.link) if text))
    return subject, "\n\n".join(parts) + "\n\n本邮件由管家手机系统自动发送，请勿直接回复。\n"


def sms_text(notices: Sequence[Words]) -> str:
    """One short message: titles alone, the inbox has the rest."""
    if len(notices) == 1:
        text, link = notices[0].title, notices[0].link
    else:
        text, link = f"您有{len(notices)}条通知：" + "；".join(n.title for n in notices), None
    room = SMS_CHARS - (len(link) + 1 if link else 0)
    text = text if len(text) <= room else text[: room - 1] + "…"
    return f"{text} {link}" if link else text


def robot_text(centre: str, counts: Mapping[str, int]) -> str:
    """What a group robot says: counts by kind, in words. No name can get in, for none is handed in."""
    lines = [f"{word} {number} 件" for word, number in sorted(counts.items())]
    return f"{centre}新增：" + "，".join(lines) + "。详情请登录系统查看。"


_MAIL = re.compile(r"[!-?A-~]{1,64}@([0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?\.)+[A-Za-z]{2,63}")


def is_mail(text: str) -> bool:
    """Whether it is an ASCII address that a mail server can be handed, and only one."""
    plain = not any(mark in text for mark in ',;:<>()[]\\"')
    return len(text) <= 254 and plain and _MAIL.fullmatch(text) is not None


def masked_mail(address: str) -> str:
    name, _, host = address.partition("@")
    return f"{name[:1]}***@{host}"


def masked_mobile(e164: str) -> str:
    return f"{e164[:6]}****{e164[-2:]}"
