"""Contracts in Excel: the same columns in and out, read as the registry reads its own sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.contracts import store
from app.contracts.contract_service import WRITERS, change, enter
from app.contracts.model import NumberContract
from app.contracts.rules import Terms
from app.contracts.words import PLANS
from app.kernel.errors import DomainError
from app.kernel.tenancy import Principal
from app.registry import (
    DATE_KIND,
    FEN_KIND,
    REF_KIND,
    Field,
    Importer,
    References,
    Resource,
    SheetHeader,
    SheetRow,
    choice_kind,
    note_kind,
    resolve,
    show_value,
    text_kind,
)

MAX_CONTRACTS = 2000
"""Each row asks for its number's other contracts under its lock: more of them would hold all other writers up."""
CONTRACTS = Resource(
    "number-contracts",
    "号码合约",
    NumberContract,
    (
        Field(
            "number_id",
            "手机号",
            REF_KIND,
            required=True,
            fixed=True,
            target="numbers",
            example="13800138000",
        ),
        Field("carrier", "运营商", text_kind(40), required=True, example="中国移动"),
        Field("plan_type", "套餐类型", choice_kind(**PLANS)),
        Field("plan_name", "套餐名称", text_kind(120), required=True, example="全家享 129"),
        Field("monthly_fen", "月费（元）", FEN_KIND, required=True, example="129.00"),
        Field("handset_budget_fen", "购机额度（元）", FEN_KIND, example="1299.00"),
        Field("starts_on", "起始日", DATE_KIND, required=True, fixed=True, example="2026-01-01"),
        Field("ends_on", "到期日", DATE_KIND, required=True, example="2027-12-31"),
        Field("registered_name", "实名主体", text_kind(200), example="示例物业服务有限公司"),
        Field("note", "备注", note_kind()),
    ),
    key=("number_id", "starts_on"),
    writers=WRITERS,
)
SHEETS = {CONTRACTS.name: CONTRACTS}
_TERMS = tuple(Terms.__dataclass_fields__)


class ContractImporter(Importer):
    """A row is a new contract, or changes what it names by number and first day; an empty cell changes nothing."""

    def take(self, references: References, header: SheetHeader, batch: list[SheetRow]) -> None:
        for row, name, code, message in resolve(references, self.resource, batch):
            row.bad.add(name)
            self.outcome.refuse(row.number, header.column_of(name), code, message)
        for row in batch:
            if not row.bad and not self._repeated(header, row):
                self._take_row(header, row)

    def _take_row(self, header: SheetHeader, row: SheetRow) -> None:
        if self.outcome.rows > MAX_CONTRACTS:
            text = f"一次最多导入 {MAX_CONTRACTS} 行，请分开 / at most {MAX_CONTRACTS} rows"
            self.outcome.refuse(row.number, "", "too_many_rows", text)
            return
        given = {name: value for name, value in row.cells.items() if value is not None}
        number_id, starts_on = given.pop("number_id", None), given.get("starts_on")
        known = None
        if number_id is not None and starts_on is not None:
            known = store.beginning(self.session, number_id, starts_on)
        has = (*given, *(("number_id",) if number_id is not None else ()))
        missing = [f.name for f in self.resource.fields if f.required and f.name not in has and known is None]
        for name in missing:
            self.outcome.refuse(row.number, header.column_of(name), "required", "必填 / required")
        if missing:
            return
        try:
            # What a refused row wrote must not stay among those that are taken.
            with self.session.begin_nested():
                self._write(header, row, number_id, known, given)
        except DomainError as exc:
            self._refuse(header, row, exc)

    def _write(
        self,
        header: SheetHeader,
        row: SheetRow,
        number_id: Any,
        known: NumberContract | None,
        given: dict[str, Any],
    ) -> None:
        if known is None:
            terms = Terms(**{name: given.get(name) for name in _TERMS})  # type: ignore[arg-type]  # checked above
            enter(self.session, self.principal, number_id, terms, now=self.now)
            self.outcome.created += 1
            return
        before = {name: getattr(known, name) for name in _TERMS}
        changed = {name: value for name, value in given.items() if before[name] != value}
        if not changed:
            self.outcome.unchanged += 1
            return
        version, reason = known.version, "导入表格"
        change(
            self.session, self.principal, known.id, Terms(**{**before, **changed}), version=version, reason=reason,
            now=self.now,
        )  # fmt: skip
        self.outcome.changed += 1
        fields = self.resource.by_name
        for name, value in changed.items():
            kind = fields[name].kind
            self.outcome.tell_change(
                row.number, header.column_of(name), show_value(kind, before[name]), show_value(kind, value)
            )

    def _refuse(self, header: SheetHeader, row: SheetRow, error: DomainError) -> None:
        if not error.fields:
            self.outcome.refuse(row.number, "", error.code, error.detail)
        for problem in error.fields:
            column = header.column_of(problem.field)
            self.outcome.refuse(row.number, column, problem.code, problem.message)


def export_rows(session: Session, rows: Sequence[NumberContract]) -> Iterator[list[str]]:
    """The header, then each contract, as texts."""
    numbers = store.numbers(session, [row.number_id for row in rows])
    yield [f.label for f in CONTRACTS.fields]
    for row in rows:
        cells = [show_value(f.kind, getattr(row, f.name)) for f in CONTRACTS.fields if not f.target]
        yield [numbers[row.number_id].e164, *cells]


def export_query(session: Session, principal: Principal, **filters: Any) -> Sequence[NumberContract]:
    """Every contract that the list's filters leave, by what ends next."""
    query = store.listed(principal, **filters).order_by(NumberContract.ends_on, NumberContract.id)
    return session.scalars(query).all()
