"""Forms for one record, from the resource's description: what each control shows, and what a posted form says."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.errors import FieldError
from app.kernel.ids import parse_id
from app.kernel.tenancy import Principal
from app.registry import store
from app.registry.catalogue import CENTRES, RESOURCES
from app.registry.exporting import Names, hint
from app.registry.kinds import SHANGHAI, show
from app.registry.references import References
from app.registry.resolving import resolve
from app.registry.resource import Field, Resource

MAX_CHOICES = 500
_LOCAL = "%Y-%m-%dT%H:%M"
_INPUTS = {"date": "date", "instant": "datetime-local", "choice": "select"}
_LONG = 500


@dataclass(frozen=True)
class Control:
    """One field of a form. `shape`: `select`, `textarea`, `fixed` (shown, not sent) or an HTML input type.

    `choices` are (value, text) of a select. `now` is what is stored, when somebody else changed it meanwhile.
    """

    field: Field
    shape: str
    value: str
    text: str = ""
    choices: Sequence[tuple[str, str]] = ()
    hint: str = ""
    errors: Sequence[str] = ()
    now: str | None = None


@dataclass
class Entry:
    """What a posted form says: `cells` by field, `texts` as typed (to show them again), `problems` of single fields."""

    cells: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    problems: list[FieldError] = field(default_factory=list)
    number: int = 0
    bad: set[str] = field(default_factory=set)

    def refuse(self, name: str, code: str, message: str) -> None:
        self.bad.add(name)
        self.problems.append(FieldError(name, code, message))


def form_fields(resource: Resource) -> list[Field]:
    return [f for f in resource.fields if not f.derived]


def read_entry(
    references: References, resource: Resource, fields: Iterable[Field], form: Mapping[str, str], centre: Any
) -> Entry:
    """Parse the controls that were sent; an empty one clears its field. References are ids, or the key as typed."""
    entry = Entry(cells={"centre_id": centre} if centre is not None else {})
    for described in fields:
        if described.name not in form:
            continue
        text = entry.texts[described.name] = form[described.name]
        try:
            entry.cells[described.name] = _parse(described, text)
        except ValueError as exc:
            entry.refuse(described.name, "invalid", str(exc))
    for _row, name, code, message in resolve(references, resource, [entry]):
        entry.refuse(name, code, message)
    kept = set(entry.texts) | ({"centre_id"} if not resource.tie else set())
    entry.cells = {name: value for name, value in entry.cells.items() if name in kept}
    return entry


def _parse(described: Field, text: str) -> Any:
    if not text.strip():
        return {} if described.kind.form == "map" else None
    if described.target:
        return parse_id(text) or described.kind.parse(text)
    return described.kind.parse(text)


@dataclass
class Controls:
    """Makes the controls of one form. `centre`: what must lie in the record's own centre is offered from there only."""

    session: Session
    principal: Principal
    centre: uuid.UUID | None
    fixed: bool = False

    def make(
        self,
        fields: Iterable[Field],
        values: Mapping[str, Any],
        *,
        texts: Mapping[str, str] | None = None,
        problems: Sequence[FieldError] = (),
        stored: Mapping[str, Any] | None = None,
    ) -> list[Control]:
        """`texts` as typed go before `values`; `stored`: what stands now, told where it differs from what is shown."""
        return [self._control(f, values.get(f.name), texts or {}, problems, stored) for f in fields]

    def _control(
        self,
        described: Field,
        value: Any,
        texts: Mapping[str, str],
        problems: Sequence[FieldError],
        stored: Mapping[str, Any] | None,
    ) -> Control:
        errors = [p.message for p in problems if p.field == described.name]
        if self.fixed and described.fixed:
            return Control(described, "fixed", "", text=self.shown(described, value))
        choices, shape = self.choices(described, value), _shape(described)
        if described.target:
            shape = "select" if choices is not None else "text"
        shown = texts[described.name] if described.name in texts else _value(described, value)
        now = None
        if stored is not None and _value(described, stored.get(described.name)) != shown:
            now = self.shown(described, stored.get(described.name)) or "（空）"
        return Control(
            described,
            shape,
            shown,
            choices=choices or (),
            hint=_hint(described, shape),
            errors=errors,
            now=now,
        )

    def shown(self, described: Field, value: Any) -> str:
        if not described.target:
            return show(described.kind, value)
        if value is None:
            return ""
        rows = store.load_values(self.session, RESOURCES[described.target], [value])
        return _label(RESOURCES[described.target], rows[value])

    def choices(self, described: Field, value: Any) -> Sequence[tuple[str, str]] | None:
        """(value, text) of a select; None where there are so many that the key is typed instead."""
        if described.kind.choices:
            return list(described.kind.choices.items())
        if not described.target:
            return ()
        target = RESOURCES[described.target]
        centre = self.centre if described.same_centre or described.name == "post_id" else None
        rows = store.in_use(self.session, target, self.principal, centre, MAX_CHOICES + 1)
        if len(rows) > MAX_CHOICES:
            return None
        if value is not None and value not in rows and isinstance(value, uuid.UUID):
            rows |= store.load_values(self.session, target, [value])
        return [(str(row_id), _label(target, row)) for row_id, row in rows.items()]


def _shape(described: Field) -> str:
    kind = described.kind
    if kind.form == "text" and kind.limit is not None and kind.limit > _LONG:
        return "textarea"
    return _INPUTS.get(kind.form, "text")


def _hint(described: Field, shape: str) -> str:
    """Only what the control does not say by itself."""
    if shape == "datetime-local":
        return "北京时间"
    if described.target:
        return "" if shape == "select" else f"填{hint(described)}"
    return hint(described) if described.kind.form in ("fen", "map") else ""


def _value(described: Field, value: Any) -> str:
    """As the control holds it: a select the stored value, a time without its zone."""
    if value is None:
        return ""
    if described.kind.form == "instant":
        return str(value.astimezone(SHANGHAI).strftime(_LOCAL))
    if described.target or described.kind.choices:
        return str(value)
    return show(described.kind, value)


def local_minute(instant: dt.datetime) -> str:
    """What a time control shows: the minute in Beijing."""
    return instant.astimezone(SHANGHAI).strftime(_LOCAL)


def _label(resource: Resource, row: Mapping[str, Any]) -> str:
    """How people tell one from another: its first two own fields, e.g. code and name."""
    names = [f for f in resource.fields if not f.target and f.listed][:2]
    return " ".join(text for f in names if (text := show(f.kind, row.get(f.name))))


def label_of(session: Session, resource: Resource, row_id: uuid.UUID) -> str:
    """A record's name in headings. Ties have none of their own: what they tie is named."""
    row = store.load_values(session, resource, [row_id])[row_id]
    if not resource.tie:
        return _label(resource, row)
    names = Names(session)
    parts = [f for f in resource.fields if f.target and not f.derived and row[f.name] is not None]
    for described in parts:
        names.load(described, {row[described.name]})
    return " · ".join(names.text(f, row[f.name]) for f in parts)


def centres(session: Session, principal: Principal) -> list[tuple[uuid.UUID, str]]:
    """The centres in use that the caller may choose from, by code."""
    rows = store.in_use(session, CENTRES, principal, None, MAX_CHOICES)
    return [(row_id, _label(CENTRES, row)) for row_id, row in rows.items()]
