"""stopping"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OPEN = ("draft", "queued", "running", "interrupted", "attention", "failed", "moved")
_OPEN_NOW = (
    "draft", "queued", "running", "interrupted", "stopping", "stopped", "attention", "failed", "moved",
)  # fmt: skip
_OVER = ("verified", "accepted", "waived", "cancelled")
_COLUMNS = ("stop_id", "stop_copy", "stop_by", "stop_at", "stop_reason")


def upgrade() -> None:
    _drop_indexes()
    op.add_column("transfer", sa.Column("stop_id", sa.Uuid(), nullable=True))
    # Both databases take a column's own check with it, and drop it with the column.
    op.execute(
        "ALTER TABLE transfer ADD COLUMN stop_copy VARCHAR(10) "
        "CONSTRAINT ck_transfer_stop_copy CHECK (stop_copy IN ('keep', 'discard'))"
    )
    op.add_column("transfer", sa.Column("stop_by", sa.String(length=200), nullable=True))
    op.add_column("transfer", sa.Column("stop_at", sa.BigInteger(), nullable=True))
    op.add_column("transfer", sa.Column("stop_reason", sa.Text(), nullable=True))
    _allow(_OPEN, _OPEN_NOW)
    _make_indexes(_OPEN_NOW)


def downgrade() -> None:
    # What was stopped, or was to be, is for the older code an order of which nothing is known to be proved.
    op.execute("UPDATE transfer SET state = 'failed' WHERE state IN ('stopping', 'stopped')")
    _drop_indexes()
    for name in _COLUMNS:
        op.drop_column("transfer", name)
    _allow(_OPEN_NOW, _OPEN)
    _make_indexes(_OPEN)


def _among(states: Sequence[str]) -> str:
    return "state IN (" + ", ".join(f"'{state}'" for state in states) + ")"


def _drop_indexes() -> None:
    for name in ("uq_transfer_open_new", "uq_transfer_open_old"):
        op.drop_index(name, "transfer")


def _make_indexes(open_states: Sequence[str]) -> None:
    where = sa.text(_among(open_states))
    for name, column in (("uq_transfer_open_new", "new_id"), ("uq_transfer_open_old", "old_id")):
        op.create_index(name, "transfer", [column], unique=True, postgresql_where=where, sqlite_where=where)


def _allow(before: Sequence[str], after: Sequence[str]) -> None:
    """Replace the check of the states."""
    old, new = _among((*before, *_OVER)), _among((*after, *_OVER))
    name = op.f("ck_transfer_state")
    if op.get_bind().dialect.name == "sqlite":
        _made_anew(old, new)
        return
    op.drop_constraint(name, "transfer", type_="check")
    op.create_check_constraint(name, "transfer", new)


def _made_anew(old: str, new: str) -> None:
    """SQLite replaces a check only with its table, to whose rows others refer.

    So the references are checked at the end of the transaction, and the rows put into a table that has the name from
    the beginning: of one that is given it later SQLite would go on counting each reference as broken.
    """
    bind = op.get_bind()
    bind.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    known = sa.text(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'transfer' AND sql IS NOT NULL AND type = :type"
    )
    [table] = bind.scalars(known, {"type": "table"}).all()
    indexes = bind.scalars(known, {"type": "index"}).all()
    if table.count(old) != 1:
        raise RuntimeError(
            "the table of transfers has not the check of its states that this migration replaces"
        )
    bind.exec_driver_sql("CREATE TEMP TABLE transfer_kept AS SELECT * FROM transfer")
    bind.exec_driver_sql("DROP TABLE transfer")
    for command in (
        table.replace(old, new), "INSERT INTO transfer SELECT * FROM transfer_kept", "DROP TABLE transfer_kept", *indexes,
    ):  # fmt: skip
        bind.exec_driver_sql(command)
