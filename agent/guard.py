"""The first line of each order that changes a phone: whoever runs it must be the phone that was looked at.

Between a look and an act a cable may be swapped, or a new connection may be taken for the old one. The question stands
in the act's own command line, so that the phone which acts is the phone which answered it.
"""

from __future__ import annotations

import shlex

GUARD_EXIT = 93


def guard(serial: str, boot_id: str) -> str:
    """Ends the command line with 93 and no word unless the phone that runs it is this one, in this very boot."""
    return (
        f'[ "$(getprop ro.serialno)" = {shlex.quote(serial)} ] && '
        f'[ "$(cat /proc/sys/kernel/random/boot_id)" = {shlex.quote(boot_id)} ] || exit {GUARD_EXIT}'
    )
