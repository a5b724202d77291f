"""Fills an empty provider with the agencies, purposes, applications and people of the demonstration. Safe to repeat."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pyotp

from idp.accounts.records import Identifier, IdentifierKind, Source, Taken, Value
from idp.clients.records import Agency
from idp.demo.applications import APPLICATIONS
from idp.demo.people import EVERYBODY
from idp.spec import client_metadata

if TYPE_CHECKING:
    from idp.accounts.records import Account
    from idp.clients.records import Client
    from idp.demo.applications import Application
    from idp.demo.derived import DemoKey
    from idp.demo.people import SamplePerson
    from idp.protocol.services import Services

PURPOSES = Path(__file__).parent / "purposes"
OFFICER = "Petugas contoh"
LONG_AGO = dt.timedelta(minutes=10)


async def seed(services: Services, key: DemoKey, port: int) -> None:
    """Add what is missing."""
    for file in sorted(PURPOSES.glob("*.toml")):
        await services.consent.purposes.add(file.read_text(encoding="utf-8"))
    for application in APPLICATIONS:
        await _register(services, application, key.token(f"client/{application.client_id}"), application.base_url(port))
    for person in EVERYBODY:
        await _enrol(services, person, key)


async def _register(services: Services, application: Application, secret: str, base_url: str) -> None:
    agency = Agency(application.agency, {"id": application.agency_name, "en": application.agency_in_english}, application.unit, None)
    await services.clients.put_agency(agency, services.clock())
    known = await services.clients.get(application.client_id)
    if known is not None and _stands(known, base_url):
        return
    if known is not None:
        await services.clients.remove(application.client_id)
    await services.clients.add(_metadata(application, base_url), agency, services.clock(), secret=secret)


def _stands(client: Client, base_url: str) -> bool:
    return client.redirect_uris == (f"{base_url}/callback",)


def _metadata(application: Application, base_url: str) -> client_metadata.ClientMetadata:
    read = client_metadata.read(
        {
            "client_id": application.client_id,
            "client_name": application.name,
            "redirect_uris": [f"{base_url}/callback"],
            "post_logout_redirect_uris": [f"{base_url}/selesai"],
            "scope": application.scope,
            "purposes": [application.purpose],
            "default_purpose": application.purpose,
            "client_uri": base_url,
        }
    )
    if isinstance(read, tuple):
        raise ValueError("; ".join(str(problem) for problem in read))  # noqa: TRY004 - a refused registration, not a wrong type
    return read


async def _enrol(services: Services, person: SamplePerson, key: DemoKey) -> None:
    known = await services.accounts.find(Identifier(IdentifierKind.EMAIL, person.email))
    account = known[0] if known else await _open_account(services, person, key)
    if person.role:
        await services.staff.appoint(account.person, person.role, services.clock(), by=OFFICER, agency=person.agency, unit=person.unit)


async def _open_account(services: Services, person: SamplePerson, key: DemoKey) -> Account:
    now = services.clock()
    hashed = await services.keyring.passwords.hash(key.password(person.key))
    created = await services.accounts.create(values=_values(person), now=now, password_hash=hashed)
    if isinstance(created, Taken):
        raise ValueError(f"another account has the {created.kind} of {person.key}")  # noqa: TRY004 - a refused account, not a wrong type
    if person.totp:
        await _give_totp(services, created.person, key.totp_secret(person.key), now)
    return created


def _values(person: SamplePerson) -> list[Value]:
    """Seal what an officer checked as verified; e-mail and phone are proven by everybody, for they sign people in."""
    values = []
    for claim, value in person.claims().items():
        proven = claim in {"email", "phone_number"}
        checked = person.verified and claim in {"name", "nik", "birthdate", "gender", "address"}
        values.append(
            Value(claim, value, Source.VERIFIED, verified_by=None if proven else OFFICER, verified_how="code" if proven else "ktp-el")
            if proven or checked
            else Value(claim, value)
        )
    return values


async def _give_totp(services: Services, person: str, secret: str, now: dt.datetime) -> None:
    """Enrol as if some minutes ago, so that the code shown now is not used up."""
    then = now - LONG_AGO
    await services.accounts.factors.propose_totp(person, then, secret)
    await services.accounts.factors.confirm_totp(person, pyotp.TOTP(secret).at(then), then)
