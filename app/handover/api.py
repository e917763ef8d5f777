from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.handover import correcting, items, listing, reading, records, schemas, service, signing, testing
from app.handover.model import Handover, HandoverException, HandoverItem, HandoverLeg, HandoverRound
from app.http.access import SIGNED_IN, access
from app.http.api import API_PREFIX, Blueprint, etag, expected_version, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.papers import digest, to_plain
from app.runtime import runtime

DESK = ("operations", "lead")
handover_api = Blueprint(
    "handover", __name__, url_prefix=API_PREFIX, description="领取、移交、交还 / Handovers (R01, R04, U06)"
)


@handover_api.route("/handovers")
class Handovers(MethodView):
    @access(*SIGNED_IN)
    @handover_api.arguments(schemas.HandoverQuerySchema, location="query")
    @handover_api.response(200, page_schema(schemas.HandoverSchema))
    def get(self, query: dict[str, Any]) -> Page[Handover]:
        """Cases, the open ones first; a butler sees those in which he gives or receives."""
        return listing.handovers(db.session(), current_principal(), **query)

    @access(*DESK)
    @handover_api.arguments(schemas.HandoverInSchema)
    @handover_api.response(201, schemas.HandoverSchema)
    def post(self, body: dict[str, Any]) -> Handover:
        """Begin one: kit and post are held from now on, and the first list is made."""
        here = runtime()
        wanted = service.Wanted(**body)
        return service.start(
            db.session(), current_principal(), wanted, policies=here.policies, now=here.clock.now()
        )


@handover_api.route("/handovers/<uuid:handover_id>")
class OneHandover(MethodView):
    @access(*SIGNED_IN)
    @handover_api.response(200, schemas.HandoverSchema)
    def get(self, handover_id: uuid.UUID) -> Handover:
        """One case."""
        return reading.find(db.session(), current_principal(), handover_id)


@handover_api.route("/handovers/<uuid:handover_id>/legs")
class HandoverLegs(MethodView):
    @access(*SIGNED_IN)
    @handover_api.response(200, schemas.HandoverLegsSchema)
    def get(self, handover_id: uuid.UUID) -> dict[str, Any]:
        """Its legs, and their corrections, in order."""
        return {"items": reading.legs_of(db.session(), current_principal(), handover_id)}


@handover_api.route("/handovers/<uuid:handover_id>/receiver")
class NameReceiver(MethodView):
    @access(*DESK)
    @handover_api.arguments(schemas.HandoverReceiverSchema)
    @handover_api.response(200, schemas.HandoverSchema)
    def post(self, body: dict[str, Any], handover_id: uuid.UUID) -> Handover:
        """Say who follows."""
        now, employee_id = runtime().clock.now(), body["employee_id"]
        return service.name_receiver(db.session(), current_principal(), handover_id, employee_id, now=now)


@handover_api.route("/handovers/<uuid:handover_id>/due")
class RescheduleHandover(MethodView):
    @access(*DESK)
    @handover_api.arguments(schemas.HandoverDueSchema)
    @handover_api.response(200, schemas.HandoverSchema)
    def post(self, body: dict[str, Any], handover_id: uuid.UUID) -> Handover:
        """Another due date."""
        now, due_at = runtime().clock.now(), body["due_at"]
        return service.reschedule(db.session(), current_principal(), handover_id, due_at, now=now)


@handover_api.route("/handovers/<uuid:handover_id>/cancel")
class CancelHandover(MethodView):
    @access(*DESK)
    @handover_api.arguments(schemas.HandoverReasonSchema)
    @handover_api.response(200, schemas.HandoverSchema)
    def post(self, body: dict[str, Any], handover_id: uuid.UUID) -> Handover:
        """End a case of which nothing was handed over."""
        now, reason = runtime().clock.now(), body["reason"]
        return service.cancel(db.session(), current_principal(), handover_id, reason=reason, now=now)


@handover_api.route("/handovers/<uuid:handover_id>/conclude")
class ConcludeHandover(MethodView):
    @access(*DESK)
    @handover_api.arguments(schemas.HandoverReasonSchema)
    @handover_api.response(200, schemas.HandoverSchema)
    def post(self, body: dict[str, Any], handover_id: uuid.UUID) -> Handover:
        """Nobody follows: the handover ends as a return."""
        now, reason = runtime().clock.now(), body["reason"]
        return service.conclude(db.session(), current_principal(), handover_id, reason=reason, now=now)


@handover_api.route("/handover-legs/<uuid:leg_id>")
class OneLeg(MethodView):
    @access(*SIGNED_IN)
    @handover_api.response(200, schemas.HandoverLegSchema)
    def get(self, leg_id: uuid.UUID) -> Any:
        """One leg; its ETag is for its counts."""
        _, leg = reading.find_leg(db.session(), current_principal(), leg_id)
        return leg, 200, {"ETag": etag(leg.version)}


@handover_api.route("/handover-legs/<uuid:leg_id>/items")
class LegItems(MethodView):
    @access(*SIGNED_IN)
    @handover_api.response(200, schemas.HandoverItemsSchema)
    def get(self, leg_id: uuid.UUID) -> dict[str, Any]:
        """The list, with what was taken off it."""
        reading.find_leg(db.session(), current_principal(), leg_id)
        return {"items": reading.items_of(db.session(), leg_id, removed=True)}

    @access(*DESK)
    @handover_api.arguments(schemas.HandoverNewItemSchema)
    @handover_api.response(201, schemas.HandoverItemSchema)
    def post(self, body: dict[str, Any], leg_id: uuid.UUID) -> HandoverItem:
        """Add a thing by hand."""
        return items.add_item(db.session(), current_principal(), leg_id, now=runtime().clock.now(), **body)


@handover_api.route("/handover-items/<uuid:item_id>")
class OneItem(MethodView):
    @access(*DESK, if_match=True)
    @handover_api.arguments(schemas.HandoverItemInSchema)
    @handover_api.response(200, schemas.HandoverItemSchema)
    def put(self, body: dict[str, Any], item_id: uuid.UUID) -> Any:
        """What was seen of one thing."""
        here, version = runtime(), expected_version()
        row = items.save_item(
            db.session(), current_principal(), item_id, items.ItemInput(**body), version=version,
            policies=here.policies, now=here.clock.now(),
        )  # fmt: skip
        return row, 200, {"ETag": etag(row.version)}


@handover_api.route("/handover-items/<uuid:item_id>/remove")
class RemoveItem(MethodView):
    @access(*DESK)
    @handover_api.arguments(schemas.HandoverReasonSchema)
    @handover_api.response(200, schemas.HandoverItemSchema)
    def post(self, body: dict[str, Any], item_id: uuid.UUID) -> HandoverItem:
        """Take a thing off the list, saying why."""
        now, reason = runtime().clock.now(), body["reason"]
        return items.remove_item(db.session(), current_principal(), item_id, reason=reason, now=now)


@handover_api.route("/handover-legs/<uuid:leg_id>/counts")
class LegCounts(MethodView):
    @access(*DESK, if_match=True)
    @handover_api.arguments(schemas.HandoverCountsSchema)
    @handover_api.response(200, schemas.HandoverLegSchema)
    def put(self, body: dict[str, Any], leg_id: uuid.UUID) -> Any:
        """How many contacts, friends and households there are; null: not known."""
        here, version = runtime(), expected_version()
        leg = items.save_counts(
            db.session(), current_principal(), leg_id, body["counts"], by=body["by"], version=version,
            policies=here.policies, now=here.clock.now(),
        )  # fmt: skip
        return leg, 200, {"ETag": etag(leg.version)}


@handover_api.route("/handover-legs/<uuid:leg_id>/tests")
class LegTests(MethodView):
    @access(*SIGNED_IN)
    @handover_api.response(200, schemas.HandoverTestsSchema)
    def get(self, leg_id: uuid.UUID) -> dict[str, Any]:
        """What the phones' fresh readings prove, and the tests by hand."""
        here, session = runtime(), db.session()
        _, leg = reading.find_leg(session, current_principal(), leg_id)
        return {"items": testing.tests_of(session, leg, policies=here.policies, now=here.clock.now())}

    @access(*DESK)
    @handover_api.response(202, schemas.HandoverAskedSchema)
    def post(self, leg_id: uuid.UUID) -> dict[str, int]:
        """Have the phones read now."""
        now = runtime().clock.now()
        return {"phones": testing.ask_tests(db.session(), current_principal(), leg_id, now=now)}


@handover_api.route("/handover-legs/<uuid:leg_id>/hand-tests")
class LegHandTests(MethodView):
    @access(*DESK)
    @handover_api.arguments(schemas.HandoverHandTestSchema)
    @handover_api.response(204)
    def post(self, body: dict[str, Any], leg_id: uuid.UUID) -> None:
        """The result of a test by hand; said again, the later one holds."""
        here = runtime()
        items.save_hand_test(
            db.session(), current_principal(), leg_id, body["key"], body["result"], body["words"],
            policies=here.policies, now=here.clock.now(),
        )  # fmt: skip


@handover_api.route("/handover-legs/<uuid:leg_id>/exceptions")
class LegExceptions(MethodView):
    @access(*DESK, "butler")
    @handover_api.arguments(schemas.HandoverSaidSchema)
    @handover_api.response(201, schemas.HandoverExceptionSchema)
    def post(self, body: dict[str, Any], leg_id: uuid.UUID) -> HandoverException:
        """What a side does not agree with; it stays for ever."""
        now, who = runtime().clock.now(), current_principal()
        return items.add_exception(db.session(), who, leg_id, body["side"], body["words"], now=now)


@handover_api.route("/handover-legs/<uuid:leg_id>/readiness")
class LegReadiness(MethodView):
    @access(*SIGNED_IN)
    @handover_api.response(200, schemas.HandoverReadySchema)
    def get(self, leg_id: uuid.UUID) -> dict[str, Any]:
        """What stands in the way of signing, and what would be signed as unknown."""
        here, session, who = runtime(), db.session(), current_principal()
        policies, now = here.policies, here.clock.now()
        return {
            "hindrances": signing.hindrances(session, who, leg_id, policies=policies, now=now),
            "warnings": signing.warnings(session, who, leg_id, policies=policies, now=now),
        }


@handover_api.route("/handover-legs/<uuid:leg_id>/document")
class LegDocument(MethodView):
    @access(*SIGNED_IN)
    @handover_api.response(200, schemas.HandoverDocumentSchema)
    def get(self, leg_id: uuid.UUID) -> dict[str, Any]:
        """The text as it is signed; in draft as it would be now. People sign it in their browser, never by a token."""
        here = runtime()
        found = signing.document_of(
            db.session(), current_principal(), leg_id, policies=here.policies, now=here.clock.now()
        )
        return {"document": to_plain(found), "digest": digest(found)}


@handover_api.route("/handover-legs/<uuid:leg_id>/differences")
class LegDifferences(MethodView):
    @access(*SIGNED_IN)
    @handover_api.response(200, schemas.HandoverChangesSchema)
    def get(self, leg_id: uuid.UUID) -> dict[str, Any]:
        """Against the record before it, with in whose custody each came about."""
        return {"items": records.differences_of(db.session(), current_principal(), leg_id)}


@handover_api.route("/handover-legs/<uuid:leg_id>/freeze")
class FreezeLeg(MethodView):
    @access(*DESK)
    @handover_api.response(200, schemas.HandoverRoundSchema)
    def post(self, leg_id: uuid.UUID) -> HandoverRound:
        """Put the text up for signing."""
        here = runtime()
        return signing.freeze(
            db.session(), current_principal(), leg_id, policies=here.policies, now=here.clock.now()
        )


@handover_api.route("/handover-legs/<uuid:leg_id>/unfreeze")
class UnfreezeLeg(MethodView):
    @access(*DESK)
    @handover_api.arguments(schemas.HandoverReasonSchema)
    @handover_api.response(200, schemas.HandoverLegSchema)
    def post(self, body: dict[str, Any], leg_id: uuid.UUID) -> HandoverLeg:
        """Back to the draft; signatures under the text count no more."""
        now, reason = runtime().clock.now(), body["reason"]
        return signing.unfreeze(db.session(), current_principal(), leg_id, reason=reason, now=now)


@handover_api.route("/handover-legs/<uuid:leg_id>/decline")
class DeclineLeg(MethodView):
    @access(*DESK, "butler")
    @handover_api.arguments(schemas.HandoverSaidSchema)
    @handover_api.response(200, schemas.HandoverLegSchema)
    def post(self, body: dict[str, Any], leg_id: uuid.UUID) -> HandoverLeg:
        """A side does not sign this text, and says why."""
        now, who = runtime().clock.now(), current_principal()
        return signing.decline(db.session(), who, leg_id, body["side"], words=body["words"], now=now)


@handover_api.route("/handover-legs/<uuid:leg_id>/correct")
class CorrectLeg(MethodView):
    @access(*DESK)
    @handover_api.arguments(schemas.HandoverReasonSchema)
    @handover_api.response(201, schemas.HandoverLegSchema)
    def post(self, body: dict[str, Any], leg_id: uuid.UUID) -> HandoverLeg:
        """A new record in the place of a wrong one, to be signed as that was."""
        now, reason = runtime().clock.now(), body["reason"]
        return correcting.correct(db.session(), current_principal(), leg_id, reason=reason, now=now)
