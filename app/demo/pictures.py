"""Drawings that stand for photos of a phone in the demo: its front, whole or cracked."""

from __future__ import annotations

import io

_CRACKS = (
    ((120, 170), (210, 260), (190, 330), (270, 420)),
    ((120, 170), (170, 150), (260, 190)),
    ((120, 170), (150, 260), (110, 340)),
)


def phone_front(label: str, *, cracked: bool = False) -> bytes:
    """JPEG bytes; `label` is written under the phone, in Latin letters and digits."""
    # Lazily: only the demo draws, and the library takes memory in every process.
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (480, 640), "#d9d3c8")
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((110, 40, 370, 580), radius=34, fill="#22282b")
    pen.rounded_rectangle((122, 56, 358, 564), radius=24, fill="#7fa6b8")
    pen.ellipse((232, 66, 248, 82), fill="#22282b")
    for line in _CRACKS if cracked else ():
        pen.line([(x + 10, y) for x, y in line], fill="#f4f7f8", width=3)
        pen.line([(x + 13, y + 4) for x, y in line], fill="#31424a", width=2)
    pen.text((200, 600), label, fill="#3a3a3a")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
