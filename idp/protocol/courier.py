"""The courier: messages to people, by mail, SMS or WhatsApp.

A message is an errand of the outbox: sealed until it is delivered, retried when a carrier fails. An address is opened by the door
`to_courier` at the moment of delivery and never earlier. Subjects hold no personal value; SMS and WhatsApp carry a code or a
sentence and never a link, so that people learn to distrust links. A decoy is an errand without a recipient: unknown people cost the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import structlog

from idp.accounts.records import IdentifierKind
from idp.pages.texts import catalogue
from keys.database import require_no_connection

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from consent.disclosure import Disclosure
    from idp.accounts.store import AccountStore
    from idp.events.outbox.records import Errand
    from idp.events.store import EventStore

Channel = Literal["mail", "sms", "whatsapp"]
TOPIC = "message"

_log = structlog.get_logger()
_CLAIM: dict[str, str] = {"mail": "email", "sms": "phone_number", "whatsapp": "phone_number"}

_CHOICE = {IdentifierKind.EMAIL: "mail", IdentifierKind.PHONE: "phone"}


class Undelivered(Exception):
    """A carrier did not take a message; it is tried again later. Holds no address and no text."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way: plain text, no links."""

    id: str
    channel: Channel
    address: str
    subject: str
    text: str
    at: dt.datetime


class Carrier(Protocol):
    """What takes a message to its channel (`idp.protocol.carriers`)."""

    async def carry(self, message: Message) -> None:
        """Hand the message over. Raises: Undelivered."""
        ...


class Courier:
    """Writes messages into the outbox, and delivers them from there."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        events: EventStore,
        disclosure: Disclosure,
        carriers: Mapping[Channel, Carrier],
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._accounts = accounts
        self._outbox = events.outbox
        self._disclosure = disclosure
        self._carriers = carriers
        self._clock = clock

    async def send(
        self,
        person: str | None,
        template: str,
        channel: Channel,
        language: str,
        values: Mapping[str, str | int],
        *,
        address: str | None = None,
    ) -> None:
        """Put a message into the outbox.

        `template` names texts `courier.<template>.subject` and `.text`. `address` is for people without an account; without
        a person and an address the message is a decoy.
        """
        payload = {"template": template, "channel": channel, "language": language, "values": dict(values), "address": address}
        await self._outbox.add(TOPIC, payload, self._clock(), person=person)

    async def tell(self, person: str, template: str, values: Mapping[str, str | int] | None = None, *, by: str = "all") -> None:
        """Tell a person over every verified channel that something happened to the account.

        `by`: "mail" or "phone" where the person chose one for this; what was chosen and is no longer there holds nothing back.
        """
        account = await self._accounts.get(person)
        if account is None:
            return
        kinds = [kind for kind in sorted(await self._accounts.verified_kinds(person)) if kind in _CHOICE]
        for kind in [kind for kind in kinds if by in ("all", _CHOICE[kind])] or kinds:
            await self.send(person, template, channel_for(kind, account.phone_channel), account.locale, values or {})

    async def tell_now(self, person: str, template: str) -> None:
        """Tell every verified channel as it is addressed at this moment: afterwards the addresses are others."""
        account = await self._accounts.get(person)
        if account is None:
            return
        for kind in sorted(await self._accounts.verified_kinds(person)):
            if kind in (IdentifierKind.EMAIL, IdentifierKind.PHONE):
                channel = channel_for(kind, account.phone_channel)
                await self.send(None, template, channel, account.locale, {}, address=await self._address(person, channel))

    async def deliver(self, errand: Errand) -> None:
        """Deliver one errand. Raises: Undelivered."""
        payload = errand.payload
        address = payload["address"] or await self._address(errand.person, payload["channel"])
        if address is None:  # a decoy, or a person who was erased meanwhile
            return
        texts = catalogue(payload["language"])
        name = f"courier.{payload['template']}"
        message = Message(
            id=errand.id,
            channel=payload["channel"],
            address=address,
            subject=texts.text(f"{name}.subject"),
            text=texts.text(f"{name}.text", **payload["values"]),
            at=self._clock(),
        )
        require_no_connection("the network")
        await self._carriers[message.channel].carry(message)
        _log.info("message_delivered", channel=message.channel, template=payload["template"])

    async def _address(self, person: str | None, channel: str) -> str | None:
        if person is None:
            return None
        sealed = await self._accounts.sealed(person, [_CLAIM[channel]])
        return await self._disclosure.to_courier(person, sealed[0]) if sealed else None


def channel_for(kind: IdentifierKind, phone_channel: str | None) -> Channel:
    """Say how messages to an address travel: mail, or what the citizen chose for the telephone."""
    if kind is IdentifierKind.EMAIL:
        return "mail"
    return "whatsapp" if phone_channel == "whatsapp" else "sms"
