"""Which characters the carried font has, read from the font's own table; the rest is shown by its number.

A character that a printer leaves out, or turns into an empty box, makes another name of a name.
"""

from __future__ import annotations

import struct
import unicodedata
from bisect import bisect_right
from functools import cache
from pathlib import Path

FONTS = Path(__file__).resolve().parent / "fonts"
_REGULAR = FONTS / "NotoSansSC-Regular.ttf"
_ALL_PLANES = 12
"""The cmap format that holds every plane of Unicode."""

Run = str | dict[str, str]
"""A text that can be printed, or `{"code": "U+20BB7"}` for a character that cannot."""


@cache
def _covered() -> tuple[list[int], list[int]]:
    """Starts and ends (both meant) of the stretches of characters, ascending."""
    font = _REGULAR.read_bytes()
    (tables,) = struct.unpack_from(">H", font, 4)
    places = {
        font[12 + 16 * i : 16 + 16 * i]: struct.unpack_from(">I", font, 20 + 16 * i)[0] for i in range(tables)
    }
    cmap = places[b"cmap"]
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    for i in range(count):
        (offset,) = struct.unpack_from(">I", font, cmap + 8 + 8 * i)
        if struct.unpack_from(">H", font, cmap + offset)[0] == _ALL_PLANES:
            (groups,) = struct.unpack_from(">I", font, cmap + offset + 12)
            spans = struct.iter_unpack(">III", font[cmap + offset + 16 :][: 12 * groups])
            found = sorted((first, last) for first, last, _ in spans)
            return [first for first, _ in found], [last for _, last in found]
    raise ValueError(f"{_REGULAR.name} has no table of characters")


def can_print(character: str) -> bool:
    """Marks that change what stands around them and show nothing themselves (bidi, joiners, controls) cannot."""
    if unicodedata.category(character) in ("Cc", "Cf"):
        return False
    starts, ends = _covered()
    i = bisect_right(starts, ord(character)) - 1
    return i >= 0 and ord(character) <= ends[i]


def runs_of(text: str) -> list[Run]:
    """The text in pieces, in order; put together again nothing of it is missing."""
    runs: list[Run] = []
    plain = ""
    for character in text:
        if can_print(character):
            plain += character
            continue
        runs += [plain] if plain else []
        runs.append({"code": f"U+{ord(character):04X}"})
        plain = ""
    return runs + ([plain] if plain else [])
