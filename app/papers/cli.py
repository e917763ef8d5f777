from __future__ import annotations

import sys
from pathlib import Path

import click

from app.command_group import CommandGroup
from app.kernel.db import db
from app.papers.checking import Verdict, check_beside, check_paper, overall, record_check
from app.papers.service import paper_of_file
from app.papers.words import VERDICT_WORDS
from app.runtime import runtime

papers_cli = CommandGroup("papers", help="单据 / Signed papers.")


@papers_cli.command("verify")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify_command(file: Path | None) -> None:
    """Hold all papers against their signatures, trail and files, or one FILE.pdf; exit 1 unless all is genuine."""
    session, here = db.session(), runtime()
    if file is None:
        problems = list(record_check(session, here.blobs, here.keys))
        for problem in problems:
            click.echo(problem, err=True)
        click.echo("单据全部真实 / all papers are genuine" if not problems else f"{len(problems)} 处问题")
        sys.exit(1 if problems else 0)
    data = file.read_bytes()
    paper = paper_of_file(session, data)
    if paper is None:
        raise click.ClickException("本系统没有生成过这个文件 / this file was not made here")
    from app.rooms import subject_checks  # it knows this module

    findings = check_paper(session, here.blobs, here.keys, paper, data)
    findings += check_beside(session, here.blobs, paper, subject_checks())
    click.echo(f"{paper.number} {paper.title}")
    for finding in findings:
        click.echo(f"  {VERDICT_WORDS[finding.verdict][1]} {finding.what}：{finding.detail}")
    verdict = overall(findings)
    click.echo(VERDICT_WORDS[verdict][1])
    sys.exit(0 if verdict is Verdict.GENUINE else 1)
