"""From the rows of a sheet to written rows, a thousand at a time, with every problem told by row and column.

A dry run is the import itself, rolled back: what it promises is what happens.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.errors import FieldError
from app.kernel.tenancy import Principal
from app.registry import store, tie_service
from app.registry.cells import value_of
from app.registry.checks import Draft, check
from app.registry.columns import Header, find_header
from app.registry.kinds import show
from app.registry.references import References
from app.registry.resolving import resolve, stored_rows
from app.registry.resource import Field, Resource
from app.registry.service import note
from app.registry.sheet_guard import MAX_ROWS
from app.registry.sheet_read import Cell, Sheet

MAX_TOLD = 10_000
_MAX_CHANGES = 500
_BATCH = 1000
_REMEMBERED = 2000


@dataclass(frozen=True)
class CellProblem:
    """`column` is the letter and heading, empty when the row as a whole is at fault."""

    row: int
    column: str
    code: str
    message: str


@dataclass(frozen=True)
class CellChange:
    """What an import alters in a record that exists: texts as a sheet would show them."""

    row: int
    column: str
    before: str
    after: str


@dataclass
class Outcome:
    """What an import did or would do. `problems` holds the first 10,000 of `problem_count`, `changes` the first 500."""

    sheet: str = ""
    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    problem_count: int = 0
    problems: list[CellProblem] = field(default_factory=list)
    changes: list[CellChange] = field(default_factory=list)

    def refuse(self, row: int, column: str, code: str, message: str) -> None:
        self.problem_count += 1
        if len(self.problems) < MAX_TOLD:
            self.problems.append(CellProblem(row, column, code, message))

    def tell_change(self, row: int, column: str, before: str, after: str) -> None:
        if len(self.changes) < _MAX_CHANGES:
            self.changes.append(CellChange(row, column, before, after))


@dataclass
class RowIn:
    """One row on its way: `cells` hold parsed values by field, references still as the text that names them."""

    number: int
    cells: dict[str, Any]
    bad: set[str] = field(default_factory=set)


@dataclass
class Importer:
    """One import of one sheet within the caller's transaction; the caller commits or rolls back."""

    session: Session
    principal: Principal
    resource: Resource
    now: dt.datetime
    outcome: Outcome = field(default_factory=Outcome)
    _seen: dict[tuple[str, Any], int] = field(default_factory=dict)
    _values: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, sheet: Sheet) -> Outcome:
        """Raise `Invalid` for a sheet whose header is unusable; problems of rows are in the outcome."""
        self.outcome.sheet = sheet.name
        header = find_header(self.resource, sheet.rows, sheet.name)
        formulas, merged = set(sheet.formulas), set(sheet.merged)
        self._refuse_places(
            header, formulas, "formula", "单元格是公式，请粘贴为数值 / a formula: paste as value"
        )
        self._refuse_places(header, merged, "merged", "请取消合并单元格 / unmerge these cells")
        references = References(self.session, self.principal)
        batch: list[RowIn] = []
        for number, cells in sheet.rows:
            row = self._parse(header, number, cells, formulas)
            if row is None:
                continue
            self.outcome.rows += 1
            if self.outcome.rows > MAX_ROWS:
                self.outcome.refuse(
                    number, "", "too_many_rows", f"最多 {MAX_ROWS} 行 / at most {MAX_ROWS} rows"
                )
                break
            batch.append(row)
            if len(batch) == _BATCH:
                self.take(references, header, batch)
                batch = []
        self.take(references, header, batch)
        if not self.outcome.rows:
            self.outcome.refuse(header.row, "", "no_rows", "表头下面没有数据 / no rows below the header")
        self.outcome.problems.sort(key=lambda p: p.row)
        return self.outcome

    def _refuse_places(self, header: Header, places: set[tuple[int, int]], code: str, message: str) -> None:
        for row, column in sorted(places):
            if row > header.row or row == 0:
                self.outcome.refuse(row, header.label(column - 1), code, message)

    def _parse(
        self, header: Header, number: int, cells: Sequence[Cell], formulas: set[tuple[int, int]]
    ) -> RowIn | None:
        """None for an empty row. A cell that holds a formula is told as such only, whatever its last result was."""
        if all(c is None or (isinstance(c, str) and not c.strip()) for c in cells):
            return None
        row = RowIn(number, {})
        for column, cell in enumerate(cells):
            described = header.fields[column] if column < len(header.fields) else None
            if described is None:
                if column >= len(header.fields) and cell not in (None, ""):
                    self.outcome.refuse(
                        number, header.label(column), "no_heading", "此列没有表头 / no heading above"
                    )
                continue
            if (number, column + 1) in formulas:
                row.bad.add(described.name)
                continue
            try:
                row.cells[described.name] = self._value(described, cell)
            except ValueError as exc:
                row.bad.add(described.name)
                self.outcome.refuse(number, header.label(column), "invalid", str(exc))
        return row

    def _value(self, described: Field, cell: Cell) -> Any:
        """As `value_of`; brands, dates and codes repeat, so the first few thousand texts are remembered."""
        if not isinstance(cell, str):
            return value_of(described.kind, cell)
        known = self._values.setdefault(described.name, {})
        if cell not in known:
            value = value_of(described.kind, cell)
            if len(known) >= _REMEMBERED:
                return value
            known[cell] = value
        return known[cell]

    def take(self, references: References, header: Header, batch: list[RowIn]) -> None:
        """Write a batch of parsed rows, or tell what is wrong with them; another room's sheets do it in their way."""
        if not batch:
            return
        drafts = self._drafts(references, header, batch)
        if not self.resource.tie:
            fresh = [d for _, d in drafts]
            check(references, self.resource, fresh)
        new: list[Draft] = []
        for row, draft in drafts:
            if self.resource.tie:
                self._take_tie(references, header, row, draft)
                continue
            self._refuse_centre_change(draft)
            if self._told(header, row, draft):
                continue
            if draft.stored is None:
                new.append(draft)
                self.outcome.created += 1
            else:
                self._change(header, row, draft)
        store.insert_rows(self.session, self.resource, [d.values for d in new], self.now)

    def _drafts(
        self, references: References, header: Header, batch: list[RowIn]
    ) -> list[tuple[RowIn, Draft]]:
        """Rows that are new or changed; those with unusable references or a key seen before are told and dropped."""
        for row, name, code, message in resolve(references, self.resource, batch):
            row.bad.add(name)
            self.outcome.refuse(row.number, header.column_of(name), code, message)
        stored = stored_rows(references, self.resource, batch)
        drafts = []
        for row in batch:
            if self._repeated(header, row) or row.bad:
                continue
            known = stored.get(row.number)
            draft = _draft(self.resource, row, known)
            if known is not None and self.resource.has_centre and not self.principal.sees(known["centre_id"]):
                column = header.column_of(self.resource.key[-1])
                self.outcome.refuse(row.number, column, "taken", "已被其他记录使用 / taken by another record")
            elif known is not None and not draft.values:
                self.outcome.unchanged += 1
            else:
                drafts.append((row, draft))
        return drafts

    def _repeated(self, header: Header, row: RowIn) -> bool:
        """Whether a unique value stood in an earlier row of this very sheet."""
        found = False
        for names in (self.resource.key, *self.resource.unique):
            for name, key in _claims(names, row):
                first = self._seen.setdefault(key, row.number)
                if first != row.number:
                    message = f"与第 {first} 行重复 / the same as in row {first}"
                    self.outcome.refuse(row.number, header.column_of(name), "duplicate", message)
                    found = True
        return found

    def _refuse_centre_change(self, draft: Draft) -> None:
        if draft.stored is not None and "centre_id" in draft.values:
            live = store.live_dependants(self.session, self.resource, draft.stored["id"], self.now)
            if live:
                draft.refuse("centre_id", "in_use", "先结束其岗位配置再调往别的服务中心 / end its ties first")

    def _told(self, header: Header, row: RowIn, draft: Draft) -> bool:
        for problem in draft.problems:
            self.outcome.refuse(row.number, header.column_of(problem.field), problem.code, problem.message)
        return bool(draft.problems)

    def _change(self, header: Header, row: RowIn, draft: Draft) -> None:
        stored: Mapping[str, Any] = draft.stored or {}
        fields = self.resource.by_name
        details = {}
        for name, value in draft.values.items():
            kind = fields[name].kind
            before, after = show(kind, stored.get(name)), show(kind, value)
            details[name] = [before, after]
            self.outcome.tell_change(row.number, header.column_of(name), before, after)
        done = store.update_row(
            self.session, self.resource, stored["id"], stored["version"], draft.values, self.now
        )
        if not done:
            self.outcome.refuse(
                row.number, "", "stale", "此记录刚被他人修改，请重试 / changed meanwhile: try again"
            )
            return
        self.outcome.changed += 1
        note(self.session, self.principal, self.resource, _Named(stored), "change", self.now, details=details)

    def _take_tie(self, references: References, header: Header, row: RowIn, draft: Draft) -> None:
        """A new tie, or the end of one that is open; each sees the ties of the rows before it."""
        if draft.stored is None:
            tie_service.check_tie(references, self.resource, draft)
            if not self._told(header, row, draft):
                tie_service.insert_tie(self.session, self.principal, self.resource, draft, self.now)
                self.outcome.created += 1
            return
        tie_service.check_end(self.session, self.resource, draft, self.now)
        if not self._told(header, row, draft):
            self._change(header, row, draft)


@dataclass(frozen=True)
class _Named:
    """A stored row as the audit trail names it."""

    values: Mapping[str, Any]

    @property
    def id(self) -> Any:
        return self.values["id"]

    @property
    def centre_id(self) -> Any:
        return self.values.get("centre_id")


def _draft(resource: Resource, row: RowIn, stored: Mapping[str, Any] | None) -> Draft:
    """An empty cell says nothing: it never clears what is stored."""
    given = {name: value for name, value in row.cells.items() if value is not None}
    if resource.tie:
        given.pop("centre_id", None)
    if stored is None:
        blank: dict[str, Any] = {f.name: {} if f.kind.form == "map" else None for f in resource.fields}
        return Draft({**blank, **given})
    changed = {name: value for name, value in given.items() if stored.get(name) != value}
    draft = Draft(changed, stored)
    for name in changed:
        if resource.by_name[name].fixed:
            draft.refuse(
                name, "fixed", f"登记后不能修改（现为 {stored.get(name)}）/ cannot be changed any more"
            )
    if changed and stored.get("retired_at") is not None:
        draft.refuse(resource.key[-1], "retired", "已停用，请先恢复 / it is retired: reinstate it first")
    return draft


def _claims(names: tuple[str, ...], row: RowIn) -> Iterator[tuple[str, tuple[str, Any]]]:
    if names == ("imei",):
        for slot in ("imei1", "imei2"):
            if row.cells.get(slot) is not None:
                yield slot, ("imei", row.cells[slot])
        return
    values = tuple(row.cells.get(name) for name in names)
    if any(v is not None for v in values) and (len(names) > 2 or None not in values):
        yield names[-1], ("+".join(names), values)


def problem_fields(outcome: Outcome, limit: int = 100) -> Sequence[FieldError]:
    """The outcome's first problems as field errors, for a refusal."""
    return [
        FieldError(f"row {p.row} {p.column}".strip(), p.code, p.message) for p in outcome.problems[:limit]
    ]
