"""The test database harness itself: isolation, templates, and that nothing survives the run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests.support import postgres


def _build(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE seeded (n integer)")
        connection.execute("INSERT INTO seeded VALUES (7)")


def test_a_database_is_empty_and_gone_afterwards() -> None:
    with postgres.database() as url:
        with psycopg.connect(url) as connection:
            tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            assert connection.execute(tables).fetchone() == (0,)
        name = url.split("@/")[1].split("?")[0]
    with psycopg.connect(postgres.server().url("postgres")) as connection:
        query = "SELECT count(*) FROM pg_database WHERE datname = %s"
        assert connection.execute(query, [name]).fetchone() == (0,)


def test_copies_of_a_template_do_not_see_each_other() -> None:
    name = postgres.template("house", _build)
    assert postgres.template("house", _build) == name
    with postgres.database(name) as one, postgres.database(name) as other:
        with psycopg.connect(one) as connection:
            connection.execute("INSERT INTO seeded VALUES (8)")
        with psycopg.connect(other) as connection:
            assert connection.execute("SELECT n FROM seeded").fetchall() == [(7,)]


def test_times_are_not_in_utc_by_chance(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SHOW timezone").fetchone() == ("America/St_Johns",)


def test_nothing_survives_a_killed_run(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    story = tmp_path / "test_story.py"
    story.write_text(
        "import os, signal\n"
        "from tests.support import postgres\n"
        "def test_story():\n"
        "    print('AT', postgres.server().directory, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    postgres.server()
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", f"--rootdir={root}"]
    ended = subprocess.run(
        [*command, "-p", "tests.support.plugin", str(story)],
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert "AT " in ended.stdout, ended.stdout + ended.stderr
    directory = Path(ended.stdout.split("AT ")[1].split()[0])
    deadline = time.monotonic() + 20
    while directory.exists():
        assert time.monotonic() < deadline, f"{directory} and its server are still there"
        time.sleep(0.05)
