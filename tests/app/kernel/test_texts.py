"""What people call a phone."""

from __future__ import annotations

import pytest

from app.kernel.texts import model_name


@pytest.mark.parametrize(
    ("brand", "model", "name"),
    [
        ("Redmi", "Redmi Note 8", "Redmi Note 8"),
        ("HUAWEI", "Huawei P40", "Huawei P40"),
        ("Xiaomi", "Redmi Note 8", "Xiaomi Redmi Note 8"),
        ("OPPO", "OPPOx", "OPPO OPPOx"),
        ("vivo", "vivo", "vivo"),
        ("华为", "Mate 40", "华为 Mate 40"),
        ("Hisense", "", "Hisense"),
    ],
)
def test_a_brand_is_said_once(brand: str, model: str, name: str) -> None:
    assert model_name(brand, model) == name
