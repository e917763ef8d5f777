"""How good a secret must be, how one is drawn, and when two are the same. Plain values only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

SCREEN_LOCK = "screen_lock"
"""The one kind that the agent can check and set on the phone itself."""
DIGITS = "0123456789"
_LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ"
_CLEAR_DIGITS = "23456789"
"""Without those that are taken for letters when read from a screen."""
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Kind:
    name: str
    label: str
    of: str
    form: str
    min: int
    max: int
    generate: int
    max_age_days: int
    holder_files: bool = False
    """Whoever has the phone may file it himself, and check it."""


def kinds_of(body: Mapping[str, Any]) -> dict[str, Kind]:
    """From the body of the policy, which its schema has checked, in the file's order."""
    return {name: Kind(name=name, **values) for name, values in body["kinds"].items()}


def normal(text: str) -> str:
    """As it counts: full-width characters as plain ones, nothing before and after it."""
    return unicodedata.normalize("NFKC", text).strip()


def same(left: str, right: str) -> bool:
    """Whether both are the same secret; how long it takes tells nothing of either, nor of their lengths."""
    key = secrets.token_bytes(32)
    marks = [
        hmac.new(key, normal(t).encode(errors="replace"), hashlib.sha256).digest() for t in (left, right)
    ]
    return hmac.compare_digest(*marks)


def fault(text: str, kind: Kind, refused: Collection[str], about: Sequence[str] = ()) -> str | None:
    """Why a secret will not do, in words that repeat nothing of it; None when it will. `about`: what others know."""
    if not kind.min <= len(text) <= kind.max:
        return f"长度应为 {kind.min} 到 {kind.max} 位"
    if not all(c.isascii() and c.isprintable() and c != " " for c in text):
        return "只能用半角的字母、数字和符号，不能有空格"
    if kind.form == "digits" and any(c not in DIGITS for c in text):
        return "只能是数字"
    letters = any(c.isalpha() for c in text)
    if kind.form == "mixed" and not (letters and any(c in DIGITS for c in text)):
        return "至少要有字母和数字"
    return _weakness(text.lower(), refused, about)


def _weakness(text: str, refused: Collection[str], about: Sequence[str]) -> str | None:
    if len(set(text)) < 3 or _steps(text):
        return "太简单：不能是重复的或连续的字符"
    if any(word in text for word in refused):
        return "太常见：请换一个别人猜不到的"
    if text.isdigit() and any(text in "".join(c for c in known if c in DIGITS) for known in about):
        return "不能是手机号、编号的一部分"
    return None


def _steps(text: str) -> bool:
    """Whether it counts up or down all along, 9 and 0 being neighbours."""
    steps = {(ord(b) - ord(a)) for a, b in pairwise(text)}
    if text.isdigit():
        steps = {step % 10 for step in steps}
        return len(steps) == 1 and steps <= {0, 1, 9}
    return len(steps) == 1 and steps <= {0, 1, -1}


def generate(kind: Kind, refused: Collection[str]) -> str:
    """A good one of this kind, drawn at random."""
    alphabet = DIGITS if kind.form == "digits" else _LETTERS + _CLEAR_DIGITS
    length = min(max(kind.generate, kind.min), kind.max)
    while True:
        text = "".join(secrets.choice(alphabet) for _ in range(length))
        if fault(text, kind, refused) is None:
            return text


def new_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def kept_token(token: str) -> str:
    """What is kept of a token; it is random, so nothing slow is needed."""
    return hashlib.sha256(b"butler-reveal\0" + token.encode(errors="replace")).hexdigest()
