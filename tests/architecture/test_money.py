"""Money is whole fen: a float would dock somebody's pay by rounding."""

from __future__ import annotations

import ast
import importlib
import re

from sqlalchemy import BigInteger, Float, Integer, Numeric

from app.kernel.db import Base
from tests.architecture.source import dotted, hold, modules

_MONEY = re.compile(
    r"(^|_)(amount|price|cost|fee|wage|allowance|deduction|subsidy|balance|paid|due|yuan)($|_)"
)
# "due" and "allowance" also name dates, states and ids; those are no amounts.
_NO_AMOUNT = re.compile(r"_(at|on|id|state|status|rule|by|month|key)$|^due$")

# A table is known once the module that maps it is imported.
for _module in modules("app"):
    if "model" in _module.path.stem or "__tablename__" in _module.text:
        importlib.import_module(_module.name)


def test_every_table_is_known() -> None:
    assert len(Base.metadata.tables) > 3, "the rooms' models are not loaded, so these tests would see nothing"


def test_amounts_are_integer_columns_named_in_fen() -> None:
    hold(
        "A column of money is an integer and its name ends in _fen:",
        (
            f"{table.name}.{column.name}: {column.type!r}"
            for table in Base.metadata.tables.values()
            for column in table.columns
            if _is_money(column.name)
            if not (column.name.endswith("_fen") and isinstance(column.type, Integer | BigInteger))
        ),
    )


def test_no_fen_in_a_fraction() -> None:
    hold(
        "Fen are whole:",
        (
            f"{table.name}.{column.name}: {column.type!r}"
            for table in Base.metadata.tables.values()
            for column in table.columns
            if "fen" in column.name.split("_") and isinstance(column.type, Float | Numeric)
        ),
    )


def test_no_float_is_annotated_as_money() -> None:
    hold(
        "A name that speaks of money is never a float:",
        (
            f"{module.at(node)} {dotted(node.target)}: {ast.unparse(node.annotation)}"
            for module in modules("app")
            for node in module.nodes
            if isinstance(node, ast.AnnAssign) and "float" in ast.unparse(node.annotation)
            if _is_money(dotted(node.target).rpartition(".")[2])
        ),
    )


def _is_money(name: str) -> bool:
    return bool(_MONEY.search(name)) and not _NO_AMOUNT.search(name)
