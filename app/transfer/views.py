"""What pages and API show: lists of transfers, one with all that is known of it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal

from sqlalchemy.orm import Session

from app.compliance import Status, verdicts
from app.fleet import actor_names, agent_names
from app.kernel.errors import NotFound
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.readings import phone_states
from app.registry import Handset, ServiceCentre
from app.transfer import manifest_store, store
from app.transfer.model import ManifestEntry, Transfer, TransferStep, TransferWechat
from app.transfer.opening import Hindrance, hindrances
from app.transfer.rights import acts_of
from app.transfer.rules import SHORT, Final, percent, rest_s
from app.transfer.states import OPEN, STARTABLE, State
from app.transfer.tools import PATH_READERS, Tools, policy_of
from app.transfer.wire_schemas import parse_final

Link = Literal["cable", "plain", "loopback", "unknown"]


@dataclass(frozen=True)
class Line:
    """`done`: percent of the bytes, None where it is not known or nothing runs."""

    row: Transfer
    old: Handset
    new: Handset | None
    centre: str
    done: int | None


@dataclass(frozen=True)
class Plugged:
    """How a phone is connected by its newest reading; `fresh`: lately enough to be there now."""

    phone: Handset
    at: dt.datetime | None
    fresh: bool
    agent_id: uuid.UUID | None
    agent: str
    link: Link


@dataclass(frozen=True)
class App:
    """A prescribed work app on the new phone: `pass`, `fail` or `unknown`."""

    name: str
    status: str
    words: str


@dataclass(frozen=True)
class Detail:
    line: Line
    phones: Sequence[Plugged]
    final: Final | None
    counts: Mapping[tuple[str, str], int]
    short: int | None
    left_s: int | None
    wechat: Sequence[TransferWechat]
    apps: Sequence[App]
    apps_at: dt.datetime | None
    steps: Sequence[TransferStep]
    names: Mapping[str, str]
    agents: Mapping[uuid.UUID, str]
    acts: frozenset[str]
    hindrances: Sequence[Hindrance]

    @property
    def moving(self) -> bool:
        """Whether it goes on by itself, or by another's hand: also until its paper is there."""
        row = self.line.row
        return row.state in OPEN or (row.paper_id is None and row.state != State.CANCELLED)

    @property
    def mark(self) -> str:
        """Another one when what is not live on the page has to be another."""
        row = self.line.row
        apps = (app.status for app in self.apps)
        told = (row.state, row.copy, len(self.steps), len(self.hindrances), *sorted(self.acts), *apps)
        return "-".join(map(str, (*told, row.paper_id)))


def transfer_page(
    session: Session,
    principal: Principal,
    *,
    states: Collection[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
    sort: str = "-opened",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Transfer]:
    query = store.listed(principal, states=states, centre_id=centre_id, handset_id=handset_id, words=words)
    by_state = sort.lstrip("-") == "state"
    column = Transfer.state if by_state else Transfer.opened_at
    keys = [
        SortKey("state" if by_state else "opened_at", column, descending=sort.startswith("-") or not sort),
        SortKey("id", Transfer.id, descending=True),
    ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def lines(session: Session, rows: Sequence[Transfer]) -> list[Line]:
    ids = {i for row in rows for i in (row.old_id, row.new_id) if i is not None}
    phones = store.phones(session, ids)
    centres = {c: session.get_one(ServiceCentre, c).name for c in {row.centre_id for row in rows}}
    return [
        Line(
            row,
            phones[row.old_id],
            None if row.new_id is None else phones[row.new_id],
            centres[row.centre_id],
            percent(row.progress),
        )
        for row in rows
    ]


def detail(
    session: Session, principal: Principal, tools: Tools, transfer_id: uuid.UUID, now: dt.datetime
) -> Detail:
    """Raise `NotFound`."""
    row = store.find(session, principal, transfer_id)
    [line] = lines(session, [row])
    wechat, steps = store.wechat_of(session, row.id), store.steps_of(session, row.id)
    said = [
        row.opened_by,
        row.run_by,
        row.stop_by,
        row.data_accepted_by,
        row.wechat_accepted_by,
        row.waive_asked_by,
        row.ended_by,
    ]
    people = {by for by in said if by} | {s.by for s in steps} | {w.by for w in wechat}
    agents = agent_names(session, principal)
    counts = {} if row.manifest_command is None else manifest_store.counts(session, row.manifest_command)
    progress = row.progress or {}
    apps, apps_at = _apps(session, principal, row.new_id)
    return Detail(
        line=line,
        phones=plugged(session, principal, tools, line, agents, now),
        final=None if row.result is None else parse_final(row.result),
        counts=counts,
        short=None if row.manifest_command is None else sum(n for (_, s), n in counts.items() if s in SHORT),
        left_s=rest_s(*(progress.get(n) for n in ("done_bytes", "total_bytes", "rate_bps", "left_s"))),
        wechat=wechat,
        apps=apps,
        apps_at=apps_at,
        steps=steps,
        names=actor_names(session, people),
        agents=agents,
        acts=acts_of(principal, row, wechat),
        hindrances=hindrances(session, line.old, line.new, now) if row.state in STARTABLE else (),
    )


def plugged(
    session: Session, principal: Principal, tools: Tools, line: Line, agents: Mapping[uuid.UUID, str],
    now: dt.datetime,
) -> list[Plugged]:  # fmt: skip
    """The old phone and, where there is one, the new: when and by whom each was read last."""
    phones = [phone for phone in (line.old, line.new) if phone is not None]
    states = phone_states(session, principal, [phone.id for phone in phones])
    minutes = policy_of(session, tools.policies, line.row.centre_id).body["fresh_minutes"]
    found = []
    for phone in phones:
        state = states.get(phone.id)
        at = None if state is None else state.at
        agent_id = None if state is None else state.agent_id
        found.append(
            Plugged(
                phone, at, at is not None and now - at <= dt.timedelta(minutes=minutes), agent_id,
                "" if agent_id is None else agents.get(agent_id, ""), link_of(None if state is None else state.target),
            )
        )  # fmt: skip
    return found


def link_of(target: str | None) -> Link:
    """What a target's name says of the link; a name of the adb server's with a port may be anything."""
    kind, _, rest = (target or "").partition(":")
    if kind == "tcp":
        host = rest.rpartition(":")[0].strip("[]")
        try:
            return "loopback" if ip_address(host).is_loopback else "plain"
        except ValueError:
            return "loopback" if host == "localhost" else "plain"
    return "cable" if kind == "server" and ":" not in rest else "unknown"


def _apps(
    session: Session, principal: Principal, new_id: uuid.UUID | None
) -> tuple[list[App], dt.datetime | None]:
    """The required apps of the effective list, as the new phone's readings show them. A breach in grace has to be put
    right as any other; what the phone is spared need not be there.
    """
    if new_id is None:
        return [], None
    verdict = verdicts(session, principal, [new_id])[new_id]
    found = [
        App(
            str(f.evidence.get("label") or f.subject),
            str(Status.FAIL if f.status is Status.GRACE else f.status),
            f.zh,
        )
        for f in verdict.findings
        if f.status is not Status.EXEMPT
        and (f.code.startswith("required_") or f.code in ("package_name_not_configured", "packages_not_read"))
    ]
    return found, verdict.at


def entry_page(
    session: Session,
    principal: Principal,
    transfer_id: uuid.UUID,
    *,
    part: str | None = None,
    states: Collection[str] = SHORT,
    words: str = "",
    sort: str = "path",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> tuple[Transfer, Page[ManifestEntry]]:
    """The manifest's entries, by default those that are not proved. Raise `NotFound`, `Forbidden` for whom names of
    files are not.
    """
    row = with_manifest(session, principal, transfer_id)
    assert row.manifest_command is not None
    query = manifest_store.entries(row.manifest_command, part=part, states=states, words=words)
    column: Any = {"state": ManifestEntry.state, "part": ManifestEntry.part}.get(
        sort.lstrip("-"), ManifestEntry.path
    )
    keys = [
        SortKey(column.key, column, descending=sort.startswith("-")),
        SortKey("place", ManifestEntry.place),
    ]
    return row, paginate(session, query, keys, cursor=cursor, limit=limit)


def with_manifest(session: Session, principal: Principal, transfer_id: uuid.UUID) -> Transfer:
    """A transfer whose whole manifest is here, for who may read names of files."""
    row = store.find(session, principal, transfer_id)
    principal.require_role(row.centre_id, *PATH_READERS)
    if row.manifest_command is None:
        raise NotFound("还没有完整的清单 / there is no whole manifest")
    return row


def photos_of(session: Session, principal: Principal, transfer_id: uuid.UUID) -> frozenset[str]:
    """The names of a visible transfer's pictures. Raise `NotFound`."""
    row = store.find(session, principal, transfer_id)
    return frozenset(name for w in store.wechat_of(session, row.id) for name in w.photos)
