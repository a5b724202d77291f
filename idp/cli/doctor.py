"""`idp doctor`: say what is wrong and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from idp.cli.terminal import Exit, Json, run, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.diagnosis import Finding

app = typer.Typer(add_completion=False)

MARKS = {"ok": "  ok   ", "warning": "  look ", "wrong": "  WRONG"}


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is wrong with this installation and how to mend it. Exit code 1 when something is."""
    from idp.diagnosis import examine

    findings = run(examine())
    value = [{"subject": one.subject, "grade": one.grade, "what": one.what, "mend": one.mend} for one in findings]
    show(value, as_json=as_json, text=lambda: _told(findings))
    if any(one.grade == "wrong" for one in findings):
        raise typer.Exit(Exit.REFUSED)


def _told(findings: Sequence[Finding]) -> str:
    lines = []
    for one in findings:
        lines.append(f"{MARKS[one.grade]}  {one.subject}: {one.what}")
        if one.mend:
            lines.append(f"           → {one.mend}")
    return "\n".join(lines)
