from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.escrow import filing, joins, revealing
from app.escrow.entry import blind_check, telling_of_damage
from app.escrow.joins import SecretState
from app.escrow.model import RevealRequest, Secret
from app.escrow.rights import FILERS
from app.escrow.schemas import (
    AskRevealSchema,
    BlindCheckSchema,
    DecideRevealSchema,
    FileSecretSchema,
    MatchedSchema,
    RevealQuerySchema,
    RevealSchema,
    SecretQuerySchema,
    SecretStateSchema,
)
from app.http.access import access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal, own_session
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import runtime

escrow_api = Blueprint(
    "escrow",
    __name__,
    url_prefix=API_PREFIX,
    description="密码托管 / Passwords, filed and checked (R07). None of these answers ever holds one.",
)
_SEERS = (*FILERS, "auditor")
_CHECKERS = (*FILERS, "butler")


@escrow_api.route("/escrow/secrets")
class Secrets(MethodView):
    @access(*_SEERS)
    @escrow_api.arguments(SecretQuerySchema, location="query")
    @escrow_api.response(200, page_schema(SecretStateSchema))
    def get(self, query: dict[str, Any]) -> Page[SecretState]:
        """What is filed of phones, numbers or accounts, by name. A page is of so many of these, each with its kinds."""
        here = runtime()
        return joins.list_secrets(
            db.session(), current_principal(), here.policies, now=here.clock.now(), **query
        )

    @access(*_CHECKERS, late_transaction=True)
    @escrow_api.arguments(FileSecretSchema)
    @escrow_api.response(201, SecretStateSchema)
    def post(self, body: dict[str, Any]) -> SecretState:
        """File a password that people chose. One that is to be drawn is filed on the page, which shows it once."""
        here, session = runtime(), open_write()
        with telling_of_damage():
            secret, _ = filing.file_secret(
                session, current_principal(), filing.Filed(**body), vault=here.vault, policies=here.policies,
                now=here.clock.now(),
            )  # fmt: skip
        return _state(secret.id)


@escrow_api.route("/escrow/secrets/<uuid:secret_id>")
class OneSecret(MethodView):
    @access(*_SEERS)
    @escrow_api.response(200, SecretStateSchema)
    def get(self, secret_id: uuid.UUID) -> SecretState:
        """What is filed of one."""
        return _state(secret_id)


@escrow_api.route("/escrow/secrets/<uuid:secret_id>/confirm")
class ConfirmSecret(MethodView):
    @access(*FILERS)
    @escrow_api.response(200, SecretStateSchema)
    def post(self, secret_id: uuid.UUID) -> SecretState:
        """The new one has been set: it is in force, the one before it no more."""
        secret: Secret = filing.confirm(
            db.session(), current_principal(), secret_id, now=runtime().clock.now()
        )
        return _state(secret.id)


@escrow_api.route("/escrow/secrets/<uuid:secret_id>/drop")
class DropSecret(MethodView):
    @access(*FILERS)
    @escrow_api.response(200, SecretStateSchema)
    def post(self, secret_id: uuid.UUID) -> SecretState:
        """The new one was never set: the one before it stays."""
        secret = filing.drop(db.session(), current_principal(), secret_id, now=runtime().clock.now())
        return _state(secret.id)


@escrow_api.route("/escrow/secrets/<uuid:secret_id>/check")
class CheckSecret(MethodView):
    @access(*_CHECKERS, late_transaction=True)
    @escrow_api.arguments(BlindCheckSchema)
    @escrow_api.response(200, MatchedSchema)
    def post(self, body: dict[str, Any], secret_id: uuid.UUID) -> dict[str, bool]:
        """Whether this is the password in force. Tries are few a day and counted first, right ones too (429)."""
        matched = blind_check(secret_id, body["typed"])
        open_write()
        return {"matched": matched}


@escrow_api.route("/escrow/secrets/<uuid:secret_id>/reveal-requests")
class AskReveal(MethodView):
    @access(*FILERS)
    @escrow_api.arguments(AskRevealSchema)
    @escrow_api.response(201, RevealSchema)
    def post(self, body: dict[str, Any], secret_id: uuid.UUID) -> RevealRequest:
        """Ask to see it. It is shown on the page only, once, to who asked, after another person approved."""
        here, who = runtime(), current_principal()
        who.require_person()
        return revealing.request(
            db.session(), who, secret_id, body["reason"], policies=here.policies, now=here.clock.now()
        )


@escrow_api.route("/escrow/reveal-requests")
class Reveals(MethodView):
    @access(*_SEERS)
    @escrow_api.arguments(RevealQuerySchema, location="query")
    @escrow_api.response(200, page_schema(RevealSchema))
    def get(self, query: dict[str, Any]) -> Page[RevealRequest]:
        """Requests to see a password, the latest first."""
        return revealing.listed(db.session(), current_principal(), **query)


@escrow_api.route("/escrow/reveal-requests/<uuid:reveal_id>/approve")
class ApproveReveal(MethodView):
    @access(*revealing.APPROVERS)
    @escrow_api.arguments(DecideRevealSchema)
    @escrow_api.response(200, RevealSchema)
    def post(self, body: dict[str, Any], reveal_id: uuid.UUID) -> RevealRequest:
        """By another person than who asked, signed in himself: never by a token."""
        own_session()
        now = runtime().clock.now()
        return revealing.approve(
            db.session(), current_principal(), reveal_id, note_text=body["note"], now=now
        )


@escrow_api.route("/escrow/reveal-requests/<uuid:reveal_id>/reject")
class RejectReveal(MethodView):
    @access(*revealing.APPROVERS)
    @escrow_api.arguments(DecideRevealSchema)
    @escrow_api.response(200, RevealSchema)
    def post(self, body: dict[str, Any], reveal_id: uuid.UUID) -> RevealRequest:
        """As `approve`; an approval that was not used yet is taken back by it too."""
        own_session()
        now = runtime().clock.now()
        return revealing.reject(db.session(), current_principal(), reveal_id, note_text=body["note"], now=now)


@escrow_api.route("/escrow/reveal-requests/<uuid:reveal_id>/withdraw")
class WithdrawReveal(MethodView):
    @access(*FILERS)
    @escrow_api.response(200, RevealSchema)
    def post(self, reveal_id: uuid.UUID) -> RevealRequest:
        """By who asked."""
        return revealing.withdraw(db.session(), current_principal(), reveal_id, now=runtime().clock.now())


def _state(secret_id: uuid.UUID) -> SecretState:
    here = runtime()
    return joins.one_secret(db.session(), current_principal(), here.policies, secret_id, here.clock.now())
