"""`idp complaints`: answer what citizens complain of. Who opens or answers one is named, and its citizen sees it in the history."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from idp.cli.account_options import By, Unit, Why
from idp.cli.terminal import Exit, Json, refuse, show, table, with_services
from idp.complaints.records import ComplaintState

if TYPE_CHECKING:
    from consent.access_log.records import Actor
    from idp.complaints.records import Complaint
    from idp.protocol.complaints import Words
    from idp.protocol.services import Services

app = typer.Typer(add_completion=False, help="Answer citizens' complaints about entries of their history.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="The complaint's number, such as ADU-2026-000123.")]
As = Annotated[Literal["officer", "dpo"], typer.Option("--role", help="As what: an officer of the agency, or the data protection officer.")]


@app.command("list")
def list_complaints(
    state: Annotated[list[ComplaintState] | None, typer.Option(help="Only in this state; may be repeated. Default: what waits.")] = None,
    agency: Annotated[str | None, typer.Option(help="Only of this agency's services.")] = None,
    as_json: Json = False,
) -> None:
    """List complaints, the one that is due first before others. Their texts are not in it."""
    states = state or [ComplaintState.RECEIVED, ComplaintState.ESCALATED]

    async def work(services: Services) -> list[dict[str, Any]]:
        return [_facts(one) for one in await services.complaints.list(*states, agency=agency)]

    rows = with_services(work)
    heads = ("number", "state", "agency", "created_at", "due_at")
    text = table(heads, [[row[name] or "" for name in heads] for row in rows]) if rows else "No complaint is waiting."
    show(rows, as_json=as_json, text=text)


@app.command("show")
def show_complaint(number: Number, officer: By, reason: Why, unit: Unit = None, role: As = "officer", as_json: Json = False) -> None:
    """Open a complaint. The look is an entry that the citizen sees."""
    actor = _actor(officer, reason, unit, role)

    async def work(services: Services) -> tuple[Complaint, Words]:
        from idp.protocol import complaints

        complaint = await _the_one(services, number)
        return complaint, await complaints.shown(services, actor, complaint, reason)

    complaint, words = with_services(work)
    facts = _facts(complaint) | {"text": words.text, "answer": words.answer, "entry_index": words.index}
    show(facts, as_json=as_json, text="\n".join(f"{name}: {'' if value is None else value}" for name, value in facts.items()))


@app.command()
def answer(
    number: Number,
    text: Annotated[str, typer.Option(help="The answer, as the citizen reads it; - reads it from standard input.")],
    officer: By,
    reason: Why,
    unit: Unit = None,
    role: As = "officer",
    as_json: Json = False,
) -> None:
    """Answer a complaint, once. What is with the data protection officer is answered by that officer, and then for good."""
    actor, typed = _actor(officer, reason, unit, role), (sys.stdin.read() if text == "-" else text).strip()
    if not typed:
        refuse("the answer is empty", Exit.USAGE)

    async def work(services: Services) -> Complaint:
        from idp.protocol import complaints

        complaint = await _the_one(services, number)
        if complaint.state is ComplaintState.ESCALATED and role != "dpo":
            refuse("this complaint is with the data protection officer: answer it with --role dpo")
        answered = await complaints.answer(services, actor, complaint, typed) if complaint.open else None
        return answered or refuse("this complaint was answered before")

    show(_facts(with_services(work)), as_json=as_json, text=f"Complaint {number} is answered; its citizen is told.")


@app.command()
def escalate(number: Number, officer: By, reason: Why, unit: Unit = None, as_json: Json = False) -> None:
    """Take a complaint to the data protection officer before its time runs out."""
    actor = _actor(officer, reason, unit, "officer")

    async def work(services: Services) -> Complaint:
        from idp.protocol import complaints

        complaint = await _the_one(services, number)
        passed = await complaints.pass_on(services, actor, complaint, reason)
        return passed or refuse("this complaint is with the data protection officer already, or that officer answered it")

    passed = with_services(work)
    show(_facts(passed), as_json=as_json, text=f"Complaint {number} is with the data protection officer, due {passed.due_at.isoformat()}.")


async def _the_one(services: Services, number: str) -> Complaint:
    complaint = await services.complaints.by_number(number.strip().upper())
    if complaint is None or complaint.person is None:
        refuse("no complaint has this number, or its account was erased")
    return complaint


def _actor(officer: str, reason: str, unit: str | None, role: str) -> Actor:
    from consent.access_log.records import Actor

    if not officer.strip() or not reason.strip():
        refuse("--officer and --reason must not be empty: the citizen reads who looked, and why", Exit.USAGE)
    return Actor(role, officer.strip(), role, unit)


def _facts(complaint: Complaint) -> dict[str, Any]:
    names = ("number", "state", "agency", "entry_id", "created_at", "due_at", "escalated_at", "by_clock", "answered_at", "answered_by")
    return {name: getattr(complaint, name) for name in names}
