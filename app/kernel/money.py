"""Amounts are signed integer fen (1/100 yuan). A float never holds money: 0.1 + 0.2 would dock somebody's pay."""

from __future__ import annotations

import re
from typing import NewType

Fen = NewType("Fen", int)

_YUAN = re.compile(r"([+-]?)(\d{1,12})(?:\.(\d{1,2}))?")


def parse_yuan(text: str) -> Fen:
    """`"12"`, `"12.3"`, `"-12.30"` in yuan; raise `ValueError` for anything else, also thousands separators."""
    match = _YUAN.fullmatch(text.strip())
    if match is None:
        raise ValueError("an amount in yuan has at most two decimals, e.g. 128.50")
    sign, whole, cents = match.groups()
    fen = int(whole) * 100 + int((cents or "0").ljust(2, "0"))
    return Fen(-fen if sign == "-" else fen)


def format_yuan(fen: int) -> str:
    """`-1230` → `"-12.30"`."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"
