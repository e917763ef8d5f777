from __future__ import annotations

import uuid

from flask.views import MethodView
from marshmallow import fields, validate

from app.escrow.lock_model import LockOrder
from app.escrow.lock_orders import ask_lock_check, ask_lock_set, cancel_order, orders_for
from app.escrow.lock_rules import CHECK, SET, LockState
from app.escrow.rights import FILERS
from app.http.access import access
from app.http.api import API_PREFIX, Blueprint, StrictSchema
from app.http.fields import Instant
from app.http.identity import current_principal
from app.kernel.db import db
from app.runtime import runtime

lock_api = Blueprint(
    "lock",
    __name__,
    url_prefix=API_PREFIX,
    description="手机上的锁屏密码 / The screen lock on the phone, tried by a gateway. No answer holds a password.",
)


class LockOrderSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    secret_id = fields.UUID()
    handset_id = fields.UUID()
    what = fields.String(validate=validate.OneOf([CHECK, SET]))
    version = fields.Integer()
    command_id = fields.UUID()
    state = fields.String(validate=validate.OneOf([str(s) for s in LockState]))
    outcome = fields.String(allow_none=True, metadata={"description": "the last word on it; final once done"})
    reason = fields.String(allow_none=True)
    asked_by = fields.String()
    asked_at = Instant()
    sent_at = Instant(allow_none=True)
    at = Instant(allow_none=True)


class LockOrdersSchema(StrictSchema):
    items = fields.List(fields.Nested(LockOrderSchema))


@lock_api.route("/escrow/secrets/<uuid:secret_id>/lock-checks")
class LockChecks(MethodView):
    @access(*FILERS, "auditor")
    @lock_api.response(200, LockOrdersSchema)
    def get(self, secret_id: uuid.UUID) -> dict[str, list[LockOrder]]:
        """The latest orders about this secret, checks and sets alike, newest first; at most 20."""
        return {"items": orders_for(db.session(), current_principal(), secret_id)}

    @access(*FILERS)
    @lock_api.response(201, LockOrderSchema)
    def post(self, secret_id: uuid.UUID) -> LockOrder:
        """Have the password in force tried once on the phone; the order that has not ended yet, if there is one."""
        here = runtime()
        return ask_lock_check(
            db.session(), current_principal(), secret_id, vault=here.vault, now=here.clock.now()
        )


@lock_api.route("/escrow/secrets/<uuid:secret_id>/lock-sets")
class LockSets(MethodView):
    @access(*FILERS)
    @lock_api.response(201, LockOrderSchema)
    def post(self, secret_id: uuid.UUID) -> LockOrder:
        """Have the phone changed from the password in force to the one that waits, which then comes into force."""
        here = runtime()
        return ask_lock_set(
            db.session(), current_principal(), secret_id, vault=here.vault, now=here.clock.now()
        )


@lock_api.route("/escrow/lock-orders/<uuid:order_id>/cancel")
class CancelLockOrder(MethodView):
    @access(*FILERS)
    @lock_api.response(200, LockOrderSchema)
    def post(self, order_id: uuid.UUID) -> LockOrder:
        """Take an order back that no gateway holds."""
        return cancel_order(db.session(), current_principal(), order_id, now=runtime().clock.now())
