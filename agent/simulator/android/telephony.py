"""`service call iphonesubinfo`: the IMEI as a binder parcel, where shell may still read it."""

import struct
from functools import lru_cache

from agent.simulator.android import testharness
from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

_SHELL_MAY_READ_UNTIL = 28
_DENIED = "Requires READ_PRIVILEGED_PHONE_STATE"


def service(args: list[str], phone: PhoneState) -> Output:
    """`service check NAME`; `service call iphonesubinfo CODE [i32 SLOT]`: codes shift with every release, 1 and 3 are
    the device id.
    """
    match args:
        case ["call", "iphonesubinfo", "1" | "3" as code, *rest]:
            slot = int(rest[-1]) if code == "3" and rest and rest[-1].isdigit() else 0
            if phone.identity.sdk > _SHELL_MAY_READ_UNTIL:
                return said(_parcel(-1, _DENIED))
            imeis = phone.identity.imeis
            return said(_parcel(0, imeis[slot] if slot < len(imeis) else ""))
        case ["check", name]:
            found = name == "iphonesubinfo" or (name == "testharness" and testharness.there(phone))
            return said(f"Service {name}: {'found' if found else 'not found'}\n")
        case ["call", name, *_]:
            return failed(f"service: Service {name} does not exist\n", 10)
    return failed("Usage: service call SERVICE CODE\n", 10)


@lru_cache(maxsize=2048)
def _parcel(status: int, text: str) -> str:
    """A reply parcel printed as `service call` prints it: 16 bytes a line in hex words, then the text."""
    body = struct.pack("<ii", status, len(text)) + (text + "\0").encode("utf-16-le")
    body += b"\0" * (-len(body) % 4)
    lines = []
    for start in range(0, len(body), 16):
        part = body[start : start + 16]
        words = " ".join(f"{word:08x}" for (word,) in struct.iter_unpack("<I", part))
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"  0x{start:08x}: {words:<35} '{shown}'")
    return "Result: Parcel(\n" + "\n".join(lines) + ")\n"
