"""Which acts a transfer offers to a caller: what he is shown to press. Each act looks again for itself."""

from __future__ import annotations

from collections.abc import Sequence

from app.kernel.tenancy import Principal
from app.transfer.model import Transfer, TransferWechat
from app.transfer.states import AT_REST, AT_WORK, FINAL, STARTABLE, STOPPABLE, Copy, State
from app.transfer.stopping import SILENT
from app.transfer.tools import DOERS, LEADS, PATH_READERS


def acts_of(principal: Principal, row: Transfer, wechat: Sequence[TransferWechat]) -> frozenset[str]:
    """Names of acts, as the forms post them."""
    found: set[str] = set()
    if principal.may(row.centre_id, *DOERS):
        found |= _for_doers(row)
    if principal.may(row.centre_id, *LEADS):
        found |= _for_leads(principal, row, wechat)
    if row.manifest_command is not None and principal.may(row.centre_id, *PATH_READERS):
        found.add("files")
    return frozenset(found)


def _for_doers(row: Transfer) -> set[str]:
    found: set[str] = set()
    if row.state in STARTABLE and row.new_id is not None:
        found.add("start")
    if row.state not in FINAL:
        if row.new_id is not None:
            found.add("wechat")
        if row.state != State.RUNNING and (row.state != State.STOPPING or row.note == SILENT):
            found.add("cancel")
    if row.state in STOPPABLE:
        found.add("stop")
    if row.state in AT_REST and row.waive_asked_by is None:
        found.add("ask_waive")
    if row.state not in AT_WORK and row.copy in (Copy.KEPT, Copy.UNKNOWN) and row.salt is not None:
        found.add("discard")
    return found


def _for_leads(principal: Principal, row: Transfer, wechat: Sequence[TransferWechat]) -> set[str]:
    found: set[str] = set()
    whole = row.manifest_command is not None and row.manifest_command == row.command_id
    if row.state == State.ATTENTION and whole and row.run_by != principal.user:
        found.add("accept_data")
    latest = wechat[0] if wechat else None
    short = latest is not None and latest.outcome != "yes" and row.wechat_accepted_at is None
    if short and latest is not None and latest.by != principal.user and row.state not in FINAL:
        found.add("accept_wechat")
    if row.waive_asked_by not in (None, principal.user) and row.state in AT_REST:
        found.add("decide_waive")
    return found
