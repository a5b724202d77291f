"""What proposals do once two people wanted them: telling the name behind a pseudonym, approving a purpose."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from consent.disclosure import StaffRead, Withheld
from consent.errors import LogUnavailable
from idp.clients.description import OURS, document_of
from idp.console import delaying, opening, rules
from idp.proposals.records import ProposalKind
from idp.protocol import registrations
from idp.spec import client_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idp.clients.records import Client
    from idp.proposals.records import Proposal
    from idp.protocol.services import Services
    from idp.protocol.staff import OnDuty


async def offered(found: Services, kind: ProposalKind) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Give what a proposal may be about: (value, words) by field."""
    if kind is ProposalKind.UNSEAL:
        return {}
    if kind is ProposalKind.OPENINGS:
        return {"client": await opening.applications(found)}
    if kind is ProposalKind.DELAY:
        return await delaying.offered(found)
    applications = [(one.id, f"{one.name} ({one.id})") for one in await found.clients.list() if one.self_registered]
    return {"client": applications, "purpose": [(one.id, one.title["id"]) for one in await found.consent.purposes.list()]}


async def about(found: Services, kind: ProposalKind, fields: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Read what a proposal is about, and that there is such a thing; or say by field which sentence tells what is wrong."""
    if kind is ProposalKind.OPENINGS:
        return await opening.about(found, fields)
    read = rules.subject(kind, fields)
    if isinstance(read, frozenset):
        return {}, dict.fromkeys(read, "staff.wrong.field")
    return read, {} if await possible(found, kind, read) else dict.fromkeys(list(read)[:1], "staff.wrong.refused")


async def possible(found: Services, kind: ProposalKind, about: Mapping[str, str]) -> bool:
    """Tell whether there is what a proposal is about."""
    if kind is ProposalKind.UNSEAL:
        member = await found.staff.by_pseudonym(about["pseudonym"])
        return member is not None and member.person is not None
    client = await found.clients.get(about["client"])
    return client is not None and client.self_registered and await found.consent.purposes.get(about["purpose"]) is not None


async def pinned(found: Services, kind: ProposalKind, about: Mapping[str, str]) -> Mapping[str, str]:
    """Give what a proposal is about with the registration as it stands now: an application changes it by itself whenever it likes."""
    client = await found.clients.get(about["client"]) if kind is ProposalKind.PURPOSE else None
    return about if client is None else {**about, "registration": _fingerprint(client)}


async def applicant(found: Services, proposal: Proposal) -> Client | None:
    """Give the application that a proposal is about: whoever decides must see its name and where it sends people."""
    return await found.clients.get(proposal.subject["client"]) if proposal.kind is ProposalKind.PURPOSE else None


def _fingerprint(client: Client) -> str:
    own = {name: value for name, value in document_of(client).items() if name not in OURS}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]


async def name_behind(found: Services, duty: OnDuty, proposal: Proposal) -> str:
    """Tell whose pseudonym it is; the look is an entry that the person named sees. Empty when the account was erased meanwhile.

    Raises: LogUnavailable, LogBusy (503: nothing was opened).
    """
    member = await found.staff.by_pseudonym(proposal.subject["pseudonym"])
    if member is None or member.person is None:
        return ""
    read = StaffRead(
        actor=duty.actor,
        person=member.person,
        claims=frozenset({"name"}),
        reason=f"{proposal.reason} [proposal {proposal.id}, confirmed by {proposal.decided_by}]",
        legal_basis="c",
        legal_ref=proposal.subject["law"],
        channel="audit",
        agency=duty.appointment.agency,
        acr=duty.session.acr,
    )
    seen = await found.consent.disclosure.to_staff(read, await found.accounts.sealed(member.person, ["name"]))
    if isinstance(seen, Withheld):
        raise LogUnavailable(seen.reason)
    return seen.values.get("name", "")


async def approve(found: Services, duty: OnDuty, proposal: Proposal) -> bool:
    """Let the application ask for the purpose; False when one of them is gone, or the registration is not what was proposed.

    Raises: LogUnavailable, LogBusy.
    """
    client = await found.clients.get(proposal.subject["client"])
    purpose = await found.consent.purposes.get(proposal.subject["purpose"])
    if client is None or purpose is None or proposal.subject.get("registration") != _fingerprint(client):
        return False
    metadata = client_metadata.read(document_of(client), implicit=found.settings.certification, needs_purpose=False)
    if isinstance(metadata, tuple):
        return False
    return await registrations.approve(found, client, metadata, purpose, duty.actor) is not None
