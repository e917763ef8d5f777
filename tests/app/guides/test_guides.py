from __future__ import annotations

import pytest
from flask import Flask

from app.guides import FAMILIES, family_of, guide_path
from tests.support.browser import Browser


@pytest.mark.parametrize(
    ("brand", "key"),
    [
        ("Redmi", "xiaomi"),
        ("红米 Note 12", "xiaomi"),
        ("HUAWEI", "huawei"),
        ("HONOR", "huawei"),
        ("realme", "oppo"),
        ("OnePlus", "oppo"),
        ("iQOO", "vivo"),
        ("SAMSUNG", "samsung"),
        ("Hisense", "hisense"),
        ("Google", "generic"),
        ("", "generic"),
    ],
)
def test_a_phone_has_the_guide_of_its_brand(brand: str, key: str) -> None:
    assert family_of(brand).key == key


def test_no_brand_stands_in_two_families() -> None:
    names = [name for family in FAMILIES for name in family.brands]
    assert len(names) == len(set(names))
    assert all(family.brands or family.key == "generic" for family in FAMILIES)


def test_every_guide_says_how_to_connect_what_to_remove_and_how_to_reset(app: Flask) -> None:
    browser = Browser(app)
    overview = browser.text("/guides/debugging")
    for family in FAMILIES:
        assert family.title in overview
        page = browser.text(guide_path(family))
        for step in (*family.debugging, *family.accounts, *family.reset, family.find):
            assert step.text in page
        assert "一律允许使用这台计算机进行调试" in page
        assert "eSIM" in page
        assert "存储卡" in page


def test_a_brand_without_a_guide_is_not_found(app: Flask) -> None:
    assert Browser(app).get("/guides/debugging/nokia").status_code == 404
