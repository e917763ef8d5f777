"""A user of a phone in words: what is usual is told, what is no number is left as it came."""

from __future__ import annotations

import pytest

from app.readings import space_words


@pytest.mark.parametrize(
    ("user", "name", "words"),
    [
        (0, None, "0（机主）"),
        ("0", "", "0（机主）"),
        (999, None, "999（应用分身）"),
        (95, None, "95（应用双开）"),
        (150, None, "150（安全文件夹）"),
        (10, None, "10（第二空间、访客或工作资料）"),
        (11, "Work\n profile", "11（第二空间、访客或工作资料，手机上叫“Work profile”）"),
        (3, None, "3"),
        (10, "x" * 99, f"10（第二空间、访客或工作资料，手机上叫“{'x' * 40}”）"),
        (True, None, "True"),
        (None, None, "None"),
        ("com.a@10", None, "com.a@10"),
        ("१०", None, "१०"),
        ("9" * 40, None, "9" * 40),
    ],
)
def test_a_space_is_told_by_number_and_habit(user: object, name: object, words: str) -> None:
    assert space_words(user, name) == words
