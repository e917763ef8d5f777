"""The list that holds for a phone: its centre's policy, with what is said of its brand and model folded in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from app.compliance.list_rules import Allowlist, build, presets_for
from app.policy import Policy, patched

_KEPT = 1000


def allowlist_of(body: Mapping[str, Any], brand: str | None, model: str | None) -> Allowlist:
    """From the policy's effective body (its schema was checked). None: not read, then only what holds for all, or for
    all phones of the brand. The brand's spelling does not matter, the model's does.
    """
    brand, model = (brand or "").strip().lower(), (model or "").strip()
    presets = presets_for(body["presets"], brand, model)
    return build(patched(body, "models", f"{brand}/{model}"), presets)


def allowlist_for(policy: Policy, brand: str | None, model: str | None) -> Allowlist:
    """As `allowlist_of`, kept: a fleet has few models."""
    return _kept(_Known(policy), brand, model)


class _Known:
    """A policy as a key: its sha256 says all of its body."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return hash(self.policy.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and self.policy.sha256 == other.policy.sha256


@lru_cache(maxsize=_KEPT)
def _kept(known: _Known, brand: str | None, model: str | None) -> Allowlist:
    return allowlist_of(known.policy.body, brand, model)
