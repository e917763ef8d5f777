"""Printed forms: how long one takes after the first, and a long one with sixty items and twelve photos.

The first of a process loads printer and fonts too and is told in `detail`; a form is from data to PDF bytes, without
the database.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from PIL import Image

from app.papers import (
    Column,
    Document,
    Fields,
    Photo,
    Photos,
    Signatures,
    Signed,
    Table,
    Text,
    digest,
    read_ink,
)
from app.papers.rendering import Print, render

ONE_LIMIT_MS = 100.0
LONG_LIMIT_MS = 500.0
_TIMES = 9
_AT = dt.datetime(2026, 11, 22, 2, 30, tzinfo=dt.UTC)
_INK = '{"width":360,"height":160,"strokes":[[[20,40],[120,60],[60,130]],[[200,20],[210,140]]]}'


def _photos(count: int, seed: int) -> dict[str, bytes]:
    """Noise, which no picture format makes small: the worst that a phone can send."""
    dice, found = random.Random(seed), {}
    for _ in range(count):
        small = Image.frombytes("RGB", (80, 60), dice.randbytes(80 * 60 * 3))
        out = io.BytesIO()
        small.resize((1600, 1200)).save(out, "JPEG", quality=85)
        found[hashlib.sha256(out.getvalue()).hexdigest()] = out.getvalue()
    return found


def _form(items: int, photos: int, seed: int) -> Print:
    """Another one for each seed: the printer remembers what it has laid out before."""
    pictures = _photos(photos, seed)
    ink = read_ink(_INK).png
    name = hashlib.sha256(ink).hexdigest()
    signed = tuple(
        Signed(role, "欧阳小明", "2026-11-22T02:30:00.000000Z", "本人登录", "a" * 64, name, "无异议")
        for role in ("移交人", "接收人")
    )
    rows = tuple(
        (str(i), "手机", f"86{seed:03d}56789{i:05d}", f"屏幕完好，背板有划痕 {seed}", "有")
        for i in range(items)
    )
    widths = (("序", 1), ("物品", 3), ("标识", 4), ("状况", 5), ("在否", 1))
    document = Document(
        "移交物品单",
        f"{seed} 号片区管家",
        (
            Fields("基本情况", tuple((f"项目{i}", f"{seed} 号片区管家") for i in range(8))),
            Table("物品清单", tuple(Column(*width) for width in widths), rows),
            Text("异议", f"无。\n接收人确认以上 {seed} 各项。"),
            Photos("照片", tuple(Photo(sha256, "正面") for sha256 in pictures)),
            Signatures("签字", signed),
        ),
    )
    return Print(
        document, "示例物业 · 锦绣花园", f"JJ-SC01-2026-{seed:04d}", digest(document), _AT, {**pictures, name: ink},
        proof=[("内容 SHA-256", digest(document)), ("审计记录", "第 1 个事件")], link="https://phones.example.cn/p/x",
    )  # fmt: skip


def _ms(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def measure() -> list[dict[str, Any]]:
    one = _form(12, 2, 0)
    first = _ms(lambda: render(one))
    return [
        _figure("one form: 20 items, 2 photos", 20, 2, ONE_LIMIT_MS, first),
        _figure("one form: 60 items, 12 photos", 60, 12, LONG_LIMIT_MS, first),
    ]


def _figure(name: str, items: int, photos: int, limit: float, first: float) -> dict[str, Any]:
    forms = [_form(items, photos, seed) for seed in range(1, _TIMES + 1)]
    taken = [_ms(lambda form=form: render(form)) for form in forms]  # type: ignore[misc]
    value = statistics.median(taken)
    detail = {
        "first_ms": round(first, 1),
        "worst_ms": round(max(taken), 1),
        "bytes": len(render(forms[-1])),
    }
    return {
        "figure": name,
        "value": round(value, 1),
        "limit": limit,
        "unit": "ms",
        "ok": value <= limit,
        "detail": detail,
    }
