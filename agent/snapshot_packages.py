"""The packages of a snapshot, joined from one list and two marks for each user and one dump for all."""

from __future__ import annotations

from agent.parsers.packages import (
    NOTHING,
    Block,
    parse_details,
    parse_listing,
    parse_names,
    suspended,
    user_head,
)
from agent.snapshot_parts import Json, SectionReader

_NOT_DUMPED: Block = ("", "", "", "", "")


def packages_part(reader: SectionReader, users: list[int]) -> list[Json] | None:
    """`packages` of all users that may be read; a user that may not is noted as `packages.user.N`: not
    inspected.

    None, with a note for `packages` itself, when no user could be read.
    """
    details = reader.take("packages.details", lambda: parse_details(reader.text("details")))
    found: list[Json] = []
    inspected = 0
    for user in users:
        rows = _user_packages(reader, user, details or {})
        if rows is not None:
            inspected += 1
            found += rows
    if not inspected:
        reader.note("packages", "no user's packages could be read")
        return None
    missing = len([row for row in found if row["name"] not in details]) if details is not None else 0
    if missing:
        reader.note("packages.details", f"missing for {missing} of {len(found)} packages")
    return found


def _user_packages(reader: SectionReader, user: int, details: dict[str, Block]) -> list[Json] | None:
    part = f"packages.user.{user}"
    listing = reader.take(part, lambda: parse_listing(reader.text(f"packages.{user}")))
    if listing is None:
        return None
    if listing.strange:
        reader.note(part, f"{listing.strange} lines were not understood")
    system = _marked(reader, f"system.{user}", f"{part}.system")
    disabled = _marked(reader, f"disabled.{user}", f"{part}.enabled")
    head = user_head(user)
    rows: list[Json] = []
    for name, version_code, installer in listing.packages:
        _, dumped_code, version_name, signer, user_lines = details.get(name, _NOT_DUMPED)
        code = version_code or dumped_code
        row: Json = {
            "name": name,
            "user": user,
            "version_code": int(code) if code else None,
            "version_name": NOTHING.get(version_name, version_name),
            "system": None if system is None else name in system,
            "enabled": None if disabled is None else name not in disabled,
            "suspended": suspended(user_lines, head),
            "installer": NOTHING.get(installer, installer),
        }
        if row["system"] is False:
            row["signer"] = NOTHING.get(signer, signer)
        rows.append(row)
    return rows


def _marked(reader: SectionReader, section: str, part: str) -> frozenset[str] | None:
    """The names that a marking list holds; None and a note unless all of it was understood."""
    marked = reader.take(part, lambda: parse_names(reader.text(section)))
    if marked is not None and marked.strange:
        reader.note(part, f"{marked.strange} lines were not understood")
        return None
    return None if marked is None else marked.names
