"""Pictures, videos and papers for a simulated phone: made-up bytes under names as people's phones have them."""

import os
import random
from pathlib import Path

_PLACES = (
    ("DCIM/Camera", "IMG_2026{n:04}_1203.jpg", 180_000),
    ("DCIM/Camera", "VID_2026{n:04}_1530.mp4", 2_400_000),
    ("Pictures/WeiXin", "mmexport17{n:06}.jpg", 90_000),
    ("Pictures", "整改前 {n}号楼「东侧」.jpg", 150_000),
    ("Pictures", '业主\'s "门牌" 🏠 {n}.png', 40_000),
    ("Download", "巡查记录（{n}）.xlsx", 25_000),
)
_FIRST_AT = 1_760_000_000


def make_media(storage: Path, count: int, seed: int) -> None:
    """Write `count` files below `storage`, the same ones for the same seed."""
    dice = random.Random(seed)
    for number in range(count):
        folder, name, size = _PLACES[number % len(_PLACES)]
        place = storage / folder / name.format(n=number + 1)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(dice.randbytes(size + dice.randrange(size)))
        at = _FIRST_AT + 3600 * number
        os.utime(place, (at, at))
