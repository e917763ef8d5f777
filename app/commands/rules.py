"""The kinds of commands and the times that govern them. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from app.commands.states import Event
from app.kernel.errors import FieldError, Invalid

Purpose = Literal["agent-reads"]


@dataclass(frozen=True)
class CommandKind:
    """`purpose` chooses the key that signs it. An agent on the phone itself only ever gets reads.

    `by_hand`: people may queue it as it is; others are queued by the room whose record they serve.
    """

    name: str
    purpose: Purpose
    label: str
    expires_s: int
    lease_s: int
    max_attempts: int
    args: tuple[str, ...] = ()
    by_hand: bool = True

    @property
    def for_self(self) -> bool:
        return self.purpose == "agent-reads"


READ_PHONE = CommandKind(
    name="read_phone",
    purpose="agent-reads",
    label="立即读取 / read this phone now",
    expires_s=3600,
    lease_s=300,
    max_attempts=5,
)
PROBE = CommandKind(
    name="probe",
    purpose="agent-reads",
    label="测试能否联系上 / test whether the phone can be reached",
    expires_s=3600,
    # Its tries alone take ten minutes; a second agent that began anew would test at another time than was planned.
    lease_s=3000,
    max_attempts=1,
    args=("probe", "again_s"),
    by_hand=False,
)
KINDS: Mapping[str, CommandKind] = MappingProxyType({kind.name: kind for kind in (READ_PHONE, PROBE)})

MIN_EXPIRES_S, MAX_EXPIRES_S = 30, 30 * 86_400
MAX_DEDUP_CHARS = 100
MAX_DETAIL_BYTES = 16 * 1024
_RETRY_FIRST_S, _RETRY_MOST_S = 30, 900

# What an agent may say of a command, as events.
REPORTS: Mapping[str, Event] = MappingProxyType(
    {
        "running": Event.START,
        "succeeded": Event.SUCCEED,
        "failed": Event.FAIL,
        "not_now": Event.POSTPONE,
        "expired": Event.LAPSE,
        "refused": Event.FAIL,
    }
)


def kind_of(name: str) -> CommandKind:
    """Raise `Invalid` for a kind that does not exist."""
    kind = KINDS.get(name)
    if kind is None:
        known = " ".join(KINDS)
        raise Invalid(
            "没有这种命令 / no such kind of command",
            fields=[FieldError("kind", "unknown", f"must be one of: {known}")],
        )
    return kind


def check_args(kind: CommandKind, args: Mapping[str, Any]) -> None:
    """Raise `Invalid` for arguments that this kind does not take, or lacks."""
    wrong = [FieldError(f"args.{name}", "unknown", "unknown field") for name in args if name not in kind.args]
    wrong += [FieldError(f"args.{name}", "missing", "is missing") for name in kind.args if name not in args]
    if wrong:
        raise Invalid("命令参数不正确 / the arguments are not right", fields=wrong)


def retry_at(now: dt.datetime, times: int) -> dt.datetime:
    """When to try again after the `times`-th "not now" (from 1): half a minute, then twice as long, at most 15."""
    delay = min(_RETRY_MOST_S, _RETRY_FIRST_S * 2 ** min(times - 1, 10))
    return now + dt.timedelta(seconds=delay)
