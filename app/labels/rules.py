"""How a package is shown. Plain values only."""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_LABEL = 60
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")


def is_package(text: str) -> bool:
    """Whether Android could install something of this name: letters, digits, underscores and dots."""
    return len(text) <= 255 and _PACKAGE.fullmatch(text) is not None


def label_of(package: str, labels: Mapping[str, str]) -> str:
    """The label alone, or the package where nobody named it: never an empty place."""
    return labels.get(package, package)


def name_of(package: str, labels: Mapping[str, str]) -> str:
    """`抖音（com.ss.android.ugc.aweme）`, or the bare package. The package stays: two apps may carry one label."""
    label = labels.get(package)
    return package if label is None else f"{label}（{package}）"
