"""The numbers of the policy `sign_in` as values. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Brake:
    """After `free` failures each further one doubles the wait."""

    free: int
    first_wait: dt.timedelta
    longest_wait: dt.timedelta
    forget_after: dt.timedelta

    def wait_after(self, failures: int) -> dt.timedelta:
        """How long to wait once that many have failed in a row."""
        beyond = failures - self.free
        if beyond < 0:
            return dt.timedelta(0)
        # Doubled further than any limit the number would only grow too large to be a duration.
        return min(self.longest_wait, self.first_wait * (1 << min(beyond, 20)))


@dataclass(frozen=True)
class Limits:
    min_password_chars: int
    refused_passwords: frozenset[str]
    factor_roles: frozenset[str]
    recovery_codes: int
    session: dt.timedelta
    idle: dt.timedelta
    half: dt.timedelta
    brakes: Mapping[str, Brake]
    longest_token: dt.timedelta


def limits_of(body: Mapping[str, Any]) -> Limits:
    """From the body of the policy, which its schema has checked."""
    brakes = body["brake"]
    forget = dt.timedelta(hours=brakes["forget_hours"])
    return Limits(
        min_password_chars=body["password"]["min_chars"],
        refused_passwords=frozenset(body["password"]["refused"]),
        factor_roles=frozenset(body["second_factor"]["roles"]),
        recovery_codes=body["second_factor"]["recovery_codes"],
        session=dt.timedelta(hours=body["session"]["hours"]),
        idle=dt.timedelta(minutes=body["session"]["idle_minutes"]),
        half=dt.timedelta(minutes=body["session"]["half_minutes"]),
        brakes={
            name: Brake(
                brakes[name]["free"],
                dt.timedelta(seconds=brakes[name]["first_wait_s"]),
                dt.timedelta(seconds=brakes[name]["longest_wait_s"]),
                forget,
            )
            for name in ("account", "device", "address", "code")
        },
        longest_token=dt.timedelta(days=body["token"]["longest_days"]),
    )
