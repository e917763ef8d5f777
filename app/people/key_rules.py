"""Passwords, codes and keys: what is good enough, what is drawn, what is kept of it. Plain values only."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Collection
from enum import StrEnum

import pyotp

from app.people.limits_rules import Limits

TOKEN_PREFIX = "bpm_"  # noqa: S105 - tells a program's key from anything else, and scanners what leaked
MAX_PASSWORD_CHARS = 200
MIN_DISTINCT_CHARS = 5
_BYTES = 32
# Without 0/O, 1/I/L: these are read off a screen and typed again.
_LEGIBLE = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_STEP_S = 30
_DIGITS = re.compile(r"\d{6}")


class Stage(StrEnum):
    """What stands between a right password and being let in, in this order."""

    CODE = "code"
    PASSWORD = "password"  # noqa: S105 - the name of a step
    ENROL = "enrol"
    OPEN = "open"


def stage_of(*, has_factor: bool, factor_proved: bool, must_change: bool, needs_factor: bool) -> Stage:
    if has_factor and not factor_proved:
        return Stage.CODE
    if must_change:
        return Stage.PASSWORD
    if needs_factor and not has_factor:
        return Stage.ENROL
    return Stage.OPEN


def new_secret() -> str:
    """256 random bits as text for a cookie."""
    return secrets.token_urlsafe(_BYTES)


def new_token() -> str:
    return TOKEN_PREFIX + new_secret()


def kept(secret: str) -> str:
    """What the database keeps of a secret that we drew ourselves: a random one needs no slow hash."""
    return hashlib.sha256(b"butler-secret\0" + secret.encode(errors="replace")).hexdigest()


def legible(chars: int, group: int) -> str:
    """Random characters to be read and typed, in groups: 4.95 bits each."""
    drawn = "".join(secrets.choice(_LEGIBLE) for _ in range(chars))
    return "-".join(drawn[i : i + group] for i in range(0, chars, group))


def one_time_password() -> str:
    return legible(12, 4)


def new_recovery_codes(count: int) -> list[str]:
    return [legible(10, 5) for _ in range(count)]


def normal_recovery_code(text: str) -> str:
    """As drawn, however it was typed: small letters, without or with other dashes."""
    letters = "".join(c for c in text.upper() if c in _LEGIBLE)
    return f"{letters[:5]}-{letters[5:]}"


def password_fault(password: str, about: Collection[str], limits: Limits) -> str | None:
    """What is wrong with a password that somebody chose, None for a good one; `about`: what others know of him."""
    small = password.lower()
    if len(password) < limits.min_password_chars:
        return f"至少 {limits.min_password_chars} 个字符"
    if len(password) > MAX_PASSWORD_CHARS:
        return f"最多 {MAX_PASSWORD_CHARS} 个字符"
    if small in limits.refused_passwords or len(set(small)) < MIN_DISTINCT_CHARS or small.isdigit():
        return "太常见，容易被猜到（纯数字、重复字符和常用密码都不行）"
    if any(len(word) >= 3 and word.lower() in small for word in about):
        return "不能包含登录名或姓名"
    return None


def new_factor() -> str:
    """A secret for an authenticator app, base32."""
    return pyotp.random_base32()


def factor_uri(secret: str, login: str) -> str:
    """What the QR code says."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="管家手机")


def matching_step(secret: str, typed: str, at_s: float, after_step: int) -> int | None:
    """The 30-second step that the six digits are of, one step of clock error allowed; None when of none.

    Steps up to `after_step` were used: a code that somebody looked over a shoulder is worth nothing a second time.
    """
    digits = "".join(typed.split())
    if not _DIGITS.fullmatch(digits) or not digits.isascii():
        return None
    now, totp, found = int(at_s) // _STEP_S, pyotp.TOTP(secret), None
    for step in (now - 1, now, now + 1):
        # Every step is compared, so that the answer takes the same time whichever it is.
        if secrets.compare_digest(totp.generate_otp(step), digits) and step > after_step:
            found = step
    return found


def address_group(ip: str) -> str:
    """An address as one party: of IPv6 the /64, for whoever has one address there has all of them."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def brake_key(kind: str, who: str) -> str:
    """Of fixed length, and no list of logins that somebody tried."""
    return f"{kind}:{hashlib.sha256(who.encode(errors='replace')).hexdigest()[:40]}"
