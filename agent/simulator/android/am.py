"""`am start`: the import screen of contacts, the one activity that is asked for; `am broadcast` as before."""

from __future__ import annotations

import re
from itertools import pairwise

from agent.simulator.android import provider_tables, volumes
from agent.simulator.output import Output, failed, said
from agent.simulator.people import CardImport, people_of
from agent.simulator.state import PhoneState
from agent.simulator.vcards import tap

_CARDS = ("text/x-vcard", "text/vcard")
_VALUE_OPTIONS = ("-a", "-d", "-t", "-c", "-n", "-f", "--user", "--es", "--ei")


def am(args: list[str], phone: PhoneState) -> Output:
    """`start -a android.intent.action.VIEW -d URI -t text/x-vcard`; everything else resolves to nothing."""
    if args[:1] == ["broadcast"]:
        return volumes.am(args, phone)
    if args[:1] not in (["start"], ["start-activity"]):
        return failed(f"Error: unknown command '{args[0] if args else ''}'\n", 255)
    options = {word: value for word, value in pairwise(args) if word in _VALUE_OPTIONS}
    uri, kind = options.get("-d", ""), options.get("-t", "")
    begun = f"Starting: Intent {{ act={options.get('-a', '')} dat={uri.partition('/')[0]}/... typ={kind} }}\n"
    path = _path_of(uri, phone)
    if kind not in _CARDS or path is None:
        return Output(
            begun.encode(), b"Error: Activity not started, unable to resolve Intent " + begun[10:].encode(), 1
        )
    people_of(phone).imports.append(CardImport(path))
    phone.screen_on = True
    if phone.import_tap == "auto":
        tap(phone)
    return said(begun)


def _path_of(uri: str, phone: PhoneState) -> str | None:
    """The path of a file by its own URI, or by the media provider's number."""
    if uri.startswith("file:///"):
        return uri.removeprefix("file://")
    found = re.fullmatch(r"content://media/external/file/(\d+)", uri)
    if found is None:
        return None
    rows = provider_tables.query(
        phone, "content://media/external/file", ["_data"], f"_id={found[1]}", ""
    ).rows
    return str(rows[0][0]) if rows else None
