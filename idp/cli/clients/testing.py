"""`idp clients test`: what an integrator got wrong, in sentences."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.clients.showing import unknown
from idp.cli.terminal import Exit, Json, refuse, show, with_services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.protocol.client_walk.findings import Finding
    from idp.protocol.services import Services

_MARKS = {"ok": "ok     ", "warning": "warning", "wrong": "WRONG  "}


def examine(
    client_id: str,
    scope: Annotated[str, typer.Option(help="The scope that the application sends; default: what it registered.")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Look at the registration only; fetch nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Walk an application's configuration and say what is wrong with it. Exit code 1 when something is.

    Its redirect, logout and key addresses are asked for, as they will be when it matters; its logout address gets a token that is none.
    """

    async def work(services: Services) -> Sequence[Finding]:
        from idp.protocol.client_walk.walk import walk

        client = await services.clients.get(client_id) or refuse(unknown(client_id))
        return await walk(services, client, asked=tuple(scope.split()), offline=offline)

    findings = with_services(work)
    show([asdict(finding) for finding in findings], as_json=as_json, text=lambda: "\n".join(map(_line, findings)))
    if any(finding.grade == "wrong" for finding in findings):
        raise typer.Exit(Exit.REFUSED)


def _line(finding: Finding) -> str:
    mend = f"\n         → {finding.mend}" if finding.mend else ""
    return f"{_MARKS[finding.grade]}  {finding.subject}: {finding.what}{mend}"
