"""The bodies of `docs/wire.md` as types; used through `agent.wire`."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class EnrolRequest(TypedDict):
    schema: int
    token: str
    name: str
    ed25519: str
    x25519: str
    version: str
    kind: Literal["gateway", "self"]


class EnrolAnswer(TypedDict):
    agent_id: str
    command_key: str
    interval_s: int


class Unread(TypedDict):
    section: str
    reason: str


class PowerNow(TypedDict):
    battery_percent: int | None
    charging: bool | None
    airplane_mode: bool | None
    screen_on: bool | None


class Reading(TypedDict):
    phone: str
    target: str
    age_s: float | None
    boot_id: str
    boot_count: int | None
    uptime_s: float
    grade: Literal["gateway", "self"]
    power: PowerNow
    tags: dict[str, str]
    sections: NotRequired[dict[str, Any]]
    unread: list[Unread]


class Unreached(TypedDict):
    target: str
    phone: str | None
    age_s: float | None
    reason: str


class JournalLast(TypedDict):
    battery_percent: int | None
    charging: bool | None
    airplane_mode: bool | None
    sim: str | None


class Journal(TypedDict):
    phone: str
    target: str
    age_s: float | None
    boot_id: str
    boot_count: int | None
    first_uptime_s: float
    last_uptime_s: float
    lines: int
    end: Literal["shutdown", "open"]
    grade: Literal["gateway", "self"]
    last: JournalLast


class BeatChecks(TypedDict):
    server: bool | None
    adb_server: bool | None
    clock: bool | None
    canary: bool | None


class Beat(TypedDict):
    age_s: float | None
    up: bool
    reason: str | None
    checks: BeatChecks
    up_for_s: NotRequired[float]


class CommandResult(TypedDict):
    id: str
    state: Literal["running", "succeeded", "failed", "not_now", "expired", "refused"]
    age_s: float | None
    detail: dict[str, Any]


class AgentState(TypedDict):
    version: str
    spooled: int
    targets: int
    adb_server: bool | None


class CheckinRequest(TypedDict):
    schema: int
    batch: str
    agent: AgentState
    readings: list[Reading]
    unreached: list[Unreached]
    results: list[CommandResult]
    journals: NotRequired[list[Journal]]
    beats: NotRequired[list[Beat]]


class CommandEnvelope(TypedDict):
    payload: str
    signature: str
    purpose: NotRequired[str]


class PurposeKey(TypedDict):
    key: str
    signature: str


class Rejected(TypedDict):
    part: Literal["readings", "unreached", "results", "journals", "beats"]
    index: int
    code: str
    detail: str


class Wanted(TypedDict):
    phone: str
    sections: list[str]


class CheckinAnswer(TypedDict):
    batch: str
    interval_s: int
    accepted: int
    rejected: list[Rejected]
    want: list[Wanted]
    commands: list[CommandEnvelope]
    hmac_key: str
    danger_key: NotRequired[PurposeKey]


class AdoptRequest(TypedDict):
    schema: int
    request: str
    target: str
    identity: dict[str, Any]
    asset_tag: str
    imei: list[str]
    way_back: Literal["usb_dock", "tap", "none"]
    adb_allowed_connection_time: int | None


class AdoptAnswer(TypedDict):
    handset_id: str
    asset_tag: str
    status: Literal["created", "known"]
    label_url: str | None
