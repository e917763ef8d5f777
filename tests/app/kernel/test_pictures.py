"""Photos are taken upright, bounded and bare; what is no photo, torn or a bomb is refused with words."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.kernel.errors import Invalid
from app.kernel.pictures import MAX_BYTES, take_picture

RED, BLUE = (220, 30, 30), (30, 30, 220)


def halves(size: tuple[int, int] = (80, 40), mode: str = "RGB") -> Image.Image:
    """Left red, right blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image.convert(mode)


def saved(image: Image.Image, form: str = "JPEG", **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def near(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        ("JPEG", "RGB"),
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("PNG", "1"),
        ("PNG", "LA"),
        ("GIF", "P"),
        ("WEBP", "RGB"),
    ],
)
def test_every_usual_kind_is_taken(form: str, mode: str) -> None:
    picture = take_picture(saved(halves(mode=mode), form))
    image = opened(picture.data)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (80, 40))
    assert (picture.width, picture.height) == (80, 40)
    if mode in ("RGB", "RGBA", "CMYK", "P"):
        assert near(image.getpixel((10, 20)), RED)
        assert near(image.getpixel((70, 20)), BLUE)


def test_nothing_but_the_picture_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRETPHONE"
    exif[0x8825] = {1: "N", 2: (31.0, 13.0, 59.0), 3: "E", 4: (121.0, 28.0, 12.0)}
    raw = saved(
        halves(), exif=exif, comment=b"SECRETPLACE", xmp=b"<x>SECRETXMP</x>", icc_profile=b"SECRETICC" * 20
    )
    assert raw.count(b"SECRET") >= 4
    kept = take_picture(raw).data
    assert b"SECRET" not in kept
    assert set(opened(kept).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    note = PngInfo()
    note.add_text("Comment", "SECRETTEXT", zip=False)
    assert b"SECRET" not in take_picture(saved(halves(), "PNG", pnginfo=note)).data


@pytest.mark.parametrize(
    ("orientation", "size"), [(1, (80, 40)), (3, (80, 40)), (6, (40, 80)), (8, (40, 80))]
)
def test_it_stands_upright(orientation: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = opened(take_picture(saved(halves(), exif=exif)).data)
    assert image.size == size
    # Where the left edge of the sensor's picture came to lie.
    place = {1: (5, 20), 3: (75, 20), 6: (20, 5), 8: (20, 75)}[orientation]
    assert near(image.getpixel(place), RED)


def test_it_is_made_smaller_and_never_larger() -> None:
    picture = take_picture(saved(halves((4000, 1000))))
    assert (picture.width, picture.height) == (1600, 400)
    assert near(opened(picture.data).getpixel((100, 200)), RED)
    assert take_picture(saved(halves((4000, 1000))), max_side=400).width == 400
    assert take_picture(saved(Image.new("RGB", (1, 3000), RED))).width == 1


def test_sixteen_bits_of_grey_keep_their_shades() -> None:
    image = Image.new("I;16", (40, 10))
    image.putdata([32768 * (x >= 20) for _ in range(10) for x in range(40)])
    taken = opened(take_picture(saved(image, "PNG")).data)
    assert taken.getpixel((5, 5))[0] < 20  # type: ignore[index]
    assert 110 < taken.getpixel((35, 5))[0] < 145  # type: ignore[index,operator]


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
    raw = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)
    assert near(opened(take_picture(raw).data).getpixel((10, 10)), RED)


def test_what_is_see_through_lies_on_white() -> None:
    raw = saved(Image.new("RGBA", (10, 10), (0, 0, 0, 0)), "PNG")
    assert near(opened(take_picture(raw).data).getpixel((5, 5)), (255, 255, 255))


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG that claims a size, whatever its rows hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no_picture"),
        (b"GIF89a", "no_picture"),
        ("只是一段文字".encode() * 50, "no_picture"),
        (b"%PDF-1.7\n%%EOF", "no_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no_picture"),
        (b"\xff\xd8\xff\xe0", "no_picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
        (saved(halves((300, 300)))[:-400], "broken"),
        (saved(halves((300, 300)), "PNG")[:-60], "broken"),
        (saved(halves(), "BMP"), "no_picture"),
        (png(30_000, 30_000, b"\0" * 1000), "too_large"),
        (png(12_000, 6_000, b"\0" * 1000), "too_large"),
        (png(9_000, 10_500, b"\0" * 1000), "too_large"),
        (png(500, 500, b"\0" * 100), "broken"),
        (b"\xff\xd8" + b"\0" * MAX_BYTES, "too_large"),
    ],
    ids="empty gif_head text pdf svg jpeg_head heic torn_jpeg torn_png bmp bomb large bomb2 short bytes".split(),
)
def test_what_is_no_photo_is_refused_with_words(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        take_picture(data)
    assert refused.value.fields[0].field == "photo"
    assert refused.value.code == code


@pytest.mark.filterwarnings("ignore:.*EXIF:UserWarning")
def test_a_huge_or_rotten_exif_does_not_cost_the_picture() -> None:
    app1 = b"Exif\0\0" + b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 30_000
    raw = saved(halves())
    rotten = raw[:2] + b"\xff\xe1" + struct.pack(">H", len(app1[:65_000]) + 2) + app1[:65_000] + raw[2:]
    picture = take_picture(rotten)
    assert (picture.width, picture.height) == (80, 40)
    assert len(picture.data) < 5000


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_no_damage_raises_anything_else(form: str) -> None:
    raw, dice = saved(halves((60, 60)), form), random.Random(7)
    for _ in range(150):
        torn = bytearray(raw)
        for _ in range(dice.randint(1, 8)):
            torn[dice.randrange(len(torn))] = dice.randrange(256)
        try:
            take_picture(bytes(torn[: dice.randint(1, len(torn))] if dice.random() < 0.3 else torn))
        except Invalid:
            continue
