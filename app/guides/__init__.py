"""How to open USB debugging on a phone, prepare it for a reset and reset it, by brand."""

from app.guides.families import FAMILIES, family_of
from app.guides.rules import Family, Step, guide_path

__all__ = ["FAMILIES", "Family", "Step", "family_of", "guide_path"]
