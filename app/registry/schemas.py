"""marshmallow schemas, made from the descriptions of the resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from marshmallow import Schema, ValidationError
from marshmallow import fields as ma
from marshmallow.validate import Length, OneOf

from app.http.api import PageArgs, StrictSchema, page_schema
from app.http.fields import Instant
from app.registry.kinds import MAX_FEN, Kind, clean_map
from app.registry.listing import sorts, states
from app.registry.resource import Field, Resource
from app.registry.rules import clean_text

_MAX_Q = 100


class Ruled(ma.String):
    """A text that its kind's rule checks and normalises."""

    def __init__(self, kind: Kind, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kind = kind

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return str(self._kind.parse(str(text)))
        except ValueError as exc:
            raise ValidationError(str(exc)) from None


class Fen(ma.Integer):
    """Whole fen; a float or a text is refused rather than rounded."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if type(value) is not int or not 0 <= value <= MAX_FEN:
            raise ValidationError(f"an integer amount in fen, 0 to {MAX_FEN}")
        return value


class TextMap(ma.Dict):
    """Names with texts, as in a handset's specification."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(keys=ma.String(), values=ma.String(), **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        found = super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        try:
            return clean_map(found)
        except ValueError as exc:
            raise ValidationError(str(exc)) from None


def _search_text(text: str) -> None:
    try:
        clean_text(text, _MAX_Q)
    except ValueError as exc:
        raise ValidationError(str(exc)) from None


@dataclass(frozen=True)
class Schemas:
    """`item` goes out; `create`, `change` and `query` come in; `page` is a list of items."""

    item: type[Schema]
    create: type[Schema]
    change: type[Schema]
    query: type[Schema]
    page: type[Schema]


class ActSchema(StrictSchema):
    """`at`: from when, now by default."""

    at = Instant(load_default=None)
    reason = ma.String(load_default="", validate=Length(max=500))


class VoidSchema(StrictSchema):
    reason = ma.String(required=True, validate=Length(1, 500))


class AtArgs(StrictSchema):
    at = Instant(load_default=None, metadata={"description": "the instant asked about; now by default"})


class CustodySchema(Schema):
    """One stretch of custody; the employee is null while nobody held the post."""

    handset_id = ma.UUID()
    centre_id = ma.UUID()
    post_id = ma.UUID()
    post_code = ma.String()
    post_name = ma.String()
    employee_id = ma.UUID(allow_none=True)
    employee_number = ma.String(allow_none=True)
    employee_name = ma.String(allow_none=True)
    since = Instant()
    until = Instant(allow_none=True)
    assignment_id = ma.UUID()
    holding_id = ma.UUID(allow_none=True)


class CustodyAtSchema(Schema):
    at = Instant()
    custody = ma.Nested(CustodySchema, allow_none=True)


class CustodyHistorySchema(Schema):
    items = ma.List(ma.Nested(CustodySchema))


def schemas_of(resource: Resource) -> Schemas:
    stem = "".join(part.capitalize() for part in resource.subject.split("_"))
    written = [f for f in resource.fields if not f.derived]
    item = {f.name: json_field(f, allow_none=not f.required) for f in resource.fields}
    item |= {"id": ma.UUID(), "version": ma.Integer(), "created_at": Instant(), "updated_at": Instant()}
    item["voided_at" if resource.tie else "retired_at"] = Instant(allow_none=True)
    create = {f.name: json_field(f, required=f.required, allow_none=not f.required) for f in written}
    change = {f.name: json_field(f, allow_none=not f.required) for f in written if not f.fixed}
    item_schema = _schema(f"{stem}Schema", Schema, item)
    return Schemas(
        item=item_schema,
        create=_schema(f"{stem}CreateSchema", StrictSchema, create),
        change=_schema(f"{stem}ChangeSchema", StrictSchema, change),
        query=_schema(f"{stem}QuerySchema", PageArgs, query_fields(resource)),
        page=page_schema(item_schema),
    )


def query_fields(resource: Resource) -> dict[str, Any]:
    """Filters, search, state and order of a list."""
    found: dict[str, Any] = {f.name: json_field(f) for f in resource.fields if f.filter}
    if any(f.search for f in resource.fields):
        found["q"] = ma.String(
            validate=_search_text, metadata={"description": "words sought in the main fields"}
        )
    found["sort"] = ma.String(validate=OneOf(sorts(resource)))
    found["state"] = ma.String(validate=OneOf(states(resource)))
    if resource.tie:
        found["at"] = Instant(metadata={"description": "only ties that hold at this instant"})
    return found


def json_field(described: Field, **kwargs: Any) -> ma.Field[Any]:
    """The field as JSON has it."""
    kind = described.kind
    kwargs["metadata"] = {"description": described.label}
    match kind.form:
        case "ref":
            return ma.UUID(**kwargs)
        case "date":
            return ma.Date(format="iso", **kwargs)
        case "instant":
            kwargs["metadata"]["format"] = "date-time"
            return Instant(**kwargs)
        case "fen":
            return Fen(**kwargs)
        case "map":
            return TextMap(**{**kwargs, "allow_none": False})
        case "choice":
            return ma.String(validate=OneOf(list(kind.choices)), **kwargs)
    return Ruled(kind, **kwargs)


def _schema(name: str, base: type[Schema], members: dict[str, Any]) -> type[Schema]:
    return cast(type[Schema], type(name, (base,), members))
