from __future__ import annotations

import pytest

from app.hardware.comparing import BRAND, Specification, overall, specification_table

NAMES = [["Xiaomi", "小米"]]


def verdicts(old, new, *, required=(), brands=("Redmi", "Redmi")):
    lines = specification_table(
        Specification(brands[0], "A", old),
        Specification(brands[1], "B", new),
        required=required,
        brand_names=NAMES,
    )
    return {line.label: line.verdict for line in lines}


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("8GB", "8 gb", "ok"), ("8GB", "12GB", "ok"), ("8GB", "6GB", "lower"), ("128GB", "1TB", "ok"),
        ("1TB", "512GB", "lower"), ("８ＧＢ", "8192MB", "ok"), ("5000mAh", "4999毫安时", "lower"),
        ("5000万像素", "50MP", "ok"), ("6.5英寸", "6.67 英寸", "ok"), ("8核", "6核", "lower"),
        ("骁龙685", "骁龙685", "ok"), ("骁龙685", "骁龙695", "unknown"), ("8GB", "很大", "unknown"),
        ("8+4GB", "8GB", "unknown"), ("8GB", "8000mAh", "unknown"), ("8GB", "", "unknown"), ("8GB", "-9GB", "unknown"),
        ("8", "8GB", "unknown"),
    ],
)  # fmt: skip
def test_one_line(old, new, verdict):
    assert verdicts({"内存": old}, {"内存": new})["内存"] == verdict


def test_brands():
    assert verdicts({}, {}, brands=("Xiaomi", "小米"))[BRAND] == "ok"
    assert verdicts({}, {}, brands=("redmi", " REDMI "))[BRAND] == "ok"
    assert verdicts({}, {}, brands=("Redmi", "小米"))[BRAND] == "lower"
    assert verdicts({}, {}, brands=("Redmi", None))[BRAND] == "unknown"


def test_what_is_not_recorded_is_unknown_and_what_only_the_new_one_has_is_no_matter():
    found = verdicts({"存储": "128GB"}, {"存储": "256GB", "无线充电": "有"}, required=("内存", "存储"))
    assert found == {BRAND: "ok", "存储": "ok", "内存": "unknown"}


def test_of_a_weight_more_is_not_better():
    assert verdicts({"重量": "180g"}, {"重量": "200g"})["重量"] == "unknown"


def test_the_worst_line_is_the_verdict():
    old, new = Specification("Redmi", "A", {"内存": "8GB"}), Specification("Redmi", "B", {"内存": "6GB"})
    assert overall(specification_table(old, new, required=("存储",))) == "lower"
    assert overall(specification_table(old, old, required=("存储",))) == "unknown"
    assert overall(specification_table(old, old)) == "ok"
