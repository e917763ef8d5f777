"""Whether the database has the shape that this program needs: its migrations done, its tables and columns there."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from app.kernel.db import Base
from app.kernel.errors import Unavailable

_REVISION = re.compile(r"^(down_)?revision\b[^=\n]*= *[\"'](\w+)[\"']", re.MULTILINE)
_NAMED = 3


def check_schema(session: Session, versions: Path) -> None:
    """Raise `Unavailable` `schema_old` with the command that mends it; `versions`: the folder of the migrations.

    A database that is newer than the program will do, as long as it lacks nothing: it is upgraded before the programs.
    """
    inspector = inspect(session.connection())
    at = _revision_of(session) if inspector.has_table("alembic_version") else None
    known, head = _known(versions)
    if at in known - {head} or not inspector.get_table_names():
        raise _old(
            f"数据库结构比程序旧（现在 {at or '空'}，应为 {head}），请停止服务，运行 flask --app wsgi db upgrade / the "
            f"database is at {at or 'nothing'}, the program needs {head}: run `flask --app wsgi db upgrade`"
        )
    columns = {name: {c["name"] for c in found} for (_, name), found in inspector.get_multi_columns().items()}
    lacks = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name not in columns.get(table.name, set())
    ]
    if lacks:
        named = ", ".join(lacks[:_NAMED]) + (" …" if len(lacks) > _NAMED else "")
        raise _old(
            f"数据库缺 {named}，虽然迁移已做到 {at}：它是另一个版本建立的，请装回那个版本，或从备份恢复到新库 / the "
            f"database lacks {named} although it is at {at}: another version made it. Install that, or restore a "
            "backup into a new database and run `flask --app wsgi db upgrade`"
        )


def _old(detail: str) -> Unavailable:
    return Unavailable(detail, code="schema_old")


def _revision_of(session: Session) -> str | None:
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _known(versions: Path) -> tuple[set[str], str]:
    """Every revision, and the last. Read from the files: the migrations' library would take 11 MB in each process."""
    known: set[str] = set()
    before: set[str] = set()
    for file in versions.glob("*.py"):
        for down, name in _REVISION.findall(file.read_text("utf-8")):
            (before if down else known).add(name)
    return known, max(known - before)
