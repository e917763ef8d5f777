"""Whether a new phone is of the same brand and no specification lower than the old one (R05, R06). Plain values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Verdict = Literal["ok", "lower", "unknown"]
BRAND = "品牌"
_NOT_THE_MORE_THE_BETTER = ("重", "厚", "宽", "长", "高度", "价")
"""Parts of labels, e.g. 重量 or 厚度, where a larger figure says nothing of a better phone."""
_NUMBER = re.compile(r"(\d{1,9}(?:\.\d{1,4})?)([^\d+]*)")
_UNITS: Mapping[str, Decimal] = {
    "": Decimal(1), "kb": Decimal(1), "mb": Decimal(2**10), "gb": Decimal(2**20), "g": Decimal(2**20),
    "tb": Decimal(2**30), "t": Decimal(2**30), "mah": Decimal(1), "毫安": Decimal(1), "毫安时": Decimal(1),
    "英寸": Decimal(1), "寸": Decimal(1), "万像素": Decimal(1), "万": Decimal(1), "mp": Decimal(100),
    "mhz": Decimal(1), "ghz": Decimal(1000), "hz": Decimal(1), "核": Decimal(1), "w": Decimal(1), "瓦": Decimal(1),
    "%": Decimal(1),
}  # fmt: skip
_FAMILIES = (
    {"kb", "mb", "gb", "g", "tb", "t"}, {"mah", "毫安", "毫安时"}, {"英寸", "寸"}, {"万像素", "万", "mp"},
    {"mhz", "ghz"}, {"w", "瓦"},
)  # fmt: skip


@dataclass(frozen=True)
class Specification:
    """A phone as it is known: `values` by the labels of the registry, e.g. 内存 → 8GB."""

    brand: str | None
    model: str | None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """One line of the table. `unknown` is no "ok": a person says why it is taken all the same."""

    label: str
    old: str | None
    new: str | None
    verdict: Verdict


def specification_table(
    old: Specification,
    new: Specification,
    *,
    required: Sequence[str] = (),
    brand_names: Iterable[Collection[str]] = (),
) -> list[Compared]:
    """The brand, then all that the old phone's record names, then what is `required` beside it. What only the new one
    has is no matter.
    """
    labels = dict.fromkeys([*old.values, *required])
    lines = [Compared(BRAND, old.brand, new.brand, _brands(old.brand, new.brand, brand_names))]
    for label in labels:
        before, after = old.values.get(label) or None, new.values.get(label) or None
        lines.append(Compared(label, before, after, _verdict(label, before, after)))
    return lines


def overall(lines: Iterable[Compared]) -> Verdict:
    """`lower` if one line is, else `unknown` if one line is."""
    verdicts = {line.verdict for line in lines}
    if "lower" in verdicts:
        return "lower"
    return "unknown" if "unknown" in verdicts else "ok"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _brands(old: str | None, new: str | None, names: Iterable[Collection[str]]) -> Verdict:
    if not old or not new:
        return "unknown"
    one, other = _plain(old), _plain(new)
    alike = any({one, other} <= {_plain(name) for name in group} for group in names)
    return "ok" if one == other or alike else "lower"


def _verdict(label: str, old: str | None, new: str | None) -> Verdict:
    if old is None or new is None:
        return "unknown"
    if _plain(old) == _plain(new):
        return "ok"
    if any(part in label for part in _NOT_THE_MORE_THE_BETTER):
        return "unknown"
    one, other = _measure(old), _measure(new)
    if one is None or other is None or not _same_unit(one[1], other[1]):
        return "unknown"
    return "ok" if other[0] >= one[0] else "lower"


def _measure(text: str) -> tuple[Decimal, str] | None:
    """A number with a unit that is known; None for all else, e.g. a chip's name or `8+4 GB`."""
    match = _NUMBER.fullmatch(_plain(text).replace(" ", "").replace(",", ""))
    if match is None or match[2] not in _UNITS:
        return None
    return Decimal(match[1]) * _UNITS[match[2]], match[2]


def _same_unit(one: str, other: str) -> bool:
    return one == other or any({one, other} <= family for family in _FAMILIES)
