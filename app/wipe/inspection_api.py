from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView
from marshmallow import fields, validate

from app.http.access import access
from app.http.api import API_PREFIX, Blueprint, StrictSchema
from app.http.fields import Instant
from app.http.identity import current_principal
from app.kernel.db import db
from app.runtime import runtime
from app.wipe.confirming import INSPECTORS, confirm_failed, read_off_imei, verify
from app.wipe.grading_rules import Grade
from app.wipe.hook import tools
from app.wipe.inspecting import ASKERS, ask_inspection
from app.wipe.inspection_model import WipeInspection
from app.wipe.inspection_views import certificate_standing, inspections_of
from app.wipe.tools import VIEWERS

inspection_api = Blueprint(
    "wipe_inspections", __name__, url_prefix=API_PREFIX,
    description="清除后的检查与证明 / Inspections after a wipe, the second person's word, the certificate",
)  # fmt: skip
_GRADES = [str(grade) for grade in Grade]


class FactSchema(StrictSchema):
    code = fields.String()
    words = fields.String()
    value = fields.String()
    verdict = fields.String(validate=validate.OneOf(["pass", "fail", "unknown"]))
    weight = fields.String(validate=validate.OneOf(["basis", "proof", "state", "support", "cover"]))


class InspectionSchema(StrictSchema):
    id = fields.UUID()
    kind = fields.String(validate=validate.OneOf(["before", "automatic", "manual"]))
    earliest_at = Instant(metadata={"description": "by the server's clock: made from then …"})
    at = Instant(metadata={"description": "… to then"})
    by = fields.String()
    grade = fields.String(
        allow_none=True, validate=validate.OneOf(_GRADES), metadata={"description": "of all up to this one"}
    )
    facts = fields.List(fields.Nested(FactSchema))
    words = fields.String()


class InspectionsSchema(StrictSchema):
    items = fields.List(fields.Nested(InspectionSchema))


class AskedSchema(StrictSchema):
    command_id = fields.UUID()
    state = fields.String()


class VerdictInSchema(StrictSchema):
    verdict = fields.String(required=True, validate=validate.OneOf(["erased", "not_erased"]))
    grade = fields.String(
        required=True, validate=validate.OneOf(_GRADES), metadata={"description": "as it was read"}
    )
    words = fields.String(load_default="", validate=validate.Length(max=500))


class ImeiInSchema(StrictSchema):
    imei = fields.String(
        required=True,
        validate=validate.Length(max=20),
        metadata={"description": "as *#06# shows it after the order"},
    )


class StandingSchema(StrictSchema):
    wipe_id = fields.UUID()
    state = fields.String()
    grade = fields.String(allow_none=True)
    verified_by = fields.String(allow_none=True)
    verified_at = Instant(allow_none=True)
    certificate = fields.String(
        allow_none=True, metadata={"description": "signing, issued, dropped or revoked"}
    )
    certificate_paper_id = fields.UUID(allow_none=True)
    contested = fields.Boolean()
    hindrances = fields.List(fields.String(), metadata={"description": "why it cannot be certified now"})


@inspection_api.route("/wipes/<uuid:wipe_id>/inspections")
class Inspections(MethodView):
    @access(*VIEWERS)
    @inspection_api.response(200, InspectionsSchema)
    def get(self, wipe_id: uuid.UUID) -> dict[str, list[WipeInspection]]:
        """All of one wipe, in order; the last one's grade and facts hold."""
        return {"items": inspections_of(db.session(), current_principal(), wipe_id)}

    @access(*ASKERS)
    @inspection_api.response(202, AskedSchema)
    def post(self, wipe_id: uuid.UUID) -> dict[str, Any]:
        """Have a gateway read the phone now."""
        command = ask_inspection(db.session(), current_principal(), wipe_id, now=runtime().clock.now())
        return {"command_id": command.id, "state": command.state}


@inspection_api.route("/wipes/<uuid:wipe_id>/inspections/imei")
class ReadOffImei(MethodView):
    @access(*INSPECTORS)
    @inspection_api.arguments(ImeiInSchema)
    @inspection_api.response(201, InspectionSchema)
    def post(self, given: dict[str, str], wipe_id: uuid.UUID) -> WipeInspection:
        """The IMEI of a phone that hides it from gateways, read off its screen by a second person."""
        now = runtime().clock.now()
        return read_off_imei(
            db.session(), current_principal(), wipe_id, given["imei"], tools=tools(), now=now
        )


@inspection_api.route("/wipes/<uuid:wipe_id>/verdict")
class WipeVerdict(MethodView):
    @access(*INSPECTORS)
    @inspection_api.arguments(VerdictInSchema)
    @inspection_api.response(200, StandingSchema)
    def post(self, given: dict[str, Any], wipe_id: uuid.UUID) -> dict[str, Any]:
        """The second person's word on the inspections; 409 `grade` when they are worth something else by now."""
        session, who, now = db.session(), current_principal(), runtime().clock.now()
        if given["verdict"] == "erased":
            verify(
                session, who, wipe_id, grade_seen=given["grade"], words=given["words"], tools=tools(), now=now
            )
            # What is said stands in the trail with the transaction's end; just now it was wholly certifiable.
            return {**certificate_standing(session, who, tools(), wipe_id), "hindrances": []}
        confirm_failed(session, who, wipe_id, words=given["words"], tools=tools(), now=now)
        return certificate_standing(session, who, tools(), wipe_id)


@inspection_api.route("/wipes/<uuid:wipe_id>/certificate")
class WipeCertificateStanding(MethodView):
    @access(*VIEWERS)
    @inspection_api.response(200, StandingSchema)
    def get(self, wipe_id: uuid.UUID) -> dict[str, Any]:
        """How the wipe stands with its certificate. It is signed on pages alone: a signature is a person's."""
        return certificate_standing(db.session(), current_principal(), tools(), wipe_id)
