"""One phone before and after its wipe, as an agent would read it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.wipe.evidence_rules import Evidence, read_evidence
from app.wipe.fact_rules import Limits, Look, Order
from app.wipe.grading_rules import SEEN, Manual

ORDERED = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
SERIAL, IMEI, OTHER_IMEI = "R58M123ABC", "490154203237518", "356938035643809"
LIMITS = Limits(
    clock=dt.timedelta(minutes=5), first_boot=dt.timedelta(minutes=15), media_ok=20, media_many=200, boots_after=10,
    photos=3, presets={"redmi": frozenset({"com.miui.notes"})},
)  # fmt: skip


def order(**changes: Any) -> Order:
    values: dict[str, Any] = {
        "at": ORDERED, "serial": SERIAL, "imeis": (IMEI,), "android_id": "aaaa", "boot_id": None, "sd": "yes",
        "sim": "yes", "esim": "not_applicable",
    }  # fmt: skip
    return Order(**{**values, **changes})


def epoch(minutes: float) -> float:
    """Of the server's clock, so many minutes after the order."""
    return ORDERED.timestamp() + 60 * minutes


def raw(**changes: Any) -> dict[str, Any]:
    """Read 20 minutes after the order: reset at 5, up for 15 minutes since, nothing on it."""
    values: dict[str, Any] = {
        "serial": SERIAL, "imei": [IMEI], "android_id": "bbbb", "boot_id": "boot-2", "boot_count": 1,
        "uptime_s": 900.0, "phone_now_s": epoch(20), "users": [{"id": 0, "running": True}],
        "boot_reasons": [{"reason": "reboot,factory_reset", "at": epoch(6)}], "accounts": {"count": 0, "types": []},
        "packages": {"count": 0, "third_party": []}, "first_install_s": {"oldest": epoch(6), "newest": epoch(7)},
        "storage": {"data_total_bytes": 100 * 10**9, "data_free_bytes": 90 * 10**9}, "media_files": 0,
        "test_harness": False, "lock_screen": "none", "sims": [{"slot": 0, "state": "ABSENT"}], "volumes": [],
        "encryption": "file", "adb_wipe": {"capable": ["test_harness"], "why": None}, "device_owner": None,
        "brand": "Redmi", "model": "Note 12", "android_release": "13", "sdk": 33, "security_patch": "2024-05-01",
        "link": "usb", "unread": [],
    }  # fmt: skip
    return {**values, **changes}


def raw_before(**changes: Any) -> dict[str, Any]:
    """Read ten minutes before the order: a phone in use."""
    values: dict[str, Any] = {
        "android_id": "aaaa", "boot_id": "boot-1", "boot_count": 41, "uptime_s": 90_000.0, "phone_now_s": epoch(-10),
        "boot_reasons": [{"reason": "reboot,userrequested", "at": epoch(-1510)}], "media_files": 2400,
        "accounts": {"count": 2, "types": ["com.xiaomi"]}, "packages": {"count": 1, "third_party": ["com.tencent.mm"]},
        "storage": {"data_total_bytes": 100 * 10**9, "data_free_bytes": 20 * 10**9}, "lock_screen": "set",
    }  # fmt: skip
    return raw(**{**values, **changes})


def evidence(told: dict[str, Any]) -> Evidence:
    found = read_evidence(told)
    assert found is not None
    return found


def look(minutes: float = 20, spread: float = 1, **changes: Any) -> Look:
    at = ORDERED + dt.timedelta(minutes=minutes)
    return Look(evidence(raw(**changes)), at - dt.timedelta(minutes=spread), at)


def before(**changes: Any) -> Look:
    at = ORDERED - dt.timedelta(minutes=10)
    return Look(evidence(raw_before(**changes)), at - dt.timedelta(seconds=30), at)


def manual(minutes: float = 30, **changes: Any) -> Manual:
    values: dict[str, Any] = {
        "at": ORDERED + dt.timedelta(minutes=minutes), "typed_imei": IMEI, "seen": dict.fromkeys(SEEN, "yes"),
        "photos": 3,
    }  # fmt: skip
    return Manual(**{**values, **changes})
