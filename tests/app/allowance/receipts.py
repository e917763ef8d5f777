"""Receipts as phones and carriers make them: the smallest whole files of each kind."""

from __future__ import annotations

import struct
import zlib


def pdf(words: bytes = b"receipt") -> bytes:
    return b"%PDF-1.4\n1 0 obj << /Note (" + words + b") >> endobj\ntrailer << >>\n%%EOF\n"


def png(shade: int = 0) -> bytes:
    """One grey pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes([0, shade]))) + chunk(b"IEND", b"")
    )


def jpeg(mark: int = 0) -> bytes:
    """The segments of a camera's file, with hardly any picture in them."""
    app0 = b"\xff\xe0\x00\x10JFIF\x00\x01\x01" + bytes([mark]) + b"\x00\x01\x00\x01\x00\x00"
    frame = b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x7f"
    return b"\xff\xd8" + app0 + frame + scan + b"\xff\xd9"
