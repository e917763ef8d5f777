"""What the pages of the escrow show: that something is filed, how old it is, never what it is."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.escrow import store
from app.escrow.checking import tries_left
from app.escrow.due import CAUSES
from app.escrow.model import RevealRequest, Secret, SecretVersion
from app.escrow.revealing import APPROVERS
from app.escrow.rights import FILERS
from app.escrow.rules import Kind, kinds_of
from app.escrow.sealing import open_escrow
from app.escrow.states import OPEN_REVEALS, REVEAL_WORDS, VERSION_WORDS, Reveal
from app.escrow.vault import Vault
from app.kernel.errors import Unavailable
from app.kernel.paging import Page
from app.kernel.tenancy import Principal
from app.people import names_of
from app.policy import PolicyFiles, effective_many

OF_WORDS = {"handset": "手机", "number": "号码", "wechat": "微信号"}
_MAX_REVEALS = 100


@dataclass(frozen=True)
class Status:
    """`problem`: why no secret can be opened, None while unsealed; `generation` None without a keyring."""

    problem: str | None
    code: str
    generation: int | None


@dataclass(frozen=True)
class Cell:
    """One kind of secret of one part of a kit; `secret` None: never filed."""

    kind: Kind
    secret: Secret | None
    due: str


@dataclass(frozen=True)
class KitLine:
    id: uuid.UUID
    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class RevealLine:
    row: RevealRequest
    secret: Secret
    what: str
    state: str
    asker: str
    decider: str
    may_decide: bool
    mine: bool
    approved: bool
    open: bool


@dataclass(frozen=True)
class Detail:
    secret: Secret
    kind: Kind | None
    name: str
    of: str
    versions: Sequence[tuple[SecretVersion, str, str]]
    reveals: Sequence[RevealLine]
    tries_left: int
    due: str
    may_file: bool


def status(session: Session, vault: Vault) -> Status:
    try:
        return Status(None, "", open_escrow(session, vault).ring.generation)
    except Unavailable as exc:
        return Status(exc.detail, exc.code, _generation(vault))


def _generation(vault: Vault) -> int | None:
    try:
        ring = vault.ring()
    except Unavailable:
        return None
    return None if ring is None else ring.generation


def kits(
    session: Session, principal: Principal, of: str, *, policies: PolicyFiles, centre_id: uuid.UUID | None,
    words: str, cursor: str | None,
) -> Page[KitLine]:  # fmt: skip
    """Parts of kits with what is filed of each."""
    page = store.subjects(session, principal, of, centre_id=centre_id, words=words, cursor=cursor)
    found = {(s.subject_id, s.kind): s for s in store.secrets_of(session, of, [row.id for row in page.items])}
    bodies = effective_many(session, policies, "escrow", {row.centre_id for row in page.items})
    lines = []
    for row in page.items:
        kinds = [k for k in kinds_of(bodies[row.centre_id].body).values() if k.of == of]
        cells = [Cell(k, found.get((row.id, k.name)), _due(found.get((row.id, k.name)))) for k in kinds]
        lines.append(KitLine(row.id, store.name_of(of, row), cells))
    return Page(lines, page.next_cursor)


def detail(
    session: Session, principal: Principal, secret_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> Detail:
    secret, centre = store.find(session, principal, secret_id)
    rows = store.versions(session, secret.id)
    people = names_of(session, {row.filed_by for row in rows})
    of = store.of(secret)
    kind = kinds_of(effective_many(session, policies, "escrow", [centre])[centre].body).get(secret.kind)
    return Detail(
        secret=secret,
        kind=kind,
        name=store.name_of(of, store.subject_of(session, secret)),
        of=of,
        versions=[(row, VERSION_WORDS[row.state], people[row.filed_by]) for row in rows],
        reveals=reveals(session, principal, policies=policies, secret_id=secret.id),
        tries_left=tries_left(session, secret, policies, centre, now),
        due=_due(secret),
        may_file=principal.may(centre, *FILERS),
    )


def reveals(
    session: Session, principal: Principal, *, policies: PolicyFiles, secret_id: uuid.UUID | None = None
) -> list[RevealLine]:
    """Requests of the caller's centres, the open ones first."""
    rows = store.reveals(session, principal, _MAX_REVEALS, secret_id)
    people = names_of(session, {p for row, _ in rows for p in (row.requested_by, row.decided_by) if p})
    bodies = effective_many(session, policies, "escrow", {row.centre_id for row, _ in rows})
    lines = []
    for row, secret in rows:
        kind = kinds_of(bodies[row.centre_id].body).get(secret.kind)
        of, waits = store.of(secret), row.state in OPEN_REVEALS
        mine = row.requested_by == principal.user
        lines.append(
            RevealLine(
                row=row,
                secret=secret,
                what=f"{store.name_of(of, store.subject_of(session, secret))} {kind.label if kind else secret.kind}",
                state=REVEAL_WORDS[row.state],
                asker=people[row.requested_by],
                decider=people[row.decided_by] if row.decided_by else "",
                may_decide=row.state == Reveal.REQUESTED
                and not mine
                and principal.may(row.centre_id, *APPROVERS),
                mine=mine and waits,
                approved=row.state in (Reveal.APPROVED, Reveal.OPENED),
                open=waits,
            )
        )
    return lines


def subject_choice(
    session: Session, principal: Principal, of: str, subject_id: uuid.UUID, policies: PolicyFiles
) -> tuple[str, list[Kind]]:
    """The name of a part of a kit and which secrets it may have. Raise `NotFound`."""
    row = store.find_subject(session, principal, of, subject_id)
    body = effective_many(session, policies, "escrow", [row.centre_id])[row.centre_id].body
    return store.name_of(of, row), [k for k in kinds_of(body).values() if k.of == of]


def _due(secret: Secret | None) -> str:
    return "" if secret is None or secret.renew_cause is None else CAUSES[secret.renew_cause]
