from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.hardware import (
    appealing,
    deducting,
    disposing,
    judging,
    losing,
    repairing,
    replacing,
    reporting,
    views,
)
from app.hardware.lives import service_life
from app.hardware.model import Disposal, HardwareCase, Instalment, LossDeed
from app.hardware.rules import Life
from app.hardware.schemas import (
    DisposalInSchema,
    DisposalQuerySchema,
    DisposalSchema,
    HardwareAppealDecisionSchema,
    HardwareCaseDetailSchema,
    HardwareCaseQuerySchema,
    HardwareCaseSchema,
    HardwareFindingSchema,
    HardwareReasonSchema,
    HardwareRepairSchema,
    HardwareReportSchema,
    HardwareStatementSchema,
    HardwareWordsSchema,
    InstalmentInSchema,
    InstalmentSchema,
    LossDeedInSchema,
    LossDeedSchema,
    NewPhoneAcceptSchema,
    NewPhoneOfferSchema,
    NewPhonePurchaseSchema,
    NewPhoneRefuseSchema,
    ServiceLifeSchema,
)
from app.hardware.tools import DECIDERS, FINANCE, REPORTERS, VIEWERS, Tools
from app.http.access import SIGNED_IN, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.paging import Page
from app.registry import find_handset
from app.runtime import runtime

hardware_api = Blueprint(
    "hardware", __name__, url_prefix=f"{API_PREFIX}/hardware", description="损坏、遗失、赔付与待销毁 / R05"
)


def tools() -> Tools:
    here = runtime()
    return Tools(here.policies, here.blobs, here.keys)


@hardware_api.route("/cases")
class Cases(MethodView):
    @access(*SIGNED_IN)
    @hardware_api.arguments(HardwareCaseQuerySchema, location="query")
    @hardware_api.response(200, page_schema(HardwareCaseSchema))
    def get(self, query: dict[str, Any]) -> Page[HardwareCase]:
        """The latest first; a butler sees those in which he answers himself."""
        wanted = query.pop("state")
        return views.case_page(db.session(), current_principal(), wanted=wanted, **query)

    @access(*REPORTERS, "butler", late_transaction=True)
    @hardware_api.arguments(HardwareReportSchema)
    @hardware_api.response(201, HardwareCaseSchema)
    def post(self, body: dict[str, Any]) -> HardwareCase:
        """Report damage or a loss: staff for any phone, a butler for the one that he answers for."""
        given = reporting.Report(**{**body, "photos": tuple(body["photos"]), "items": tuple(body["items"])})
        return reporting.report(open_write(), current_principal(), tools(), given, runtime().clock.now())


@hardware_api.route("/cases/<uuid:case_id>")
class OneCase(MethodView):
    @access(*SIGNED_IN)
    @hardware_api.response(200, HardwareCaseDetailSchema)
    def get(self, case_id: uuid.UUID) -> dict[str, Any]:
        """One case, with its deduction order where there is one."""
        session = db.session()
        case, order = views.one(session, current_principal(), case_id)
        return {**{name: getattr(case, name) for name in HardwareCaseSchema().fields}, "deduction": order}


@hardware_api.route("/cases/<uuid:case_id>/statement")
class Statement(MethodView):
    @access(*DECIDERS, "butler")
    @hardware_api.arguments(HardwareStatementSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """The person's view, before anything is decided; once."""
        now = runtime().clock.now()
        return reporting.state_view(db.session(), current_principal(), case_id, **body, now=now)


@hardware_api.route("/cases/<uuid:case_id>/finding")
class FindingOfCase(MethodView):
    @access(*DECIDERS, late_transaction=True)
    @hardware_api.arguments(HardwareFindingSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """What it was and who pays; 409 `statement_first` while the person has not been heard."""
        finding = judging.Finding(**{**body, "photos": tuple(body["photos"])})
        now = runtime().clock.now()
        return judging.judge(open_write(), current_principal(), tools(), case_id, finding, now)


@hardware_api.route("/cases/<uuid:case_id>/loss-deeds")
class LossDeeds(MethodView):
    @access(*REPORTERS, "butler", late_transaction=True)
    @hardware_api.arguments(LossDeedInSchema)
    @hardware_api.response(201, LossDeedSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> LossDeed:
        """What was done about a lost phone, with what shows it."""
        deed = losing.Deed(**{**body, "photos": tuple(body["photos"])})
        now = runtime().clock.now()
        return losing.record_deed(open_write(), current_principal(), tools(), case_id, deed, now)


@hardware_api.route("/cases/<uuid:case_id>/repairs")
class Repairs(MethodView):
    @access(*REPORTERS, late_transaction=True)
    @hardware_api.arguments(HardwareRepairSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """A shop's result; a price needs the receipt's photo."""
        given = repairing.Repair(**{**body, "photos": tuple(body["photos"])})
        now = runtime().clock.now()
        return repairing.record_repair(open_write(), current_principal(), tools(), case_id, given, now)


@hardware_api.route("/cases/<uuid:case_id>/offer")
class Offer(MethodView):
    @access(*DECIDERS, "butler", late_transaction=True)
    @hardware_api.arguments(NewPhoneOfferSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """The person's new phone; another person compares it."""
        given = replacing.Offered(**{**body, "photos": tuple(body["photos"])})
        session, who = open_write(), current_principal()
        replacing.offer(session, who, tools(), case_id, given, runtime().clock.now())
        return views.one(session, who, case_id)[0]


@hardware_api.route("/cases/<uuid:case_id>/offer/accept")
class AcceptOffer(MethodView):
    @access(*DECIDERS)
    @hardware_api.arguments(NewPhoneAcceptSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """It takes the old one's place; 409 `lower` for a lower specification, an unknown needs a reason."""
        now = runtime().clock.now()
        return replacing.accept(db.session(), current_principal(), tools(), case_id, **body, now=now)


@hardware_api.route("/cases/<uuid:case_id>/offer/reject")
class RejectOffer(MethodView):
    @access(*DECIDERS)
    @hardware_api.arguments(HardwareReasonSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """It does not do; another is to be brought."""
        now = runtime().clock.now()
        return replacing.reject(db.session(), current_principal(), case_id, reason=body["reason"], now=now)


@hardware_api.route("/cases/<uuid:case_id>/refuse")
class Refuse(MethodView):
    @access(*DECIDERS, "butler")
    @hardware_api.arguments(NewPhoneRefuseSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """The centre is to buy, and wages pay."""
        now = runtime().clock.now()
        return replacing.refuse(db.session(), current_principal(), case_id, reason=body["reason"], now=now)


@hardware_api.route("/cases/<uuid:case_id>/purchase")
class PurchaseOfCase(MethodView):
    @access(*DECIDERS, late_transaction=True)
    @hardware_api.arguments(NewPhonePurchaseSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """The centre's purchase with its invoice; where the person pays, the deduction order comes of it."""
        tag, months = body.pop("asset_tag"), body.pop("months")
        offered = replacing.Offered(**{**body, "photos": tuple(body["photos"])})
        given = replacing.Purchase(offered, tag, months)
        return replacing.buy(
            open_write(), current_principal(), tools(), case_id, given, runtime().clock.now()
        )


@hardware_api.route("/cases/<uuid:case_id>/instalments")
class Instalments(MethodView):
    @access(*FINANCE)
    @hardware_api.arguments(InstalmentInSchema)
    @hardware_api.response(201, InstalmentSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> Instalment:
        """Confirm what a month bears, and take its part within that."""
        given = deducting.Confirmed(**body)
        now = runtime().clock.now()
        return deducting.confirm_month(db.session(), current_principal(), case_id, given, now)


@hardware_api.route("/cases/<uuid:case_id>/appeal")
class AppealOfCase(MethodView):
    @access(*DECIDERS, "butler")
    @hardware_api.arguments(HardwareWordsSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """Once, in policy's days."""
        now = runtime().clock.now()
        return appealing.file_appeal(db.session(), current_principal(), case_id, words=body["words"], now=now)


@hardware_api.route("/cases/<uuid:case_id>/appeal/decision")
class AppealDecision(MethodView):
    @access(*DECIDERS)
    @hardware_api.arguments(HardwareAppealDecisionSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """By another person than who judged, ordered or filed it."""
        now = runtime().clock.now()
        return appealing.decide_appeal(db.session(), current_principal(), tools(), case_id, **body, now=now)


@hardware_api.route("/cases/<uuid:case_id>/found")
class Found(MethodView):
    @access(*REPORTERS)
    @hardware_api.arguments(HardwareWordsSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """The lost phone is back: nobody pays, what was taken is given back."""
        now = runtime().clock.now()
        return appealing.find_again(
            db.session(), current_principal(), tools(), case_id, words=body["words"], now=now
        )


@hardware_api.route("/cases/<uuid:case_id>/drop")
class Drop(MethodView):
    @access(*DECIDERS)
    @hardware_api.arguments(HardwareReasonSchema)
    @hardware_api.response(200, HardwareCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> HardwareCase:
        """Reported by mistake: nobody pays."""
        now = runtime().clock.now()
        return reporting.drop(db.session(), current_principal(), case_id, reason=body["reason"], now=now)


@hardware_api.route("/handsets/<uuid:handset_id>/service-life")
class ServiceLife(MethodView):
    @access(*VIEWERS)
    @hardware_api.response(200, ServiceLifeSchema)
    def get(self, handset_id: uuid.UUID) -> Life:
        """R05's two years of a phone; nulls where nobody knows when they began."""
        session = db.session()
        phone = find_handset(session, current_principal(), handset_id)
        return service_life(session, phone.id, policies=runtime().policies)


@hardware_api.route("/disposals")
class Disposals(MethodView):
    @access(*VIEWERS)
    @hardware_api.arguments(DisposalQuerySchema, location="query")
    @hardware_api.response(200, page_schema(DisposalSchema))
    def get(self, query: dict[str, Any]) -> Page[Disposal]:
        """Phones that are to be destroyed, the latest first."""
        return disposing.disposals(db.session(), current_principal(), **query)

    @access(*DECIDERS)
    @hardware_api.arguments(DisposalInSchema)
    @hardware_api.response(201, DisposalSchema)
    def post(self, body: dict[str, Any]) -> Disposal:
        """A phone is to be destroyed; nothing is destroyed by this."""
        handset_id = body.pop("handset_id")
        source, now = f"/phones/{handset_id}", runtime().clock.now()
        return disposing.order_disposal(
            db.session(), current_principal(), handset_id, **body, source=source, now=now
        )


@hardware_api.route("/disposals/<uuid:disposal_id>/cancel")
class CancelDisposal(MethodView):
    @access(*DECIDERS)
    @hardware_api.arguments(HardwareReasonSchema)
    @hardware_api.response(200, DisposalSchema)
    def post(self, body: dict[str, Any], disposal_id: uuid.UUID) -> Disposal:
        """Ordered by mistake."""
        now = runtime().clock.now()
        return disposing.cancel_disposal(
            db.session(), current_principal(), disposal_id, reason=body["reason"], now=now
        )
