"""All families, and which of them a phone belongs to."""

from __future__ import annotations

from app.guides.colour_families import OPPO, VIVO
from app.guides.home_families import HUAWEI, XIAOMI
from app.guides.other_families import GENERIC, HISENSE, SAMSUNG
from app.guides.rules import Family

FAMILIES: tuple[Family, ...] = (XIAOMI, HUAWEI, OPPO, VIVO, SAMSUNG, HISENSE, GENERIC)


def family_of(brand: str) -> Family:
    """By the brand as the phone or the registry writes it ("Redmi", "红米 Note"); the generic one for any other."""
    words = brand.lower()
    for family in FAMILIES:
        if any(name in words for name in family.brands):
            return family
    return GENERIC
