"""The shape of a brand's guide. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """`text`: one thing to do on the phone; `note`: where a version differs, or what goes wrong otherwise."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Family:
    """Brands whose settings look alike.

    `brands`: as phones tell them, lower case. `systems`: the versions for which the paths are written. `find`: the
    maker's page by which a lost phone is locked from elsewhere, and whose account that takes.
    """

    key: str
    title: str
    english: str
    brands: tuple[str, ...]
    systems: str
    debugging: tuple[Step, ...]
    accounts: tuple[Step, ...]
    reset: tuple[Step, ...]
    find: Step


def guide_path(family: Family) -> str:
    return f"/guides/debugging/{family.key}"
