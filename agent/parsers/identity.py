"""Who the phone says it is."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from agent.parsers.common import Unreadable, complaint, whole_number

_PLACEHOLDERS = frozenset(
    {"", "unknown", "null", "none", "default", "0123456789abcdef", "0123456789", "123456789", "1234567890"}
    | {"1234567890abcdef", "012345678912345", "alps", "android", "mt6580", "c4f12fdd949f22f"}
)
"""As in `app/registry/rules.py`: what one side takes for a phone the other must not refuse."""
_SERIAL = re.compile(r"[A-Za-z0-9._:-]{4,64}")
_IMEI_PROPS = (
    ("ro.ril.oem.imei", "ro.ril.oem.imei1", "ro.ril.oem.imei2"),
    ("ro.ril.miui.imei0", "ro.ril.miui.imei1"),
    ("persist.radio.imei", "persist.radio.imei1", "persist.radio.imei2"),
    ("gsm.imei1", "gsm.imei2"),
)
_WORDS = re.compile(r"0x[0-9a-f]{8}:((?: [0-9a-f]{8}){1,4})|Parcel\(([0-9a-f]{8}(?: [0-9a-f]{8})*)")
_IMSI_CHINA = "460"


@dataclass(frozen=True, slots=True)
class Identity:
    """Fields that the phone did not tell are None."""

    serial: str | None
    model: str | None
    brand: str | None
    manufacturer: str | None
    android_release: str | None
    sdk: int | None
    fingerprint: str | None
    security_patch: str | None
    build_type: str | None


def parse_identity(props: Mapping[str, str]) -> Identity:
    """Identity from `getprop`. A serial that many phones share (zeros, a pattern) is none, nor is rubbish."""

    def first(*names: str) -> str | None:
        return next((props[name].strip() for name in names if props.get(name, "").strip()), None)

    serial = first("ro.serialno", "ro.boot.serialno") or ""
    return Identity(
        serial=serial if is_serial(serial) else None,
        model=first("ro.product.model", "ro.product.system.model", "ro.product.vendor.model"),
        brand=first("ro.product.brand", "ro.product.system.brand", "ro.product.vendor.brand"),
        manufacturer=first("ro.product.manufacturer", "ro.product.system.manufacturer"),
        android_release=first("ro.build.version.release"),
        sdk=whole_number(first("ro.build.version.sdk")),
        fingerprint=first(
            "ro.build.fingerprint", "ro.system.build.fingerprint", "ro.vendor.build.fingerprint"
        ),
        security_patch=first("ro.build.version.security_patch"),
        build_type=first("ro.build.type"),
    )


def is_serial(text: str) -> bool:
    """Whether this can be one phone's own serial: no placeholder that many share, no rubbish."""
    return bool(_SERIAL.fullmatch(text)) and text.lower() not in _PLACEHOLDERS and len(set(text)) > 1


def is_imei(text: str) -> bool:
    """15 digits with a right check digit which are no Chinese subscriber number (IMSI), a frequent mix-up."""
    if not re.fullmatch(r"[0-9]{15}", text, re.ASCII) or text.startswith(_IMSI_CHINA) or len(set(text)) == 1:
        return False
    digits = [int(c) for c in text]
    doubled = sum(sum(divmod(2 * d, 10)) for d in digits[1::2])
    return (doubled + sum(digits[0::2])) % 10 == 0


def imeis_from_props(props: Mapping[str, str]) -> list[str]:
    """IMEIs that vendors put into properties, of the first vendor's set that has any."""
    for names in _IMEI_PROPS:
        values = [part.strip() for name in names for part in props.get(name, "").split(",")]
        found = [v for v in dict.fromkeys(values) if is_imei(v)]
        if found:
            return found
    return []


def parse_imei_parcel(text: str) -> str:
    """The IMEI in the answer of `service call iphonesubinfo 1`. Raise `Unreadable` with the phone's reason.

    The call's number shifts between releases, so an answer that is no IMEI is refused, not reported.
    """
    words = " ".join(a or b for a, b in _WORDS.findall(text)).split()
    raw = b"".join(struct.pack("<I", int(word, 16)) for word in words)
    if len(raw) < 8:
        raise Unreadable(complaint(text) or "not understood")
    status, length = struct.unpack_from("<iI", raw)
    said = raw[8 : 8 + 2 * min(length, 512)].decode("utf-16-le", "replace")
    if status != 0:
        raise Unreadable(complaint(said) or "permission denied")
    if not is_imei(said):
        raise Unreadable("the answer is no IMEI")
    return said
