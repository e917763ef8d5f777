from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.http.access import access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.kernel.db import db
from app.kernel.paging import Page
from app.registry import find_handset
from app.runtime import runtime
from app.transfer import copies, deciding, opening, running, stopping, views
from app.transfer.model import ManifestEntry, Transfer
from app.transfer.schemas import (
    ManifestEntrySchema,
    ManifestQuerySchema,
    TransferDetailSchema,
    TransferInSchema,
    TransferQuerySchema,
    TransferReasonSchema,
    TransferSchema,
    TransferStateSchema,
    TransferStopSchema,
    WaiverDecisionSchema,
)
from app.transfer.standing import TransferState, transfer_state
from app.transfer.tools import DOERS, LEADS, PATH_READERS, VIEWERS, Tools

transfers_api = Blueprint(
    "transfers", __name__, url_prefix=API_PREFIX, description="数据迁移 / Transfer to a new phone (R06)"
)


def tools() -> Tools:
    here = runtime()
    return Tools(here.policies, here.blobs, here.keys)


@transfers_api.route("/transfers")
class Transfers(MethodView):
    @access(*VIEWERS)
    @transfers_api.arguments(TransferQuerySchema, location="query")
    @transfers_api.response(200, page_schema(TransferSchema))
    def get(self, query: dict[str, Any]) -> Page[Transfer]:
        """The latest first; `state` may be given several times."""
        return views.transfer_page(db.session(), current_principal(), states=query.pop("state"), **query)

    @access(*DOERS)
    @transfers_api.arguments(TransferInSchema)
    @transfers_api.response(201, TransferSchema)
    def post(self, body: dict[str, Any]) -> Transfer:
        """A draft; 422 where these two phones need a reason, 409 where they are no pair."""
        wanted = opening.Wanted(**{**body, "parts": tuple(body["parts"])})
        now = runtime().clock.now()
        return opening.open_transfer(db.session(), current_principal(), tools(), wanted, now)


@transfers_api.route("/transfers/<uuid:transfer_id>")
class OneTransfer(MethodView):
    @access(*VIEWERS)
    @transfers_api.response(200, TransferDetailSchema)
    def get(self, transfer_id: uuid.UUID) -> dict[str, Any]:
        """One with its counts, and what the caller may do."""
        now = runtime().clock.now()
        found = views.detail(db.session(), current_principal(), tools(), transfer_id, now)
        row = {name: getattr(found.line.row, name) for name in TransferSchema().fields}
        final = found.final
        return {
            **row,
            "files": None if final is None else final.files,
            "told_parts": [] if final is None else final.parts,
            "left_s": found.left_s,
            "acts": sorted(found.acts),
        }


@transfers_api.route("/transfers/<uuid:transfer_id>/start")
class StartTransfer(MethodView):
    @access(*DOERS)
    @transfers_api.response(200, TransferSchema)
    def post(self, transfer_id: uuid.UUID) -> Transfer:
        """Ask the gateway, or once more for what is not yet verified."""
        return running.start(db.session(), current_principal(), tools(), transfer_id, runtime().clock.now())


@transfers_api.route("/transfers/<uuid:transfer_id>/stop")
class StopTransfer(MethodView):
    @access(*DOERS)
    @transfers_api.arguments(TransferStopSchema)
    @transfers_api.response(200, TransferSchema)
    def post(self, body: dict[str, Any], transfer_id: uuid.UUID) -> Transfer:
        """`stopping` until its gateway says that nothing of it is at work; 409 where nothing is under way."""
        now = runtime().clock.now()
        return stopping.stop(db.session(), current_principal(), transfer_id, **body, now=now)


@transfers_api.route("/transfers/<uuid:transfer_id>/cancel")
class CancelTransfer(MethodView):
    @access(*DOERS)
    @transfers_api.arguments(TransferReasonSchema)
    @transfers_api.response(200, TransferSchema)
    def post(self, body: dict[str, Any], transfer_id: uuid.UUID) -> Transfer:
        """409 `transfer_running` while a gateway works on it."""
        now = runtime().clock.now()
        return running.cancel(db.session(), current_principal(), transfer_id, **body, now=now)


@transfers_api.route("/transfers/<uuid:transfer_id>/acceptance")
class AcceptTransfer(MethodView):
    @access(*LEADS)
    @transfers_api.arguments(TransferReasonSchema)
    @transfers_api.response(200, TransferSchema)
    def post(self, body: dict[str, Any], transfer_id: uuid.UUID) -> Transfer:
        """A lead who did not run it takes the listed differences."""
        now = runtime().clock.now()
        return deciding.accept_data(db.session(), current_principal(), transfer_id, **body, now=now)


@transfers_api.route("/transfers/<uuid:transfer_id>/wechat-acceptance")
class AcceptWechat(MethodView):
    @access(*LEADS)
    @transfers_api.arguments(TransferReasonSchema)
    @transfers_api.response(200, TransferSchema)
    def post(self, body: dict[str, Any], transfer_id: uuid.UUID) -> Transfer:
        """A lead who did not record it takes that not all of WeChat was moved."""
        now = runtime().clock.now()
        return deciding.accept_wechat(db.session(), current_principal(), transfer_id, **body, now=now)


@transfers_api.route("/transfers/<uuid:transfer_id>/waiver")
class AskWaiver(MethodView):
    @access(*DOERS)
    @transfers_api.arguments(TransferReasonSchema)
    @transfers_api.response(200, TransferSchema)
    def post(self, body: dict[str, Any], transfer_id: uuid.UUID) -> Transfer:
        """Nothing to move, or the phone cannot be read: another person decides."""
        now = runtime().clock.now()
        return deciding.ask_waiver(db.session(), current_principal(), transfer_id, **body, now=now)


@transfers_api.route("/transfers/<uuid:transfer_id>/waiver-decision")
class DecideWaiver(MethodView):
    @access(*LEADS)
    @transfers_api.arguments(WaiverDecisionSchema)
    @transfers_api.response(200, TransferSchema)
    def post(self, body: dict[str, Any], transfer_id: uuid.UUID) -> Transfer:
        """By a lead who did not ask for it; a refusal says why."""
        now = runtime().clock.now()
        return deciding.decide_waiver(db.session(), current_principal(), transfer_id, **body, now=now)


@transfers_api.route("/transfers/<uuid:transfer_id>/discard")
class DiscardCopy(MethodView):
    @access(*DOERS)
    @transfers_api.response(200, TransferSchema)
    def post(self, transfer_id: uuid.UUID) -> Transfer:
        """Destroy the key of the gateway's copy now, and have the gateway destroy the copy."""
        return copies.discard(db.session(), current_principal(), transfer_id, now=runtime().clock.now())


@transfers_api.route("/transfers/<uuid:transfer_id>/manifest")
class ManifestOfTransfer(MethodView):
    @access(*PATH_READERS)
    @transfers_api.arguments(ManifestQuerySchema, location="query")
    @transfers_api.response(200, page_schema(ManifestEntrySchema))
    def get(self, query: dict[str, Any], transfer_id: uuid.UUID) -> Page[ManifestEntry]:
        """Entries by name; 404 while the manifest is not whole."""
        states = query.pop("state")
        row, page = views.entry_page(db.session(), current_principal(), transfer_id, states=states, **query)
        note_reading("transfer_manifest", subject=f"transfer:{row.id}", count=len(page.items))
        return page


@transfers_api.route("/handsets/<uuid:handset_id>/transfer")
class TransferOfPhone(MethodView):
    @access(*VIEWERS)
    @transfers_api.response(200, TransferStateSchema)
    def get(self, handset_id: uuid.UUID) -> TransferState:
        """How it stands with the data of a phone that is to be erased."""
        session = db.session()
        return transfer_state(session, find_handset(session, current_principal(), handset_id).id)
