from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from app.hardware.disposing import CAUSES as DISPOSAL_CAUSES
from app.hardware.judging import WAYS
from app.hardware.kits import NewPhone, checked_phone
from app.hardware.loss_rules import BY_CODE, OUTCOMES
from app.hardware.repairing import MAX_FEN, RESULTS
from app.hardware.states import Appeal, Case, Disposal, Order
from app.hardware.tools import CAUSES, KINDS, MAX_PHOTOS, MAX_WORDS
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.kernel.pictures import take_picture

_FEN = {"description": "fen"}


class PhotoField(fields.String):
    """A JPEG, PNG, WebP or GIF in base64; kept as a JPEG of bounded size without its metadata."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "metadata": {"format": "byte", **kwargs.get("metadata", {})}})

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            raw = base64.b64decode(str(text), validate=True)
        except (binascii.Error, ValueError):
            raise ValidationError("not base64") from None
        return take_picture(raw).data


def _photos(*, required: bool = False) -> fields.List[Any]:
    kept: dict[str, Any] = {"required": True} if required else {"load_default": list}
    return fields.List(PhotoField(), validate=validate.Length(int(required), MAX_PHOTOS), **kept)


def _words(**kwargs: Any) -> fields.String:
    return fields.String(required=True, validate=validate.Length(1, MAX_WORDS), **kwargs)


class HardwareCaseQuerySchema(PageArgs):
    state = fields.List(fields.String(validate=validate.OneOf([str(s) for s in Case])), load_default=list)
    kind = fields.String(load_default=None, validate=validate.OneOf(list(KINDS)))
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)
    employee_id = fields.UUID(load_default=None)


class HardwareReportSchema(StrictSchema):
    handset_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(list(KINDS)))
    happened_at = Instant(
        required=True, metadata={"description": "found, or last had: custody is told by this instant"}
    )
    words = _words()
    photos = _photos()
    police_number = fields.String(load_default="", validate=validate.Length(max=60))
    leg_id = fields.UUID(load_default=None, metadata={"description": "of a handover whose difference it is"})
    items = fields.List(
        fields.String(validate=validate.Length(1, 200)), load_default=list, validate=validate.Length(max=200)
    )


class HardwareStatementSchema(StrictSchema):
    words = _words()
    disputed = fields.Boolean(load_default=False, metadata={"description": "says that another had the phone"})


class HardwareFindingSchema(StrictSchema):
    cause = fields.String(required=True, validate=validate.OneOf(list(CAUSES)))
    words = _words()
    way = fields.String(load_default="repair", validate=validate.OneOf(list(WAYS)))
    photos = _photos()
    employee_id = fields.UUID(load_default=None, metadata={"description": "another than custody says"})
    employee_why = fields.String(load_default="", validate=validate.Length(max=500))


class HardwareRepairSchema(StrictSchema):
    shop = fields.String(required=True, validate=validate.Length(1, 200))
    done_on = fields.Date(required=True)
    price_fen = fields.Integer(required=True, strict=True, validate=validate.Range(0, MAX_FEN), metadata=_FEN)
    result = fields.String(required=True, validate=validate.OneOf(list(RESULTS)))
    words = fields.String(load_default="", validate=validate.Length(max=500))
    photos = _photos()


class LossDeedInSchema(StrictSchema):
    what = fields.String(required=True, validate=validate.OneOf(list(BY_CODE)))
    outcome = fields.String(required=True, validate=validate.OneOf(list(OUTCOMES)))
    words = fields.String(load_default="", validate=validate.Length(max=500))
    receipt = fields.String(load_default="", validate=validate.Length(max=60))
    photos = _photos()


class LossDeedSchema(StrictSchema):
    id = fields.UUID()
    what = fields.String(validate=validate.OneOf(list(BY_CODE)))
    outcome = fields.String(validate=validate.OneOf(list(OUTCOMES)))
    words = fields.String()
    receipt = fields.String(allow_none=True)
    photos = fields.List(fields.String(), metadata={"description": "sha256 of each"})
    by = fields.String()
    at = Instant()


class NewPhoneSchema(StrictSchema):
    brand = fields.String(required=True, validate=validate.Length(1, 60))
    model = fields.String(required=True, validate=validate.Length(1, 100))
    serial = fields.String(required=True, validate=validate.Length(1, 64))
    imei1 = fields.String(load_default=None, allow_none=True)
    imei2 = fields.String(load_default=None, allow_none=True)
    specification = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 40)),
        values=fields.String(validate=validate.Length(1, 100)),
        load_default=dict,
        validate=validate.Length(max=30),
    )

    @post_load
    def _phone(self, data: dict[str, Any], **_: Any) -> NewPhone:
        specification = data.pop("specification")
        return checked_phone(data, specification)


class NewPhoneOfferSchema(StrictSchema):
    phone = fields.Nested(NewPhoneSchema, required=True)
    price_fen = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, MAX_FEN), metadata=_FEN
    )
    invoice_number = fields.String(load_default="", validate=validate.Length(max=60))
    photos = _photos()


class NewPhonePurchaseSchema(NewPhoneOfferSchema):
    asset_tag = fields.String(required=True, validate=validate.Length(1, 60))
    months = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 60))


class NewPhoneAcceptSchema(StrictSchema):
    asset_tag = fields.String(required=True, validate=validate.Length(1, 60))
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class HardwareReasonSchema(StrictSchema):
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class HardwareWordsSchema(StrictSchema):
    words = _words()


class NewPhoneRefuseSchema(StrictSchema):
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class HardwareAppealDecisionSchema(StrictSchema):
    allow = fields.Boolean(required=True)
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class InstalmentInSchema(StrictSchema):
    month = fields.String(required=True, validate=validate.Regexp(r"^20\d\d-(0[1-9]|1[0-2])\Z"))
    cap_fen = fields.Integer(
        required=True, strict=True, validate=validate.Range(0, MAX_FEN),
        metadata={"description": "fen that the person's wage of that month bears in all; the wage is not stored"},
    )  # fmt: skip
    attested = fields.Boolean(
        required=True, metadata={"description": "within the law's share, and the minimum wage is left"}
    )


class DeductionSchema(StrictSchema):
    amount_fen = fields.Integer(metadata=_FEN)
    monthly_fen = fields.Integer(metadata=_FEN)
    taken_fen = fields.Integer(metadata=_FEN)
    first_month = fields.String()
    state = fields.String(validate=validate.OneOf([str(s) for s in Order]))


class InstalmentSchema(StrictSchema):
    id = fields.UUID()
    month = fields.String()
    taken_fen = fields.Integer(metadata=_FEN)
    entry_id = fields.UUID(
        allow_none=True, metadata={"description": "its booking; null where nothing was taken"}
    )
    confirmed_by = fields.String()
    confirmed_at = Instant()


class HardwareCaseSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    handset_id = fields.UUID()
    kind = fields.String(validate=validate.OneOf(list(KINDS)))
    state = fields.String(validate=validate.OneOf([str(s) for s in Case]))
    happened_at = Instant()
    words = fields.String()
    employee_id = fields.UUID(allow_none=True, metadata={"description": "who answers; null: nobody had it"})
    answers_why = fields.String()
    statement = fields.String(allow_none=True)
    disputed = fields.Boolean()
    cause = fields.String(allow_none=True)
    finding = fields.String(allow_none=True)
    payer = fields.String(allow_none=True, validate=validate.OneOf(["person", "centre"]))
    within_life = fields.Boolean(allow_none=True, metadata={"description": "null: not known"})
    due_on = fields.Date(allow_none=True)
    appeal = fields.String(validate=validate.OneOf([str(s) for s in Appeal]))
    appeal_until = Instant(allow_none=True)
    police_number = fields.String(allow_none=True)
    new_handset_id = fields.UUID(allow_none=True)
    reported_by = fields.String()
    created_at = Instant()
    ended_at = Instant(allow_none=True)


class HardwareCaseDetailSchema(HardwareCaseSchema):
    deduction = fields.Nested(DeductionSchema, allow_none=True)


class DisposalQuerySchema(PageArgs):
    state = fields.String(
        load_default=str(Disposal.WAITING), validate=validate.OneOf([str(s) for s in Disposal])
    )
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)


class DisposalInSchema(StrictSchema):
    handset_id = fields.UUID(required=True)
    cause = fields.String(required=True, validate=validate.OneOf(list(DISPOSAL_CAUSES)))
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class DisposalSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    handset_id = fields.UUID()
    cause = fields.String(validate=validate.OneOf(list(DISPOSAL_CAUSES)))
    reason = fields.String()
    source = fields.String()
    state = fields.String(validate=validate.OneOf([str(s) for s in Disposal]))
    ordered_by = fields.String()
    ordered_at = Instant()
    found_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)


class ServiceLifeSchema(StrictSchema):
    begins = fields.Date(allow_none=True)
    ends = fields.Date(allow_none=True, metadata={"description": "the first day after"})
    of = fields.String(allow_none=True, validate=validate.OneOf(["receipt", "purchase"]))
