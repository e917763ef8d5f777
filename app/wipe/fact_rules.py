"""What a fact about a wipe is, and what facts are told from. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.wipe.evidence_rules import Evidence


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    UNKNOWN = "unknown"


class Weight(StrEnum):
    BASIS = "basis"
    """Without it the reading is none of this phone or of this order, and counts for nothing."""
    PROOF = "proof"
    """Shows that a reset happened."""
    STATE = "state"
    """Shows that the phone is empty now."""
    SUPPORT = "support"
    """Goes with it, and changes no grade."""
    COVER = "cover"
    """What an erased phone does not cover: it is said, and lowers no grade."""


VERDICT_WORDS: Mapping[Verdict, str] = {Verdict.PASS: "符合", Verdict.FAIL: "不符", Verdict.UNKNOWN: "未知"}


@dataclass(frozen=True)
class Fact:
    """`words`: what was looked at; `value`: what was found, in words for people."""

    code: str
    words: str
    value: str
    verdict: Verdict
    weight: Weight


@dataclass(frozen=True)
class Limits:
    """Policy `wipe`, part `inspection`. `presets`: brand in small letters → packages that it ships removable,
    those of the allow-list for the phone's model among them.
    """

    clock: dt.timedelta
    first_boot: dt.timedelta
    media_ok: int
    media_many: int
    boots_after: int
    photos: int
    presets: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Order:
    """What was ordered. `serial` None: it is no phone's own. `at`: when it may have reached the phone at the earliest.

    `android_id`, `boot_id`: as they were then. `sd`, `sim`, `esim`: what the people at the phone said of them,
    yes (gone), no, unknown or not_applicable.
    """

    at: dt.datetime
    serial: str | None
    imeis: tuple[str, ...]
    android_id: str | None
    boot_id: str | None
    sd: str
    sim: str
    esim: str


@dataclass(frozen=True)
class Look:
    """A reading, made at some time from `earliest` to `latest` of the server's clock."""

    evidence: Evidence
    earliest: dt.datetime
    latest: dt.datetime
