"""Sending a one-time code: limited, sealed in the outbox, and at the same cost whether somebody is there to get it or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.accounts.records import IdentifierKind
from idp.protocol.courier import Channel, channel_for
from idp.web import cookies
from idp.web.rate_limits import MINUTE, Wait
from idp.web.request_context import client_address, language

if TYPE_CHECKING:
    from starlette.requests import Request

    from idp.accounts.proofs.records import Purpose
    from idp.accounts.records import Account, Identifier
    from idp.protocol.services import Services


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a code goes to: an account's sealed address, an address typed just now, or (neither) nobody.

    `subject` is what the code proves; None makes a decoy that nothing proves. `notice` sends a sentence in place of the code.
    """

    channel: Channel = "mail"
    person: str | None = None
    address: str | None = None
    subject: str | None = None
    notice: str | None = None


async def allowed(request: Request, found: Services, counted: str, *, known: bool = False) -> Wait | None:
    """Count a code that is asked for. Returns how long to wait, when there were too many."""
    taken = await found.limits.message(counted, address=client_address(request), browser=cookies.ensure_browser(request), known=known)
    return taken if isinstance(taken, Wait) else None


async def send(request: Request, found: Services, purpose: Purpose, template: str, recipient: Recipient) -> str:
    """Make a code, put it into the outbox, and return the id under which it can be tried in this browser."""
    lifetime = found.settings.mailed_code_lifetime
    proof = await found.accounts.proofs.issue(
        purpose, recipient.subject, found.clock(), lifetime=lifetime, browser=cookies.ensure_browser(request)
    )
    values: dict[str, str | int] = {} if recipient.notice else {"code": proof.code, "minutes": max(1, lifetime // MINUTE)}
    await found.courier.send(
        recipient.person, recipient.notice or template, recipient.channel, language(request), values, address=recipient.address
    )
    return proof.id


def to_address(identifier: Identifier, channel: str | None, *, subject: str | None, notice: str | None = None) -> Recipient:
    """Address somebody by what was typed."""
    return Recipient(channel_for(identifier.kind, channel), address=identifier.value, subject=subject, notice=notice)


async def to_account(found: Services, account: Account, *, subject: str | None, phone_too: bool = True) -> Recipient:
    """Address an account by its verified e-mail, else its telephone; nobody, when there is neither.

    `phone_too`: whether a telephone number alone may do.
    """
    kinds = await found.accounts.verified_kinds(account.person)
    if IdentifierKind.EMAIL in kinds:
        return Recipient("mail", person=account.person, subject=subject)
    if IdentifierKind.PHONE in kinds and phone_too:
        return Recipient(channel_for(IdentifierKind.PHONE, account.phone_channel), person=account.person, subject=subject)
    return Recipient()
