"""From two readings of one phone to the evidence by which the server judges a wipe. Unknown is None, and named."""

from __future__ import annotations

from typing import Any

from agent import wire
from agent.parsers import Unreadable
from agent.parsers.common import is_noise
from agent.parsers.device_policy import parse_device_owner
from agent.parsers.evidence import (
    PhoneDate,
    parse_count,
    parse_date,
    parse_encryption,
    parse_installs,
    parse_volumes,
)
from agent.parsers.power import parse_uptime
from agent.parsers.props import parse_props
from agent.parsers.wipe import HARNESS, HARNESS_SDK, harness_code
from agent.snapshot_parts import Json, SectionReader

MAX_THIRD_PARTY, MAX_THIRD_PARTY_CHARS = 300, 9000
MAX_UNREAD, MAX_WORDS = 40, 100
MAX_ROWS = 20


def evidence(body: Json, reader: SectionReader, link: str) -> Json:
    """`body` is a whole snapshot's, `reader` has the sections of `inspect.sh` of the same phone in the same boot."""
    identity, power, setup = body["identity"], body["power"] or {}, body["setup"] or {}
    props = reader.take("props", lambda: parse_props(reader.text("props")))
    date = reader.take("phone_now_s", lambda: parse_date(reader.text("date")))
    uptime = reader.take("uptime_s", lambda: parse_uptime(reader.text("uptime")))
    told = {
        "serial": identity["serial"],
        "imei": identity["imei"] or [],
        "android_id": identity["android_id"],
        "boot_id": power.get("boot_id"),
        "boot_count": power.get("boot_count"),
        "uptime_s": power.get("uptime_s") if uptime is None else uptime,
        "phone_now_s": None if date is None else date.now_s,
        "boot_reasons": _rows(reader, "boot_reasons", power.get("boot_reasons")),
        "users": _rows(reader, "users", body["users"], ("id", "running")),
        "accounts": _accounts(reader, body["accounts"]),
        "packages": _packages(reader, body["packages"]),
        "first_install_s": reader.take("first_install_s", lambda: _installs(reader, date)),
        "storage": body["storage"],
        "media_files": reader.take("media_files", lambda: parse_count(reader.text("media"))),
        "test_harness": None if props is None else props.get("persist.sys.test_harness") == "1",
        "lock_screen": setup.get("lock_screen", "unknown"),
        "sims": _rows(reader, "sims", body["sim"], ("slot", "state")) or [],
        "volumes": _volumes(reader),
        "encryption": parse_encryption(props or {}),
        "adb_wipe": _adb_wipe(reader, props, identity["sdk"]),
        "device_owner": reader.take("device_owner", lambda: parse_device_owner(reader.text("owner"))),
        **{name: _words(identity[name]) for name in ("brand", "model", "android_release", "security_patch")},
        "sdk": identity["sdk"],
        "link": link,
    }
    notes = [*reader.unread, *body["unread"]]
    told["unread"] = [{name: _words(text) for name, text in note.items()} for note in notes][:MAX_UNREAD]
    return told


def _words(text: str | None) -> str | None:
    return None if text is None else text[:MAX_WORDS]


def _rows(
    reader: SectionReader, part: str, rows: list[Json] | None, names: tuple[str, ...] | None = None
) -> list[Json] | None:
    """At most so many; that there were more is noted."""
    if rows is None:
        return None
    if len(rows) > MAX_ROWS:
        reader.note(part, f"more than {MAX_ROWS}")
    return [
        {
            name: _words(value) if isinstance(value, str) else value
            for name, value in row.items()
            if names is None or name in names
        }
        for row in rows[:MAX_ROWS]
    ]


def _accounts(reader: SectionReader, accounts: list[Json] | None) -> Json | None:
    if accounts is None:
        return None
    types = sorted({str(account["type"])[:MAX_WORDS] for account in accounts})
    if len(types) > MAX_ROWS:
        reader.note("accounts.types", f"more than {MAX_ROWS}")
    return {"count": len(accounts), "types": types[:MAX_ROWS]}


def _packages(reader: SectionReader, packages: list[Json] | None) -> Json | None:
    """`third_party` by the system's flag, of all users that may be read."""
    if packages is None:
        return None
    if any(row["system"] is None for row in packages):
        reader.note("packages", "which of them are the system's is not known")
        return None
    count = len({row["name"] for row in packages})
    names = sorted({row["name"] for row in packages if not row["system"]})
    kept = names[:MAX_THIRD_PARTY]
    while len(wire.canonical_json(kept)) > MAX_THIRD_PARTY_CHARS:
        kept.pop()
    if len(kept) < len(names):
        reader.note("packages.third_party", f"{len(kept)} of {len(names)} are named")
    return {"count": count, "third_party": kept}


def _installs(reader: SectionReader, date: PhoneDate | None) -> Json:
    if date is None:
        raise Unreadable("without the phone's date its local times say nothing")
    found = parse_installs(reader.text("installs"), date)
    return {"oldest": found.oldest, "newest": found.newest}


def _volumes(reader: SectionReader) -> list[Json] | None:
    found = reader.take("volumes", lambda: parse_volumes(reader.text("volumes")))
    rows = None if found is None else [{"id": v.id, "kind": v.kind, "state": v.state} for v in found]
    return _rows(reader, "volumes", rows)


def _adb_wipe(reader: SectionReader, props: dict[str, str] | None, sdk: int | None) -> dict[str, Any]:
    """By which strategies this agent could erase the phone, or why by none."""
    if sdk is None or sdk < HARNESS_SDK:
        return {"capable": [], "why": "too_old" if sdk else "words"}
    try:
        said = "\n".join(line for line in reader.text("harness").splitlines() if not is_noise(line))
    except Unreadable:
        said = ""
    why = "words" if props is None else harness_code(props.get("ro.frp.pst", ""), said)
    return {"capable": [] if why else [HARNESS], "why": why}
