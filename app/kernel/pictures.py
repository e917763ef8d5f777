"""Photos as they are kept: upright, of a bounded size, JPEG, and without what a camera writes beside the picture.

A phone's photo tells where and when it was taken; whoever photographs a receipt at home did not mean to say so.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.kernel.errors import FieldError, Invalid

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 20 * 2**20
MAX_PIXELS = 60_000_000
MAX_SIDE = 1600
_QUALITY = 85
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif")
# What Pillow raises on files that are torn or made to hurt.
_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, EOFError, MemoryError,
    ZeroDivisionError, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """JPEG bytes without metadata; `width` and `height` in pixels."""

    data: bytes
    width: int
    height: int


def take_picture(data: bytes, *, max_side: int = MAX_SIDE) -> Picture:
    """The picture in `data`, whatever its name: a JPEG, PNG, WebP or GIF (of which the first frame).

    Raise `Invalid` (field `photo`) for anything else, for a torn file, and for one too large to be opened safely.
    """
    # Lazily: the library takes memory that a process which never sees a photo keeps.
    from PIL import Image, UnidentifiedImageError

    if len(data) > MAX_BYTES:
        raise _refused("too_large", f"照片最多 {MAX_BYTES // 2**20} MB / the photo is too large")
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        raise _refused("heic", "不支持 HEIC 照片，请用 JPG 或 PNG / HEIC is not supported, use JPG or PNG")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _refused("too_large", "照片的像素太多 / the photo has too many pixels")
            plain = _upright(image, max_side)
    except UnidentifiedImageError:
        raise _refused("no_picture", "请上传 JPG 或 PNG 照片 / this is no JPG or PNG picture") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _refused("too_large", "照片的像素太多 / the photo has too many pixels") from None
    except _BROKEN:
        raise _refused("broken", "照片文件已损坏，请重拍或重新上传 / the picture is damaged") from None
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return Picture(out.getvalue(), plain.width, plain.height)


def _upright(image: Image.Image, max_side: int) -> Image.Image:
    """A new image that has nothing of the old one but its pixels, turned as the camera was held."""
    from PIL import Image, ImageOps

    # A JPEG is decoded at a fraction of its size when that is enough: 60 megapixels need not be held in memory.
    image.draft(None, (max_side, max_side))
    image.load()
    try:
        turned = ImageOps.exif_transpose(image)
    except _BROKEN:  # the picture is whole, only what is written beside it is not
        turned = image
    turned.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    shown = _eight_bit(turned)
    plain = Image.new("RGB", shown.size, "white")
    if shown.has_transparency_data:
        shown = shown.convert("RGBA")
        plain.paste(shown, mask=shown.getchannel("A"))
    else:
        plain.paste(shown.convert("RGB"))
    return plain


def _eight_bit(image: Image.Image) -> Image.Image:
    """16 bits of grey would be cut off at white by a plain conversion, and the photo would show nothing."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")


def _refused(code: str, message: str) -> Invalid:
    return Invalid(message, code=code, fields=[FieldError("photo", code, message)])
