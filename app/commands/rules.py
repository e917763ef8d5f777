"""The kinds of commands and the times that govern them. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from app.commands.states import Event
from app.kernel.errors import FieldError, Invalid

Purpose = Literal["agent-reads", "danger"]
READS: Purpose = "agent-reads"
DANGER: Purpose = "danger"


@dataclass(frozen=True)
class CommandKind:
    """`purpose` chooses the key that signs it. An agent on the phone itself only ever gets reads.

    `by_hand`: people may queue it as it is; others are queued by the room whose record they serve. `codes`: all that an
    agent's word on it may say; None: whatever fits, its texts cut to 300 characters. `one_agent`: once an agent had it,
    only that one gets it again, for it alone knows whether it began; until it says that it did nothing.
    `gateway_only`: an agent on the phone itself does not get it, though it changes nothing. `addressed`: it is of no
    use but to the agent that it names from the beginning, wherever the phone is by now. `supersedes`: a newer one
    ends an older one of the same phone that waits; else several may wait, each for something of its own (`dedup_key`).
    """

    name: str
    purpose: Purpose
    label: str
    expires_s: int
    lease_s: int
    max_attempts: int
    args: tuple[str, ...] = ()
    by_hand: bool = True
    codes: frozenset[str] | None = None
    gateway_only: bool = False
    addressed: bool = False
    supersedes: bool = True

    @property
    def for_self(self) -> bool:
        return self.purpose == READS and not self.gateway_only

    @property
    def one_agent(self) -> bool:
        return self.purpose == DANGER or self.addressed


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
_REACH_CODES = frozenset(
    "unreachable unauthorized timeout dropped protocol too_large busy adb_down refused identity not_seen other_phone "
    "interrupted internal expired unknown_kind wrong_purpose bad_args".split()
)
LOCK_CODES = _REACH_CODES | frozenset(
    "match mismatch set not_set throttled no_lock profile not_supported policy unknown words unverified plaintext "
    "no_box bad_box".split()
)
CHECK_LOCK = CommandKind(
    name="check_lock",
    purpose="danger",
    label="在手机上核对锁屏密码 / check the screen lock on the phone",
    expires_s=8 * 3600,
    lease_s=300,
    max_attempts=3,
    args=("order",),
    by_hand=False,
    codes=LOCK_CODES,
)
SET_LOCK = CommandKind(
    name="set_lock",
    purpose="danger",
    label="在手机上更改锁屏密码 / set the screen lock on the phone",
    expires_s=8 * 3600,
    lease_s=300,
    max_attempts=3,
    args=("order",),
    by_hand=False,
    codes=LOCK_CODES,
)
COUNT_CONTACTS = CommandKind(
    name="count_contacts",
    purpose="agent-reads",
    label="清点通讯录人数 / count the contacts on the phone",
    expires_s=3600,
    lease_s=300,
    max_attempts=5,
)
IDENTIFY_PHONE = CommandKind(
    name="identify_phone",
    purpose="agent-reads",
    label="让手机亮起来 / make the phone show itself",
    # Somebody stands before a row of phones now; an hour later nobody looks.
    expires_s=300,
    lease_s=120,
    max_attempts=2,
    args=("label",),
    by_hand=False,
    gateway_only=True,
)
INSPECT_PHONE = CommandKind(
    name="inspect_phone",
    purpose="agent-reads",
    label="读取数据销毁的证据 / read what proves a wipe",
    expires_s=3600,
    lease_s=300,
    max_attempts=10,
    args=("wipe",),
    by_hand=False,
    # A phone that was erased has no agent on it, and one that has is its own witness.
    gateway_only=True,
)
WIPE_PHONE = CommandKind(
    name="wipe_phone",
    purpose="danger",
    label="清除手机全部数据 / erase the phone",
    expires_s=900,
    lease_s=600,
    # Single use: whatever became of it, only a new release makes another.
    max_attempts=1,
    args=("wipe", "strategy", "expect", "imei_typed"),
    by_hand=False,
)
TRANSFER_DATA = CommandKind(
    name="transfer_data",
    purpose="danger",
    label="把数据迁移到新手机 / move the data to the new phone",
    expires_s=24 * 3600,
    lease_s=900,
    max_attempts=50,
    args=("transfer", "new", "expect", "parts", "folders", "exclude", "limits", "keep_days"),
    by_hand=False,
)
STOP_TRANSFER = CommandKind(
    name="stop_transfer",
    # It ends what another order began and removes its own traces: it must get through while the escrow is sealed.
    purpose="agent-reads",
    label="停止正在进行的迁移 / stop a transfer that is at work",
    expires_s=24 * 3600,
    # The work ends at its next safe point: behind the hash of a large file.
    lease_s=900,
    max_attempts=50,
    args=("transfer", "order", "new"),
    by_hand=False,
    gateway_only=True,
    addressed=True,
    supersedes=False,
)
DISCARD_COPY = CommandKind(
    name="discard_copy",
    purpose="danger",
    label="销毁网关上的加密副本 / destroy the encrypted copy on the gateway",
    expires_s=7 * 24 * 3600,
    lease_s=300,
    max_attempts=50,
    args=("transfer", "new"),
    by_hand=False,
)
REMOVE_APP = CommandKind(
    name="remove_app",
    purpose="danger",
    label="从手机上移除一个应用 / remove an app from the phone",
    # A phone that is away for a night still gets it; whoever sends it looks once more in that moment.
    expires_s=24 * 3600,
    # Up to three acts, each looked at, and a phone that went away meanwhile is looked for.
    lease_s=900,
    # It looks before it acts and is done when there is nothing left to do: again is safe.
    max_attempts=5,
    args=("case", "package", "user", "expect", "acts", "system"),
    by_hand=False,
    supersedes=False,
)
RESTORE_APP = CommandKind(
    name="restore_app",
    purpose="danger",
    label="在手机上恢复一个应用 / bring a removed app back",
    expires_s=24 * 3600,
    lease_s=900,
    max_attempts=5,
    args=("case", "package", "user", "expect"),
    by_hand=False,
    supersedes=False,
)
_ALL = (
    READ_PHONE, PROBE, CHECK_LOCK, SET_LOCK, COUNT_CONTACTS, IDENTIFY_PHONE, INSPECT_PHONE, WIPE_PHONE,
    TRANSFER_DATA, STOP_TRANSFER, DISCARD_COPY, REMOVE_APP, RESTORE_APP,
)  # fmt: skip
KINDS: Mapping[str, CommandKind] = MappingProxyType({kind.name: kind for kind in _ALL})

MIN_EXPIRES_S, MAX_EXPIRES_S = 30, 30 * 86_400
MAX_DEDUP_CHARS = 100
MAX_DETAIL_BYTES = 16 * 1024
MAX_DETAIL_CHARS = 300
_RETRY_FIRST_S, _RETRY_MOST_S = 30, 900
_SLOW = frozenset({"plaintext"})
"""Nothing changes by itself: somebody has to plug the phone in."""

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


def retry_at(now: dt.datetime, times: int, reason: object = None) -> dt.datetime:
    """When to try again after the `times`-th "not now" (from 1): half a minute, then twice as long, at most 15."""
    delay = min(_RETRY_MOST_S, _RETRY_FIRST_S * 2 ** min(times - 1, 10))
    if isinstance(reason, str) and reason in _SLOW:
        delay = _RETRY_MOST_S
    return now + dt.timedelta(seconds=delay)


def kept_detail(kind: CommandKind, detail: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of an agent's word. Where only codes are known, nothing else is, whatever the agent sent."""
    if kind.codes is None:
        return {str(name): _cut(value) for name, value in detail.items()}
    told = {name: detail[name] for name in ("outcome", "reason") if name in detail}
    return {
        name: code if isinstance(code, str) and code in kind.codes else "unknown"
        for name, code in told.items()
    }


def _cut(value: Any) -> Any:
    """Plain JSON with no text longer than a line or three: a file name or an answer of a phone is no place for more."""
    if isinstance(value, str):
        return value[:MAX_DETAIL_CHARS]
    if isinstance(value, dict):
        return {str(name)[:MAX_DETAIL_CHARS]: _cut(one) for name, one in value.items()}
    return [_cut(one) for one in value] if isinstance(value, list) else value
