"""What a receipt's file may be, told by its content and never by its name. Plain values only."""

from __future__ import annotations

import struct
import unicodedata
import zlib

MAX_BYTES = 10 * 2**20
_PNG = b"\x89PNG\r\n\x1a\n"
_ALONE = {0x01, *range(0xD0, 0xD8)}
EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


def normal_number(text: str) -> str | None:
    """A receipt's number in the form in which two spellings of it are one: no spaces or dashes, capital letters; None
    when nothing is left. Else one receipt, photographed twice, is paid once for each way to write its number.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    # One such character may become several: the result is cut to what the text could hold.
    return "".join(c for c in plain if c.isalnum())[: len(text)] or None


def media_type(data: bytes) -> str | None:
    """`application/pdf`, `image/jpeg` or `image/png` for a whole file of that kind; None for anything else, torn ones
    too: a receipt that nobody can open proves nothing.
    """
    if _is_pdf(data):
        return "application/pdf"
    if _is_jpeg(data):
        return "image/jpeg"
    return "image/png" if _is_png(data) else None


def _is_pdf(data: bytes) -> bool:
    return data.startswith(b"%PDF-") and b"%%EOF" in data[-2048:]


def _is_jpeg(data: bytes) -> bool:
    """Segments up to the picture's data, with a frame that has a size, and an end of image after it."""
    if not data.startswith(b"\xff\xd8"):
        return False
    at, sized = 2, False
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2 or at + 2 + length > len(data):
            return False
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            sized = length >= 8 and data[at + 5 : at + 9] != b"\0\0\0\0"
        if marker == 0xDA:
            return sized and b"\xff\xd9" in data[at + 2 + length :]
        at += 2 + length
    return False


def _is_png(data: bytes) -> bool:
    """Every chunk whole by its checksum, from the header to the end."""
    if not data.startswith(_PNG):
        return False
    at, first = len(_PNG), True
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data) or (first and kind != b"IHDR"):
            return False
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(data[at + 4 : end - 4]) != checksum:
            return False
        if kind == b"IEND":
            return True
        at, first = end, False
    return False
