"""The options that `idp accounts` reads: who acts and why, and what a paper or another system says."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from idp.cli.terminal import Exit, refuse

if TYPE_CHECKING:
    from idp.accounts.nik import Nik
    from idp.accounts.records import Account, Value
    from idp.protocol.counter import Officer
    from idp.protocol.services import Services

Who = Annotated[
    str, typer.Argument(help="Account number, e-mail, telephone, verified NIK, or the log's id; - reads it from standard input.")
]
By = Annotated[str, typer.Option("--officer", help="Who acts, as the log shall name it.")]
Why = Annotated[str, typer.Option("--reason", help="Why; the citizen reads it.")]
Unit = Annotated[str | None, typer.Option(help="The officer's unit.")]
Basis = Annotated[Literal["a", "b", "c", "d", "e", "f"], typer.Option(help="Lawful basis, UU PDP Art. 20(2).")]
Ref = Annotated[str, typer.Option("--legal-ref", help="The rule that the look rests on.")]
REFERENCE = "UU 25/2009"


async def the_one(services: Services, who: str) -> Account:
    """Give the account that somebody named. Refuses none, several, and erased ones."""
    from idp.protocol import counter

    typed = sys.stdin.readline().strip() if who == "-" else who
    accounts = await counter.find(services, typed)
    if not accounts:
        refuse("no account has this number or verified identifier")
    if len(accounts) > 1:
        refuse(f"{len(accounts)} accounts share this telephone; name one by its account number: {', '.join(a.number for a in accounts)}")
    if accounts[0].state == "closed":
        refuse("this account was erased: nothing of it is left to show or change")
    return accounts[0]


def officer_of(name: str, reason: str, unit: str | None, basis: str, reference: str) -> Officer:
    """Give the officer who acts. Refuses empty names and reasons."""
    from idp.protocol.counter import Officer

    if not name.strip() or not reason.strip():
        refuse("--officer and --reason must not be empty: the citizen reads who looked, and why", Exit.USAGE)
    return Officer(name.strip(), reason.strip(), unit=unit, legal_basis=basis, legal_ref=reference)


def importable_hash(password_hash: str | None) -> str | None:
    """Give a hash that can be checked here, or None. Refuses others."""
    from keys.passwords import importable

    if password_hash is not None and not importable(password_hash):
        refuse(
            "--password-hash must be an argon2id hash like $argon2id$v=19$m=19456,t=2,p=1$…$… (at most 256 MiB and 16 passes), "
            "bcrypt ($2b$12$…, cost 4 to 14), or PBKDF2 as Django or Passlib write it (1,000 to 2,000,000 iterations)",
            Exit.USAGE,
        )
    return password_hash


def values_of(name: str, email: str | None, phone: str | None, birthdate: str | None) -> list[Value]:
    """Give what an officer vouches for: addresses as proven at the counter."""
    from idp.accounts import identifiers, names
    from idp.accounts.records import Source, Value

    given = names.normalise(name) or refuse("--name must be 1 to 120 letters", Exit.USAGE)
    values = [Value("name", given)]
    if birthdate:
        values.append(Value("birthdate", date_of(birthdate)))
    for option, claim, typed, read in (
        ("--email", "email", email, identifiers.email),
        ("--phone", "phone_number", phone, identifiers.phone),
    ):
        if typed:
            value = read(typed) or refuse(f"{option} is not one that can be reached: check it", Exit.USAGE)
            values.append(Value(claim, value, Source.VERIFIED, "counter", "shown"))
    return values


def date_of(text: str) -> str:
    """Give a date as it is kept. Refuses what is none."""
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        refuse("--birthdate must be a date like 1990-08-17", Exit.USAGE)


def nik_of(text: str, birthdate: str | None) -> Nik:
    """Give the NIK as read from a paper. Refuses what cannot be one."""
    from idp.accounts import nik

    read = nik.parse(text, dt.date.fromisoformat(birthdate) if birthdate else None)
    if isinstance(read, nik.NikRefused):
        reasons = {"length": "a NIK has 16 digits", "digits": "a NIK has digits only", "serial": "the last four digits cannot be 0000"}
        refuse(f"{reasons[read.reason]}; check the paper", Exit.USAGE)
    return read
