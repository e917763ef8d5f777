"""Fields that the schemas of all rooms share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields

from app.kernel.clock import from_rfc3339, to_rfc3339


class Instant(fields.String):
    """RFC 3339 with an offset in, UTC to the microsecond out: the one way in which the API tells times."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "metadata": {"format": "date-time", **kwargs.get("metadata", {})}})

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            instant = from_rfc3339(str(text))
        except (ValueError, OverflowError):
            raise ValidationError("not a time with an offset, e.g. 2026-05-03T00:00:00+08:00") from None
        if not 1990 <= instant.year <= 2100:
            raise ValidationError("the year must be 1990 to 2100")
        return instant

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else to_rfc3339(value)
