"""The brake on guessing: counted in our own table, so that it holds over processes and restarts.

A try is counted as failed before it is looked at, and taken back when it was right: of a thousand guesses sent at once
no more are looked at than of a thousand sent one after the other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.people import key_store
from app.people.key_rules import address_group, brake_key
from app.people.limits_rules import Limits


def sign_in_keys(login: str, ip: str, device: str | None) -> dict[str, str]:
    """By what a try at a password is counted, as {kind of brake: key}.

    A browser that was let in for this very user before is counted by itself only: else any stranger who tries a
    login without end would keep its owner out, and so would a colleague behind the same office's address.
    """
    if device is not None:
        return {"device": brake_key("device", device)}
    return {
        "account": brake_key("account", login.lower()),
        "address": brake_key("address", address_group(ip)),
    }


def code_keys(user: str) -> dict[str, str]:
    return {"code": brake_key("code", user)}


def check_keys(ip: str) -> dict[str, str]:
    """By what a try at a paper's code is counted, apart from signing in."""
    return {"address": brake_key("address", f"papers:{address_group(ip)}")}


def take_try(session: Session, keys: Mapping[str, str], limits: Limits, now: dt.datetime) -> dt.timedelta:
    """Count a try; zero to go ahead, else how long to wait: then nothing was counted and nothing may be looked at."""
    rows = [(kind, key_store.locked_brake(session, key, now)) for kind, key in sorted(keys.items())]
    wait = max(row.wait_until - now for _, row in rows)
    if wait > dt.timedelta(0):
        return wait
    for kind, row in rows:
        brake = limits.brakes[kind]
        if row.failed_at < now - brake.forget_after:
            row.failures = 0
        row.failures += 1
        row.failed_at = now
        row.wait_until = now + brake.wait_after(row.failures)
    session.flush()
    return dt.timedelta(0)


def was_right(session: Session, keys: Mapping[str, str]) -> None:
    """The person's own count begins anew; the address only gets back what this try cost it."""
    key_store.forget_brakes(session, [key for kind, key in keys.items() if kind != "address"])
    if "address" in keys:
        key_store.forgive_brake(session, keys["address"])
