"""A drawn signature becomes a picture; what is none is refused with words."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from app.kernel.errors import Invalid
from app.papers import read_ink
from app.papers.ink import MAX_TEXT

PAD = {"width": 360, "height": 160}
NAME = [[[20, 40], [120, 60.5], [60, 130]], [[200, 20], [200, 140]], [[260, 80]]]


def posted(strokes: Any, **pad: Any) -> str:
    return json.dumps({**PAD, **pad, "strokes": strokes})


def test_it_is_black_on_white_and_the_same_again() -> None:
    ink = read_ink(posted(NAME))
    with Image.open(io.BytesIO(ink.png)) as image:
        assert (image.format, image.mode, image.size, image.info) == ("PNG", "L", (900, 300), {})
        dark = sum(image.histogram()[:64]) / (900 * 300)
        assert image.getextrema() == (0, 255)
        assert 0.002 < dark < 0.2
    assert ink.strokes == 3
    assert read_ink(posted(NAME)) == ink
    assert read_ink(posted(NAME[:2])).png != ink.png


def test_a_finger_that_leaves_the_pad_draws_along_its_edge() -> None:
    assert read_ink(posted([[[10, 10], [5000, 90]]])).png == read_ink(posted([[[10, 10], [360, 90]]])).png


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "[]",
        "{}",
        "null",
        "{",
        "\x00",
        posted([]),
        posted([[]]),
        posted([[[50, 50]]]),
        posted([[[50, 50], [55, 55]]]),
        posted([[[50, 50], [51, 51]]] * 3),
        posted("strokes"),
        posted([[["1", "2"], ["3", "4"]]]),
        posted([[[1, 2, 3], [4, 5, 6]]]),
        posted([[[True, False], [90, 90]]]),
        posted([[[1e300, 0], [0, 0]]]),
        posted([[{"x": 1}]]),
        posted(NAME, width=0),
        posted(NAME, width=True),
        posted(NAME, width="360"),
        posted(NAME, height=10**9),
        posted([[[0, 0], [99, 99]]] * 301),
        posted([[[i % 300, i % 150] for i in range(20_001)]]),
        posted([[[0, 0], [99, 99]]]) + " " * MAX_TEXT,
        '{"width": 360, "height": 160, "strokes": [[[NaN, 1], [2, 2]]]}',
    ],
)
def test_what_is_no_signature_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_ink(text)
    assert refused.value.fields[0].field == "ink"
