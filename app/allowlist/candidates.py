"""Which packages on the phones of a centre may be the work apps whose package names are not configured."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.allowlist import fleet_store
from app.compliance import allowlist_for
from app.policy import Policy
from app.readings import latest_sections

MOST_PHONES = 300
"""So many phones of a centre are looked at: what every phone must carry shows on the first of them."""
_CHUNK = 50
_SHOWN = 40


@dataclass(frozen=True)
class Candidate:
    package: str
    phones: int


@dataclass(frozen=True)
class Looked:
    """`phones`: how many were looked at; `read`: of how many the list of apps is known."""

    phones: int
    read: int
    candidates: tuple[Candidate, ...]


def candidates(session: Session, policy: Policy, centre_id: uuid.UUID) -> Looked:
    """Packages that are on no list and no part of the system, those on most phones first; at most some dozens."""
    ids = fleet_store.next_phones(session, [centre_id], None, MOST_PHONES)
    seen: Counter[str] = Counter()
    read = 0
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        for sections in latest_sections(session, part, ("packages", "identity")).values():
            if "packages" in sections:
                read += 1
                seen.update(_strangers(policy, sections.get("identity") or {}, sections["packages"]))
    found = sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
    return Looked(len(ids), read, tuple(Candidate(name, phones) for name, phones in found))


def models_in(session: Session, centre_id: uuid.UUID) -> list[tuple[str, str, int]]:
    """Brand in lower case and model as the phones of a centre tell them, with their number; those not read are not
    among them. Lists are chosen by these, not by what the registry calls a phone.
    """
    ids = fleet_store.next_phones(session, [centre_id], None, MOST_PHONES)
    found: Counter[tuple[str, str]] = Counter()
    for sections in latest_sections(session, ids, ("identity",)).values():
        identity = sections["identity"]
        found[str(identity.get("brand") or "").strip().lower(), str(identity.get("model") or "").strip()] += 1
    return [(brand, model, phones) for (brand, model), phones in sorted(found.items()) if brand]


def _strangers(
    policy: Policy, identity: Mapping[str, str | None], packages: Sequence[Mapping[str, object]]
) -> set[str]:
    listed = allowlist_for(policy, identity.get("brand"), identity.get("model"))
    return {
        str(package["name"])
        for package in packages
        if package.get("system") is False and listed.place_of(str(package["name"])) == "unlisted"
    }
