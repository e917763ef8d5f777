"""What must hold before rows are written, for one row from the API as for a thousand from a sheet."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import IntegrityError

from app.kernel.errors import Conflict, DomainError, FieldError, Invalid
from app.registry import store, tie_store
from app.registry.catalogue import HANDSETS, WECHAT_ACCOUNTS
from app.registry.references import References
from app.registry.resource import Field, Resource

_CONFLICTS = frozenset({"taken", "overlap", "U01", "held"})
_TAKEN = "已被其他记录使用 / taken by another record"


@dataclass
class Draft:
    """A row about to be written. `values` are what changes (all of it for a new row), `stored` what stands, if any."""

    values: dict[str, Any]
    stored: Mapping[str, Any] | None = None
    problems: list[FieldError] = field(default_factory=list)

    @property
    def row_id(self) -> uuid.UUID | None:
        return self.stored["id"] if self.stored else None

    def after(self, name: str) -> Any:
        """The value that the field will have."""
        if name in self.values or self.stored is None:
            return self.values.get(name)
        return self.stored.get(name)

    def refuse(self, name: str, code: str, message: str) -> None:
        self.problems.append(FieldError(name, code, message))


def check(references: References, resource: Resource, drafts: Sequence[Draft]) -> None:
    """Fill each draft's `problems`; sets what the server derives (a tie's centre, an account's district)."""
    for f in resource.fields:
        if f.target:
            references.load(f.target, (v for d in drafts if (v := d.values.get(f.name)) is not None))
    for draft in drafts:
        _check_required(resource, draft)
        _check_references(references, resource, draft)
        derive(references, resource, draft)
        _check_particulars(references, resource, draft)
    if not resource.tie:
        _check_unique(references, resource, drafts)


def _check_required(resource: Resource, draft: Draft) -> None:
    for f in resource.fields:
        if f.required and draft.after(f.name) is None:
            draft.refuse(f.name, "required", "必填 / required")


def _check_particulars(references: References, resource: Resource, draft: Draft) -> None:
    """What holds for one resource only."""
    if resource is HANDSETS and draft.after("imei1") is not None:
        if draft.after("imei1") == draft.after("imei2"):
            draft.refuse("imei2", "same_imei", "两个 IMEI 不能相同 / the two IMEIs must differ")
    elif resource is WECHAT_ACCOUNTS:
        _check_number(references, draft)


def _check_references(references: References, resource: Resource, draft: Draft) -> None:
    for f in resource.fields:
        value = draft.values.get(f.name)
        if not f.target or value is None or f.derived:
            continue
        found = references.get(f.target, value)
        if found is None:
            draft.refuse(
                f.name, "not_found", "找不到，或不在您的服务中心 / no such thing within your centres"
            )
        elif found.retired and (draft.stored is None or draft.stored.get(f.name) != value):
            draft.refuse(f.name, "retired", "已停用 / it is retired")
    _check_same_centre(references, resource, draft)


def _check_same_centre(references: References, resource: Resource, draft: Draft) -> None:
    """Also when only the centre changes: what the row refers to would stay behind."""
    centre = draft.after("centre_id") if not resource.tie else _post_centre(references, draft)
    for f in (f for f in resource.fields if f.same_centre):
        value = draft.after(f.name)
        found = references.get(f.target, value) if value is not None else None
        if found is not None and centre is not None and found.centre_id != centre:
            draft.refuse(f.name, "other_centre", "属于另一个服务中心 / it belongs to another service centre")


def _post_centre(references: References, draft: Draft) -> uuid.UUID | None:
    post = references.get("posts", draft.after("post_id")) if draft.after("post_id") else None
    return post.centre_id if post else None


def _check_number(references: References, draft: Draft) -> None:
    number = draft.values.get("number_id")
    if draft.row_id is None or number is None:
        return
    if tie_store.posts_with_other_numbers(references.session, draft.row_id, number):
        draft.refuse(
            "number_id", "U01", "账号所在岗位用的是另一号码 / the account's post has another number (U01)"
        )


def derive(references: References, resource: Resource, draft: Draft) -> None:
    """Set what the server knows better than the caller: a tie's centre, an account's district."""
    if resource.tie:
        centre = _post_centre(references, draft)
        if centre is not None:
            draft.values["centre_id"] = centre
    elif resource is WECHAT_ACCOUNTS and draft.values.get("centre_id") is not None:
        found = references.get("centres", draft.values["centre_id"])
        if found is not None:
            draft.values["district_id"] = found.district_id


def _check_unique(references: References, resource: Resource, drafts: Sequence[Draft]) -> None:
    for names in (resource.key, *resource.unique):
        wanted: dict[tuple[Any, ...], list[tuple[Draft, str]]] = defaultdict(list)
        for draft in drafts:
            for key, name in _unique_values(resource, names, draft):
                wanted[key].append((draft, name))
        owned = store.owners(references.session, resource, names, list(wanted))
        for key, claims in wanted.items():
            owner = owned.get(key)
            for draft, name in claims:
                if owner is not None and owner != draft.row_id:
                    draft.refuse(name, "taken", _TAKEN)


def _unique_values(
    resource: Resource, names: tuple[str, ...], draft: Draft
) -> Iterable[tuple[tuple[Any, ...], str]]:
    """The unique values that a draft claims, with the field to blame."""
    slots = ("imei1", "imei2") if names == ("imei",) else ()
    for name in slots:
        if draft.values.get(name) is not None:
            yield (draft.values[name],), name
    if not slots and any(name in draft.values for name in names):
        key = tuple(draft.after(name) for name in names)
        if None not in key:
            yield key, _blame(resource, names)


def _blame(resource: Resource, names: tuple[str, ...]) -> str:
    """Of a unique pair such as centre and code, the field that a person typed."""
    fields: Mapping[str, Field] = resource.by_name
    return next((name for name in names if not fields[name].target), names[-1])


def raise_for(problems: Sequence[FieldError]) -> None:
    """Raise `Conflict` when something stands in the way, `Invalid` when the input is wrong in itself."""
    if not problems:
        return
    clashes = [p for p in problems if p.code in _CONFLICTS]
    error: type[DomainError] = Conflict if len(clashes) == len(problems) else Invalid
    code = problems[0].code if error is Conflict else "invalid"
    raise error("；".join(p.message for p in problems), code=code, fields=problems)


def clash_of(resource: Resource, error: IntegrityError) -> Conflict:
    """The same answer for a writer who lost a race as for one who came late: which field is taken."""
    text = str(getattr(getattr(error.orig, "diag", None), "constraint_name", None) or error.orig)
    if "handset_imei" in text:
        names = ["imei1", "imei2"]
    else:
        names = [
            n for n in dict.fromkeys(_names(resource)) if f"{resource.subject}_{n}" in text or f".{n}" in text
        ]
        names = names or [_blame(resource, resource.key)]
    return Conflict(_TAKEN, code="taken", fields=[FieldError(name, "taken", _TAKEN) for name in names])


def _names(resource: Resource) -> Iterable[str]:
    for names in (*resource.unique, resource.key):
        if names != ("imei",):
            yield _blame(resource, names)
