"""Bodies that get past the first look: made from what the OpenAPI document says, with foreign ids wherever one fits."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

Foreign = Mapping[str, list[uuid.UUID]]
_TABLES = {
    "centre": "service_centre", "handset": "handset", "post": "post", "employee": "employee", "grid": "grid",
    "household": "household", "number": "sim_number", "agent": "agent", "giver": "employee", "delegate": "employee",
}  # fmt: skip


def body_for(document: Mapping[str, Any], rule: str, method: str, foreign: Foreign) -> Any:
    """An example of what this operation takes; an empty object when it takes none."""
    path = re.sub(r"<(?:[a-z]+(?:\([^)]*\))?:)?([a-z_]+)>", r"{\1}", rule)
    operation = document["paths"].get(path, {}).get(method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return _example(document, schema, "", foreign) if schema else {}


def form_for(foreign: Foreign) -> dict[str, str]:
    """The fields of any form of ours: each page takes what it knows."""
    ids = {f"{name}_id": _foreign_id(name, foreign) for name in _TABLES}
    return {
        **ids, "centre": ids["centre_id"], "handset": ids["handset_id"], "reason": "试验一下", "name": "试验",
        "title": "试验", "note": "试验", "result": "answered", "kind": "power_snapshot", "month": "2026-11",
        "valid_from": "2026-11-22T10:00", "valid_to": "2026-12-22T10:00", "from": "2026-11-22", "to": "2026-12-22",
        "start": "2026-11-22T10:00", "end": "2026-11-23T10:00", "version": "1", "amount": "10.00", "decision": "uphold",
    }  # fmt: skip


def _example(document: Mapping[str, Any], schema: Mapping[str, Any], name: str, foreign: Foreign) -> Any:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return _example(document, schema[key][0], name, foreign)
    if schema.get("enum"):
        return next(value for value in schema["enum"] if value is not None)
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        required = set(schema.get("required", ()))
        return {
            field: _example(document, inner, field, foreign)
            for field, inner in schema.get("properties", {}).items()
            if not inner.get("readOnly") and (field in required or field.endswith("_id"))
        }
    if kind == "array":
        return [_example(document, schema.get("items", {}), name.removesuffix("s"), foreign)]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    return _text(schema.get("format", ""), name, foreign)


def _text(form: str, name: str, foreign: Foreign) -> str:
    if form == "uuid" or name.endswith("_id"):
        return _foreign_id(name.removesuffix("_id"), foreign)
    return {"date-time": "2026-11-22T02:00:00Z", "date": "2026-11-22"}.get(form, "试验一下")


def _foreign_id(name: str, foreign: Foreign) -> str:
    rows = foreign.get(_TABLES.get(name, name)) or foreign["service_centre"]
    return str(rows[0])
