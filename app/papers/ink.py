"""A drawn signature: the strokes that the pad posts, as a picture."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise
from math import dist
from typing import Any

import orjson

from app.kernel.errors import FieldError, Invalid

MAX_TEXT = 400_000
_MAX_STROKES, _MAX_POINTS = 300, 20_000
_MAX_SIDE = 4000
_WIDTH, _HEIGHT, _MARGIN, _PEN, _FINE = 900, 300, 20, 6, 2
_MIN_LENGTH = 0.15
"""Of the pad's height: a shorter line is a slip of the finger and no signature."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Ink:
    """`png`: black on white, without metadata, the same for the same strokes."""

    png: bytes
    strokes: int


def read_ink(text: str) -> Ink:
    """Draw `{"width", "height", "strokes": [[[x, y], …], …]}`. Raise `Invalid` (field `ink`) for anything else, for an
    empty pad and for a mere dot.
    """
    if not text.strip():
        raise _bad("请在签名框内手写签名 / sign in the box")
    width, height, strokes = _parse(text)
    length = sum(dist(a, b) for stroke in strokes for a, b in pairwise(stroke))
    if length < _MIN_LENGTH * height:
        raise _bad("签名太短，请写完整姓名 / the signature is too short")
    return Ink(_draw(width, height, strokes), len(strokes))


def _parse(text: str) -> tuple[float, float, list[list[Point]]]:
    if len(text) > MAX_TEXT:
        raise _bad("签名太长，请清除后重签 / the signature is too large")
    try:
        body = orjson.loads(text)
        width, height = _side(body["width"]), _side(body["height"])
        strokes = [[_point(point, width, height) for point in stroke] for stroke in body["strokes"]]
    except (ValueError, TypeError, KeyError):
        raise _bad("签名数据不正确，请清除后重签 / this is no signature") from None
    if len(strokes) > _MAX_STROKES or sum(map(len, strokes)) > _MAX_POINTS:
        raise _bad("签名太长，请清除后重签 / the signature is too large")
    return width, height, [stroke for stroke in strokes if stroke]


def _side(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 50 <= value <= _MAX_SIDE:
        raise ValueError("not a side of a pad")
    return float(value)


def _point(value: Any, width: float, height: float) -> Point:
    """Inside the pad: a finger that leaves it draws along its edge."""
    x, y = value
    if not all(
        isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= 10 * _MAX_SIDE for v in (x, y)
    ):
        raise ValueError("not a point")
    return min(max(float(x), 0.0), width), min(max(float(y), 0.0), height)


def _draw(width: float, height: float, strokes: list[list[Point]]) -> bytes:
    from PIL import Image, ImageDraw

    # Twice as large and then reduced: the library's own lines have ragged edges.
    scale = _FINE * min((_WIDTH - 2 * _MARGIN) / width, (_HEIGHT - 2 * _MARGIN) / height)
    image = Image.new("L", (_FINE * _WIDTH, _FINE * _HEIGHT), 255)
    pen, radius = ImageDraw.Draw(image), _FINE * _PEN / 2
    for stroke in strokes:
        points = [(x * scale + _FINE * _MARGIN, y * scale + _FINE * _MARGIN) for x, y in stroke]
        pen.line(points, fill=0, width=_FINE * _PEN, joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    out = io.BytesIO()
    image.resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


def _bad(message: str) -> Invalid:
    return Invalid(message, code="no_ink", fields=[FieldError("ink", "no_ink", message)])
