"""The packages of a snapshot, joined from one list and two marks for each user and one dump for all."""

from __future__ import annotations

from agent.parsers.packages import Details, parse_details, parse_listing, parse_names
from agent.snapshot_parts import Json, SectionReader


def packages_part(reader: SectionReader, users: list[int]) -> list[Json] | None:
    """`packages` of all users that may be read; a user that may not is noted as `packages.user.N`: not
    inspected.

    None, with a note for `packages` itself, when no user could be read.
    """
    details = reader.take("packages.details", lambda: parse_details(reader.text("details")))
    found: list[Json] = []
    inspected = 0
    for user in users:
        rows = _user_packages(reader, user, details)
        if rows is not None:
            inspected += 1
            found += rows
    if not inspected:
        reader.note("packages", "no user's packages could be read")
        return None
    missing = sum(row["name"] not in details for row in found) if details is not None else 0
    if missing:
        reader.note("packages.details", f"missing for {missing} of {len(found)} packages")
    return found


def _user_packages(reader: SectionReader, user: int, details: dict[str, Details] | None) -> list[Json] | None:
    part = f"packages.user.{user}"
    listing = reader.take(part, lambda: parse_listing(reader.text(f"packages.{user}")))
    if listing is None:
        return None
    if listing.strange:
        reader.note(part, f"{listing.strange} lines were not understood")
    system = _marked(reader, f"system.{user}", f"{part}.system")
    disabled = _marked(reader, f"disabled.{user}", f"{part}.enabled")
    rows: list[Json] = []
    for name, version_code, installer in listing.packages:
        more = details.get(name) if details is not None else None
        rows.append(
            {
                "name": name,
                "user": user,
                "version_code": more.version_code if version_code is None and more else version_code,
                "version_name": more.version_name if more else None,
                "system": None if system is None else name in system,
                "enabled": None if disabled is None else name not in disabled,
                "suspended": more.suspended(user) if more else None,
                "installer": installer,
            }
        )
    return rows


def _marked(reader: SectionReader, section: str, part: str) -> frozenset[str] | None:
    """The names that a marking list holds; None and a note unless all of it was understood."""

    listing = reader.take(part, lambda: parse_names(reader.text(section)))
    if listing is not None and listing.strange:
        reader.note(part, f"{listing.strange} lines were not understood")
        return None
    return None if listing is None else listing.names()
