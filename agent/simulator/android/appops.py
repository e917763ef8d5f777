"""`appops query-op` (`cmd appops`): which apps may install other apps."""

from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

_INSTALL = ("REQUEST_INSTALL_PACKAGES", "android:request_install_packages")


def appops(args: list[str], phone: PhoneState) -> Output:
    """`query-op [--user N] OP [MODE]`: packages whose mode of this op it is (allow when none is named), one a line."""
    if not args or args[0] != "query-op":
        return failed(f"Unknown command: {args[0] if args else ''}\n", 255)
    words = args[1:]
    if words[:1] == ["--user"]:
        words = words[2:]
    operation = words[0] if words else ""
    mode = words[1] if len(words) > 1 else "allow"
    known = phone.install_sources if operation in _INSTALL else {}
    if not known:
        return said("No operations.\n")
    return said(
        "".join(f"{name}\n" for name, allowed in sorted(known.items()) if allowed == (mode == "allow"))
    )
