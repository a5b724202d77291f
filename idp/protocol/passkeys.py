"""Asking a device for its key, and checking what it answers: what sign-in and the page of safety share.

A challenge is bound to a browser and to a purpose, and counts once, whatever the check says. Nobody who races or repeats gets two.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from idp.protocol.services import services
from idp.spec import webauthn
from idp.web import cookies
from keys import passkeys as devices
from keys.passkeys import Ceremony, PasskeyRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from idp.accounts.passkeys.records import Passkey
    from idp.protocol.services import Services
    from keys.passkeys import Presented, Registered

_log = structlog.get_logger()
_EMPTY: Final = "no answer"


@dataclass(frozen=True, slots=True)
class Failed:
    """A refusal. `expired`: the page was open too long, or its answer was sent before; `reason` is a word of ours, for the log."""

    reason: str
    expired: bool = False


async def creation_options(request: Request, purpose: str, person: str, number: str) -> str:
    """Write what a page asks a device to make a key from (JSON); a challenge of its own goes with it."""
    found = services(request)
    made = webauthn.creation(
        found.settings.issuer,
        challenge=await _challenge(request, purpose),
        algorithms=devices.ALGORITHMS,
        handle=handle(found, person),
        number=number,
        known=await found.accounts.passkeys.of_person(person),
    )
    return json.dumps(made)


async def request_options(request: Request, purpose: str, allowed: Sequence[Passkey]) -> str:
    """Write what a page asks a device to sign (JSON); none allowed by name: whatever it has for us."""
    issuer = services(request).settings.issuer
    return json.dumps(webauthn.request(issuer, challenge=await _challenge(request, purpose), allowed=allowed))


async def registered(request: Request, answer: str, purpose: str) -> Registered | Failed:
    """Check a new key."""
    shown = await _taken(request, answer, purpose)
    if isinstance(shown, Failed):
        return shown
    try:
        return await asyncio.to_thread(devices.registered, answer, _ceremony(request, shown))
    except PasskeyRefused as refused:
        return _refused(refused.reason)


async def proven(request: Request, answer: str, purpose: str, *, person: str | None = None, synced_too: bool = True) -> Passkey | Failed:
    """Check an answer, and note its use: the passkey that signed it, of `person` where one is meant.

    WebAuthn §7.2: the credential is known (step 6) and its owner's, by the user handle where there is one; without a known person there
    must be one. The flag BE never changes (step 19), and a counter only grows (step 22).
    """
    found = services(request)
    shown = await _taken(request, answer, purpose)
    if isinstance(shown, Failed):
        return shown
    passkey = await found.accounts.passkeys.find(shown.credential)
    if passkey is None or not _owned(found, passkey, shown, person):
        return _refused("unknown credential")
    try:
        signed = await asyncio.to_thread(devices.asserted, answer, _ceremony(request, shown), passkey.public_key)
    except PasskeyRefused as refused:
        return _refused(refused.reason)
    if signed.synced != passkey.synced or (passkey.synced and not synced_too):
        return _refused("synced")
    if not await found.accounts.passkeys.used(passkey.id, signed.sign_count, found.clock()):
        return _refused("counter went back")
    return passkey


def handle(found: Services, person: str) -> bytes:
    """Give the name under which devices keep a person's keys: a keyed digest, so that it tells nothing of ours."""
    digest: bytes = found.keyring.digests.digest("passkey-user", person)
    return digest


async def names(found: Services, passkeys: Sequence[Passkey]) -> dict[str, str]:
    """Open what a person calls their keys, for that person's own page; by the key's id."""
    if not passkeys:
        return {}
    person = passkeys[0].person
    sealed = await found.accounts.sealed(person, [one.label_claim for one in passkeys])
    opened: dict[str, Any] = await found.consent.disclosure.to_self(person, sealed)
    return {one.id: opened.get(one.label_claim, "") for one in passkeys}


def _owned(found: Services, passkey: Passkey, shown: Presented, person: str | None) -> bool:
    named = shown.user_handle
    if named is None:
        return passkey.person == person
    return named == handle(found, passkey.person) and person in {None, passkey.person}


async def _challenge(request: Request, purpose: str) -> str:
    found = services(request)
    return await found.accounts.passkeys.challenge(purpose, cookies.ensure_browser(request), found.clock())


async def _taken(request: Request, answer: str, purpose: str) -> Presented | Failed:
    """Use up the challenge that an answer names, if it was given to this browser for this purpose."""
    found = services(request)
    try:
        shown = devices.presented(answer)
    except PasskeyRefused as refused:
        return _refused(refused.reason if answer else _EMPTY)
    challenge = webauthn.encoded(shown.challenge)
    if not await found.accounts.passkeys.take(challenge, purpose, cookies.browser(request) or "", found.clock()):
        return Failed("challenge", expired=True)
    return shown


def _ceremony(request: Request, shown: Presented) -> Ceremony:
    settings = services(request).settings
    return Ceremony(shown.challenge, settings.origin, webauthn.rp_id(settings.issuer))


def _refused(reason: str) -> Failed:
    _log.info("passkey_refused", reason=reason)
    return Failed(reason)
