"""`idp accounts`: what officers do for citizens. Every act names an officer and a reason, and the citizen sees it in the history."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from idp.cli import roles
from idp.cli.account_options import (
    REFERENCE,
    Basis,
    By,
    Ref,
    Unit,
    Who,
    Why,
    date_of,
    importable_hash,
    nik_of,
    officer_of,
    the_one,
    values_of,
)
from idp.cli.terminal import Json, refuse, show, with_services

if TYPE_CHECKING:
    import datetime as dt

    from idp.accounts.records import Account
    from idp.protocol.counter import Officer, Slip
    from idp.protocol.services import Services

app = typer.Typer(add_completion=False, help="Add, show, lock, verify, recover and erase citizens' accounts.", no_args_is_help=True)
app.add_typer(roles.app, name="role")


def _facts(account: Account) -> dict[str, Any]:
    names = ("number", "state", "locale", "created_at", "last_used_at", "minor", "has_totp", "has_code_card", "has_passkey", "nik_verified")
    return {"id": account.person, **{name: getattr(account, name) for name in names}, "nik_paused_until": account.nik_paused_until}


def _lines(facts: dict[str, Any]) -> str:
    width = max(map(len, facts))
    return "\n".join(f"{name.ljust(width)}  {'' if value is None else value}" for name, value in facts.items())


@app.command("show")
def show_account(
    who: Who,
    officer: By,
    reason: Why,
    claim: Annotated[list[str] | None, typer.Option(help="Also show this value (name, email, …); may be repeated.")] = None,
    unit: Unit = None,
    basis: Basis = "e",
    legal_ref: Ref = REFERENCE,
    as_json: Json = False,
) -> None:
    """Show an account; values only where --claim names them. The look is an entry that the citizen sees."""
    by = officer_of(officer, reason, unit, basis, legal_ref)

    async def work(services: Services) -> dict[str, Any]:
        from idp.protocol import counter

        account = await the_one(services, who)
        values = await counter.look(services, by, account, claim or [])
        return _facts(account) | {"values": dict(values)}

    facts = with_services(work)
    show(facts, as_json=as_json, text=lambda: _lines({**{k: v for k, v in facts.items() if k != "values"}, **facts["values"]}))


@app.command()
def add(
    name: Annotated[str, typer.Option(help="Name as on KTP or KK; one word is enough.")],
    officer: By,
    reason: Why,
    email: Annotated[str | None, typer.Option(help="E-mail address, proven at the counter.")] = None,
    phone: Annotated[str | None, typer.Option(help="Telephone number, proven at the counter.")] = None,
    birthdate: Annotated[str | None, typer.Option(help="Date of birth, YYYY-MM-DD.")] = None,
    password_hash: Annotated[
        str | None,
        typer.Option(help="Hash (argon2id, bcrypt, PBKDF2) of the password that the person has elsewhere; - reads it from standard input."),
    ] = None,
    unit: Unit = None,
    basis: Basis = "e",
    legal_ref: Ref = REFERENCE,
    as_json: Json = False,
) -> None:
    """Open an account for somebody at the counter, and print a slip with which its owner chooses a password.

    With --password-hash, for people brought from another system, no slip is printed: their password works here too.
    """
    by = officer_of(officer, reason, unit, basis, legal_ref)
    values = values_of(name, email, phone, birthdate)
    hashed = importable_hash(sys.stdin.readline().strip() if password_hash == "-" else password_hash)  # noqa: S105 - standard input

    async def work(services: Services) -> tuple[Account, Slip | None]:
        from idp.accounts.records import Taken
        from idp.protocol import counter
        from idp.protocol.signing_in import is_minor

        minor = is_minor({"birthdate": birthdate} if birthdate else {}, services.clock().date())
        made = await counter.add(services, by, values, minor=minor, password_hash=hashed)
        if isinstance(made, Taken):
            refuse(f"another account has this {made.kind} already; show it with: idp accounts show")
        return made, None if hashed else await counter.print_slip(services, by, made)

    account, slip = with_services(work)
    told = _slip_text(slip) if slip else f"Account {account.number} is open, with the password of the hash."
    show(_facts(account) | {"slip": _slip(slip) if slip else None}, as_json=as_json, text=told)


@app.command("verify-nik")
def verify_nik(
    who: Who,
    nik: Annotated[str, typer.Option("--nik", help="The 16 digits as the paper shows them; - reads them from standard input.")],
    how: Annotated[str, typer.Option(help="Which paper was seen: KTP-el, KIA, KK.")],
    officer: By,
    reason: Why,
    name: Annotated[str | None, typer.Option(help="The name as the paper shows it: it becomes verified too.")] = None,
    birthdate: Annotated[str | None, typer.Option(help="The birth date as the paper shows it: it becomes verified too.")] = None,
    unit: Unit = None,
    basis: Basis = "c",
    legal_ref: Ref = "UU 24/2013",
    as_json: Json = False,
) -> None:
    """Note that an officer saw papers: the NIK is verified, signs in, and may leave for services with that legal duty."""
    by = officer_of(officer, reason, unit, basis, legal_ref)
    born = date_of(birthdate) if birthdate else None
    number = nik_of(sys.stdin.readline() if nik == "-" else nik, born)
    more = {claim: value for claim, value in (("name", name and name.strip()), ("birthdate", born)) if value}

    async def work(services: Services) -> Account:
        from idp.protocol import counter

        account = await the_one(services, who)
        if await counter.verify_nik(services, by, account, number, how=how, more=more) is not None:
            refuse("another account has this NIK verified; ask its owner to come to the counter")
        return account

    account = with_services(work)
    facts = {"number": account.number, "nik_verified": True, "warnings": list(number.warnings)}
    odd = f" It looks odd ({', '.join(number.warnings)}): compare with the paper once more." if number.warnings else ""
    show(facts, as_json=as_json, text=f"The NIK of account {account.number} is verified.{odd}")


@app.command()
def recover(
    who: Who, officer: By, reason: Why, unit: Unit = None, basis: Basis = "e", legal_ref: Ref = REFERENCE, as_json: Json = False
) -> None:
    """Print a slip for somebody who lost everything. Check KTP-el, or KK with a relative, before. Old channels are told at once."""
    by = officer_of(officer, reason, unit, basis, legal_ref)

    async def work(services: Services) -> Slip:
        from idp.protocol import counter

        return await counter.print_slip(services, by, await the_one(services, who))

    slip = with_services(work)
    show(_slip(slip), as_json=as_json, text=lambda: _slip_text(slip))


def _slip(slip: Slip) -> dict[str, Any]:
    return {"number": slip.number, "code": slip.code, "until": slip.until}


def _slip_text(slip: Slip) -> str:
    from idp.pages.formats import Formats

    return (
        f"Nomor akun: {slip.number}\nKode slip:  {slip.code[:5]} {slip.code[5:]}\n"
        f"Berlaku sampai {Formats('id').clock(slip.until)} WITA, satu kali, di halaman /recover/slip."
    )


def _switched(verb: Literal["lock", "unlock"], who: str, by: Officer, *, as_json: bool) -> None:
    async def work(services: Services) -> Account:
        from idp.protocol import counter

        account = await the_one(services, who)
        done = await (counter.lock if verb == "lock" else counter.unlock)(services, by, account)
        return account if done else refuse("this account is closed for good")

    account = with_services(work)
    state = "locked" if verb == "lock" else "active"
    show({"number": account.number, "state": state}, as_json=as_json, text=f"Account {account.number} is {state}.")


@app.command()
def lock(
    who: Who, officer: By, reason: Why, unit: Unit = None, basis: Basis = "e", legal_ref: Ref = REFERENCE, as_json: Json = False
) -> None:
    """Lock an account: its sessions and all that stands on them end now."""
    _switched("lock", who, officer_of(officer, reason, unit, basis, legal_ref), as_json=as_json)


@app.command()
def unlock(
    who: Who, officer: By, reason: Why, unit: Unit = None, basis: Basis = "e", legal_ref: Ref = REFERENCE, as_json: Json = False
) -> None:
    """Let a locked account be used again."""
    _switched("unlock", who, officer_of(officer, reason, unit, basis, legal_ref), as_json=as_json)


@app.command()
def erase(
    who: Who,
    officer: By,
    reason: Why,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it cannot be undone.")] = False,
    unit: Unit = None,
    as_json: Json = False,
) -> None:
    """Erase an account for good: its keys, then everything they opened, in backups too. The access log keeps its proofs."""
    by = officer_of(officer, reason, unit, "e", REFERENCE)
    if not yes and not typer.confirm("This cannot be undone. Erase?"):
        refuse("nothing was erased")

    async def work(services: Services) -> tuple[str, int, dt.datetime]:
        from idp.protocol import counter, erasure

        account = await the_one(services, who)
        return account.number, await counter.erase(services, by, account), await erasure.backups_die(services)

    number, line, until = with_services(work)
    told = f"Account {number} is erased (line {line} of the journal). Older backups become unreadable by {until:%Y-%m-%d} at the latest."
    show({"number": number, "journal_line": line, "backups_unreadable_by": until}, as_json=as_json, text=told)


@app.command("replay-erasures")
def replay_erasures(as_json: Json = False) -> None:
    """After a restore from a backup: erase again whom the erasure journal names."""

    async def work(services: Services) -> int:
        from idp.protocol import erasure

        return await erasure.replay(services)

    again = with_services(work)
    show({"erased_again": again}, as_json=as_json, text=f"{again} erasures were replayed; every store is at the journal's end.")
