from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.duty import delegations as given
from app.duty import excuses as filed
from app.duty import listing
from app.duty.model import Delegation, Excuse
from app.duty.schemas import (
    DelegationInSchema,
    DelegationQuerySchema,
    DelegationSchema,
    DutyNoteSchema,
    DutyReasonSchema,
    ExcuseInSchema,
    ExcuseQuerySchema,
    ExcuseSchema,
)
from app.http.access import SIGNED_IN, STAFF, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import runtime

duty_api = Blueprint(
    "duty", __name__, url_prefix=API_PREFIX, description="委托、保养与维修 / Delegations and excuses (N01)"
)


@duty_api.route("/delegations")
class Delegations(MethodView):
    @access(*SIGNED_IN)
    @duty_api.arguments(DelegationQuerySchema, location="query")
    @duty_api.response(200, page_schema(DelegationSchema))
    def get(self, query: dict[str, Any]) -> Page[Delegation]:
        """Delegations, the latest first; a butler sees those that concern himself."""
        wanted, now = query.pop("state"), runtime().clock.now()
        return listing.delegations(db.session(), current_principal(), now, wanted=wanted, **query)

    @access("operations", "lead", "butler")
    @duty_api.arguments(DelegationInSchema)
    @duty_api.response(201, DelegationSchema)
    def post(self, body: dict[str, Any]) -> Delegation:
        """Entrust a phone: by its custodian, or on his behalf. It holds from its acceptance on."""
        here = runtime()
        wanted = given.Wanted(**body)
        return given.propose(
            db.session(), current_principal(), wanted, policies=here.policies, now=here.clock.now()
        )


@duty_api.route("/delegations/<uuid:delegation_id>")
class OneDelegation(MethodView):
    @access(*SIGNED_IN)
    @duty_api.response(200, DelegationSchema)
    def get(self, delegation_id: uuid.UUID) -> Delegation:
        """One delegation."""
        return listing.one_delegation(db.session(), current_principal(), delegation_id, runtime().clock.now())


@duty_api.route("/delegations/<uuid:delegation_id>/accept")
class AcceptDelegation(MethodView):
    @access("operations", "lead", "butler")
    @duty_api.arguments(DutyNoteSchema)
    @duty_api.response(200, DelegationSchema)
    def post(self, body: dict[str, Any], delegation_id: uuid.UUID) -> Delegation:
        """Take the phone: by who holds the post; for one who has no user, by another person than the proposer."""
        now = runtime().clock.now()
        return given.accept(db.session(), current_principal(), delegation_id, answer=body["note"], now=now)


@duty_api.route("/delegations/<uuid:delegation_id>/decline")
class DeclineDelegation(MethodView):
    @access("operations", "lead", "butler")
    @duty_api.arguments(DutyNoteSchema)
    @duty_api.response(200, DelegationSchema)
    def post(self, body: dict[str, Any], delegation_id: uuid.UUID) -> Delegation:
        """Do not take it; its custodian goes on answering."""
        now = runtime().clock.now()
        return given.decline(db.session(), current_principal(), delegation_id, answer=body["note"], now=now)


@duty_api.route("/delegations/<uuid:delegation_id>/withdraw")
class WithdrawDelegation(MethodView):
    @access("operations", "lead", "butler")
    @duty_api.response(200, DelegationSchema)
    def post(self, delegation_id: uuid.UUID) -> Delegation:
        """Take back what nobody has answered."""
        return given.withdraw(db.session(), current_principal(), delegation_id, now=runtime().clock.now())


@duty_api.route("/delegations/<uuid:delegation_id>/return")
class ReturnDelegation(MethodView):
    @access("operations", "lead", "butler")
    @duty_api.arguments(DutyNoteSchema)
    @duty_api.response(200, DelegationSchema)
    def post(self, body: dict[str, Any], delegation_id: uuid.UUID) -> Delegation:
        """End it early, by either of the two or the desk."""
        now = runtime().clock.now()
        return given.give_back(db.session(), current_principal(), delegation_id, note=body["note"], now=now)


@duty_api.route("/delegations/<uuid:delegation_id>/void")
class VoidDelegation(MethodView):
    @access("operations", "lead")
    @duty_api.arguments(DutyReasonSchema)
    @duty_api.response(200, DelegationSchema)
    def post(self, body: dict[str, Any], delegation_id: uuid.UUID) -> Delegation:
        """Entered by mistake: it counts for nothing, from its beginning on."""
        now = runtime().clock.now()
        return given.void(db.session(), current_principal(), delegation_id, reason=body["note"], now=now)


@duty_api.route("/excuses")
class Excuses(MethodView):
    @access(*STAFF)
    @duty_api.arguments(ExcuseQuerySchema, location="query")
    @duty_api.response(200, page_schema(ExcuseSchema))
    def get(self, query: dict[str, Any]) -> Page[Excuse]:
        """Maintenance and repairs, the latest first."""
        wanted, now = query.pop("state"), runtime().clock.now()
        return listing.excuses(db.session(), current_principal(), now, wanted=wanted, **query)

    @access(*filed.FILERS)
    @duty_api.arguments(ExcuseInSchema)
    @duty_api.response(201, ExcuseSchema)
    def post(self, body: dict[str, Any]) -> Excuse:
        """File a maintenance or a repair; what is afterwards, long or endless waits for another person."""
        here = runtime()
        wanted = filed.Filed(**body)
        return filed.file_excuse(
            db.session(), current_principal(), wanted, policies=here.policies, now=here.clock.now()
        )


@duty_api.route("/excuses/<uuid:excuse_id>")
class OneExcuse(MethodView):
    @access(*STAFF)
    @duty_api.response(200, ExcuseSchema)
    def get(self, excuse_id: uuid.UUID) -> Excuse:
        """One maintenance or repair."""
        return listing.one_excuse(db.session(), current_principal(), excuse_id, runtime().clock.now())


@duty_api.route("/excuses/<uuid:excuse_id>/approve")
class ApproveExcuse(MethodView):
    @access(*filed.APPROVERS)
    @duty_api.arguments(DutyNoteSchema)
    @duty_api.response(200, ExcuseSchema)
    def post(self, body: dict[str, Any], excuse_id: uuid.UUID) -> Excuse:
        """By another person than who filed it."""
        now = runtime().clock.now()
        return filed.approve(db.session(), current_principal(), excuse_id, note=body["note"], now=now)


@duty_api.route("/excuses/<uuid:excuse_id>/reject")
class RejectExcuse(MethodView):
    @access(*filed.APPROVERS)
    @duty_api.arguments(DutyReasonSchema)
    @duty_api.response(200, ExcuseSchema)
    def post(self, body: dict[str, Any], excuse_id: uuid.UUID) -> Excuse:
        """It excuses nothing; says why."""
        now = runtime().clock.now()
        return filed.reject(db.session(), current_principal(), excuse_id, note=body["note"], now=now)


@duty_api.route("/excuses/<uuid:excuse_id>/withdraw")
class WithdrawExcuse(MethodView):
    @access(*filed.FILERS)
    @duty_api.response(200, ExcuseSchema)
    def post(self, excuse_id: uuid.UUID) -> Excuse:
        """Take back what nobody has decided."""
        now = runtime().clock.now()
        return filed.withdraw_excuse(db.session(), current_principal(), excuse_id, now=now)


@duty_api.route("/excuses/<uuid:excuse_id>/close")
class CloseExcuse(MethodView):
    @access(*filed.FILERS)
    @duty_api.arguments(DutyNoteSchema)
    @duty_api.response(200, ExcuseSchema)
    def post(self, body: dict[str, Any], excuse_id: uuid.UUID) -> Excuse:
        """The phone is back: it must be on again from now."""
        now = runtime().clock.now()
        return filed.close(db.session(), current_principal(), excuse_id, note=body["note"], now=now)


@duty_api.route("/excuses/<uuid:excuse_id>/void")
class VoidExcuse(MethodView):
    @access(*filed.APPROVERS)
    @duty_api.arguments(DutyReasonSchema)
    @duty_api.response(200, ExcuseSchema)
    def post(self, body: dict[str, Any], excuse_id: uuid.UUID) -> Excuse:
        """It excuses nothing, from its beginning on."""
        now = runtime().clock.now()
        return filed.void_excuse(db.session(), current_principal(), excuse_id, reason=body["note"], now=now)
