"""`idp accounts role`: who works here, as what. Each change names who makes it and why, and its owner sees it in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.account_options import REFERENCE, Basis, By, Ref, Unit, Who, Why, officer_of, the_one
from idp.cli.terminal import Exit, Json, refuse, show, table, with_services
from idp.staff.records import Role

if TYPE_CHECKING:
    from idp.protocol.services import Services
    from idp.staff.records import Member

app = typer.Typer(add_completion=False, help="Say who works here, as what.", no_args_is_help=True)

Named = Annotated[Role, typer.Argument(help="The role.")]


@app.command()
def add(
    who: Who,
    role: Named,
    officer: By,
    reason: Why,
    agency: Annotated[str | None, typer.Option(help="Code of the agency that the member works for.")] = None,
    unit: Unit = None,
    basis: Basis = "e",
    legal_ref: Ref = REFERENCE,
    as_json: Json = False,
) -> None:
    """Give an account a role. It works with a second factor only: who has none yet is led to one by the first page of staff."""
    by = officer_of(officer, reason, unit, basis, legal_ref)

    async def work(services: Services) -> Member:
        from idp.protocol import staff
        from idp.staff.records import RoleRefused

        account = await the_one(services, who)
        if role is Role.OFFICER and not agency:
            refuse("an officer belongs to an agency: name it with --agency", Exit.USAGE)
        made = await staff.appoint(services, by, account, role, agency=agency, unit=unit)
        if isinstance(made, RoleRefused):
            apart = f"it is {made.other} too, and nobody is both: take that role away first (idp accounts role remove)"
            refuse("the account has this role already" if made.reason == "held" else apart)
        return made

    member = with_services(work)
    show(_facts(member), as_json=as_json, text=f"{member.pseudonym} is {role} now; the access log names them by this pseudonym.")


@app.command()
def remove(
    who: Who,
    role: Named,
    officer: By,
    reason: Why,
    unit: Unit = None,
    basis: Basis = "e",
    legal_ref: Ref = REFERENCE,
    as_json: Json = False,
) -> None:
    """Take a role away; from the next request on the account opens no page of it."""
    by = officer_of(officer, reason, unit, basis, legal_ref)

    async def work(services: Services) -> None:
        from idp.protocol import staff

        if not await staff.dismiss(services, by, await the_one(services, who), role):
            refuse(f"the account is not {role}")

    with_services(work)
    show({"role": role, "removed": True}, as_json=as_json, text=f"The account is not {role} any more.")


@app.command("list")
def list_roles(role: Annotated[Role | None, typer.Option(help="Only this role.")] = None, as_json: Json = False) -> None:
    """List who has a role, by pseudonym: no name is shown."""

    async def work(services: Services) -> list[Member]:
        return list(await services.staff.all(role))

    members = with_services(work)
    rows = [
        (member.pseudonym, one.role, one.agency or "", one.unit or "", f"{one.since:%Y-%m-%d}", one.by)
        for member in members
        for one in member.appointments
    ]
    show([_facts(one) for one in members], as_json=as_json, text=table(("pseudonym", "role", "agency", "unit", "since", "by"), rows))


def _facts(member: Member) -> dict[str, Any]:
    held = [{"role": one.role, "agency": one.agency, "unit": one.unit, "since": one.since, "by": one.by} for one in member.appointments]
    return {"pseudonym": member.pseudonym, "roles": held}
