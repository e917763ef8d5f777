"""Take in a manifest page by page; once it is whole and its hash is right, it counts."""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlalchemy.orm import Session

from app.commands import get as get_command
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.tenancy import SYSTEM
from app.readings import AgentRef
from app.transfer import manifest_store, store
from app.transfer.model import Transfer
from app.transfer.noting import write_step
from app.transfer.rules import ManifestFacts
from app.transfer.states import AT_WORK, State
from app.transfer.wire_schemas import Page, line_of

LACKING = "no_manifest"


def take_page(session: Session, agent: AgentRef, page: Page, now: dt.datetime) -> tuple[Transfer, bool]:
    """The transfer, and whether its manifest became whole by this page; a page that came before changes nothing.

    Another sha256 than that of the pages before replaces them all. Raise `NotFound` (`unknown_command`) for another
    agent's order, `Conflict` (`command_finished`) once the order is judged, `Invalid` where the whole has another hash.
    """
    row = _row_of(session, agent, page)
    content = hashlib.sha256(b"".join(line_of(entry) for entry in page.entries)).hexdigest()
    kept = manifest_store.pages_of(session, page.command_id)
    if any(
        (p.page, p.sha256, p.content, p.pages) == (page.page, page.sha256, content, page.pages) for p in kept
    ):
        return row, False
    if row.state not in AT_WORK and not (row.state == State.ATTENTION and row.note == LACKING):
        raise Conflict("this order has been judged", code="command_finished")
    if any((p.sha256, p.pages) != (page.sha256, page.pages) or p.page == page.page for p in kept):
        manifest_store.forget(session, page.command_id)
        kept = ()
    manifest_store.keep(session, row, page, content, now)
    if len(kept) + 1 < page.pages:
        return row, False
    _complete(session, row, page, now)
    return row, True


def _row_of(session: Session, agent: AgentRef, page: Page) -> Transfer:
    unknown = NotFound("no such command of this agent", code="unknown_command")
    try:
        command = get_command(session, SYSTEM, page.command_id)
    except NotFound:
        raise unknown from None
    row = store.by_command(session, page.command_id)
    if command.agent_id != agent.id:
        raise unknown
    if row is None or row.id != page.transfer_id:
        raise Conflict("this order is no longer the transfer's", code="command_finished")
    return row


def _complete(session: Session, row: Transfer, page: Page, now: dt.datetime) -> None:
    if manifest_store.digest(session, page.command_id) != page.sha256:
        raise Invalid("sha256: the whole manifest has another", code="manifest_hash")
    entries = sum(p.entries for p in manifest_store.pages_of(session, page.command_id))
    manifest_store.forget_others(session, row.id, page.command_id)
    store.change(
        session, row, manifest_command=page.command_id, manifest_sha256=page.sha256, manifest_entries=entries,
        manifest_at=now,
    )  # fmt: skip
    agent = f"agent:{row.agent_id}"
    write_step(session, row, "manifest", f"{entries} 项", agent, now, sha256=page.sha256, entries=entries)


def facts_of(session: Session, row: Transfer) -> ManifestFacts | None:
    """The whole manifest of the newest order; None while it is not there."""
    if row.manifest_command is None or row.manifest_command != row.command_id:
        return None
    assert row.manifest_sha256 is not None
    counts = manifest_store.counts(session, row.manifest_command)
    return ManifestFacts(row.manifest_sha256, row.manifest_entries or 0, counts)
