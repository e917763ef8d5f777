"""What can go wrong, in the domain's words. `app/http/problems.py` holds the one table from these to HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with the input. `field` is a dotted path, `message` says the fix, both shown to people."""

    field: str
    code: str
    message: str


class DomainError(Exception):
    """Base of all expected refusals. `code` is stable for programs, `detail` is for people and holds no secret."""

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, fields: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.fields = tuple(fields)


class Invalid(DomainError):
    """The input cannot be taken; nothing was written."""

    code = "invalid"


class NotFound(DomainError):
    """No such thing, or not within the caller's centres: the two are told apart to nobody."""

    code = "not_found"


class Conflict(DomainError):
    """The thing is not in the state that the request needs, or another has taken its unique place."""

    code = "conflict"


class Stale(DomainError):
    """The caller saw an older version."""

    code = "stale_version"


class Forbidden(DomainError):
    code = "forbidden"


class Unauthenticated(DomainError):
    code = "unauthenticated"


class TooLarge(DomainError):
    code = "too_large"


class Unavailable(DomainError):
    """Cannot be done now (a sealed key, a missing file); nothing was lost."""

    code = "unavailable"
