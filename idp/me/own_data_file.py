"""law.md R15 (UU 27/2022 Art. 13): what is kept about a citizen as a JSON object, `gerbang-data/v1` (docs/own-data.md). Pure.

OIDC Core §5.1 names the members of `claims`; times are RFC 3339 in UTC; what is not there is null or an empty list.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from consent.purposes.vocabulary import COMPANIONS
from idp.me.own_data import PASSKEY_NAME
from idp.protocol.complaints import ANSWER, TEXT
from idp.protocol.release import shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from consent.records import GrantEvent, SealedValue
    from idp.complaints.records import Complaint
    from idp.me.own_data import Kept, Permission, SignIn
    from idp.sessions.records import Session
    from idp.staff.records import Member

FORMAT: Final = "gerbang-data/v1"
_APART: Final = frozenset({PASSKEY_NAME, TEXT, ANSWER})


@dataclass(frozen=True, slots=True)
class Issued:
    """Who made the file, and when."""

    issuer: str
    operator: str
    dpo_contact: str
    at: dt.datetime


def write(content: Mapping[str, Any]) -> bytes:
    """Write the object in UTF-8, laid out for people."""
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def content_of(kept: Kept, opened: Sequence[str], issued: Issued) -> dict[str, Any]:
    """Give the object. `opened`: the value of each of `kept.cells`, in its place."""
    pairs = list(zip(kept.cells, opened, strict=True))
    own = [(cell, value) for cell, value in pairs if cell.claim not in _APART]
    return {
        "format": FORMAT,
        "issuer": issued.issuer,
        "operator": issued.operator,
        "data_protection_officer": issued.dpo_contact,
        "made_at": _time(issued.at),
        "claims": _claims(own),
        "values": [_value(cell, kept) for cell, _ in own],
        "account": _account(kept),
        "sign_in": _sign_in(kept.sign_in, iter([value for cell, value in pairs if cell.claim == PASSKEY_NAME])),
        "permissions": [_permission(one, kept) for one in kept.permissions],
        "access": [
            {
                "service": kept.services.get(one.client, one.client),
                "purpose": one.purpose,
                "lasting": one.offline,
                "since": _time(one.created_at),
                "until": _time(one.ends_at),
            }
            for one in kept.access
        ],
        "waiting": [
            {
                "kind": one.kind.value,
                "service": kept.services.get(one.client_id, one.client_id),
                "since": _time(one.created_at),
                "until": _time(one.expires_at),
            }
            for one in kept.waiting
        ],
        "complaints": _complaints(kept.complaints, pairs),
        "wishes": {"told_by": kept.wishes.channel, "monthly_letter": kept.wishes.digest, "frozen_at": _time(kept.frozen_at)},
        "staff": _staff(kept.member),
        "history": {"entries": kept.entries, "file": f"{issued.issuer}/me/history/file"},
    }


def _claims(own: Sequence[tuple[SealedValue, str]]) -> dict[str, Any]:
    values = {cell.claim: value for cell, value in own}
    return shape(values, [cell for cell, _ in own], frozenset({*values, *COMPANIONS, "updated_at"}))


def _value(cell: SealedValue, kept: Kept) -> dict[str, Any]:
    check = kept.checks.get(cell.claim)
    return {
        "claim": cell.claim,
        "source": cell.source,
        "checked_by": check.by if check else None,
        "checked_how": check.how if check else None,
        "checked_at": _time(check.at if check else None),
        "changed_at": _time(cell.updated_at),
    }


def _account(kept: Kept) -> dict[str, Any]:
    account = kept.account
    return {
        "number": account.number,
        "created_at": _time(account.created_at),
        "last_used_at": _time(account.last_used_at),
        "locale": account.locale,
        "phone_channel": account.phone_channel,
        "under_18": account.minor,
        "nik_paused_until": _time(account.nik_paused_until),
    }


def _sign_in(sign_in: SignIn, names: Iterator[str]) -> dict[str, Any]:
    card = sign_in.card
    return {
        "authenticator_app_since": _time(sign_in.app_since),
        "code_card": {"made_at": _time(card.created_at), "codes_left": card.left} if card else None,
        "passkeys": [
            {"name": next(names), "added_at": _time(one.created_at), "last_used_at": _time(one.last_used_at), "synced": one.synced}
            for one in sign_in.passkeys
        ],
        "linked": [{"with": one.upstream, "since": _time(one.linked_at)} for one in sign_in.links],
        "known_devices": [{"last_seen": _time(at)} for at in sign_in.devices],
        "sessions": [_session(one) for one in sign_in.sessions],
        "events": [{"kind": one.kind.value, "at": _time(one.at)} for one in sign_in.events],
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "device": session.label,
        "since": _time(session.created_at),
        "last_seen": _time(session.last_seen),
        "acr": session.acr,
        "amr": [*session.amr],
        "remembered": session.remembered,
    }


def _permission(permission: Permission, kept: Kept) -> dict[str, Any]:
    grant, purpose = permission.grant, permission.purpose
    return {
        "id": grant.id,
        "client_id": grant.client,
        "service": grant.client_name,
        "agency": grant.agency,
        "agency_name": dict(kept.agencies.get(grant.agency, {})),
        "purpose": {"id": grant.purpose, "version": grant.purpose_version, "title": dict(purpose.title) if purpose else {}},
        "lawful_basis": grant.basis.value,
        "legal_ref": purpose.legal_ref if purpose else None,
        "state": grant.state.value,
        "asked": sorted(grant.offered),
        "allowed": sorted(grant.claims),
        "given_at": _time(grant.given_at),
        "expires_at": _time(grant.expires_at),
        "events": [_event(one) for one in permission.events],
        "receipt": permission.receipt,
    }


def _event(event: GrantEvent) -> dict[str, Any]:
    by = dict(event.actor) if event.actor else {"type": "citizen"}
    return {"kind": event.kind.value, "at": _time(event.occurred), "claims": sorted(event.claims), "by": by, "text_hash": event.text_hash}


def _complaints(complaints: Sequence[Complaint], pairs: Sequence[tuple[SealedValue, str]]) -> list[dict[str, Any]]:
    said = {(cell.binding.row, cell.claim): value for cell, value in pairs if cell.claim in {TEXT, ANSWER}}
    return [_complaint(one, json.loads(said[one.id, TEXT]), said.get((one.id, ANSWER))) for one in complaints]


def _complaint(complaint: Complaint, words: Mapping[str, Any], answer: str | None) -> dict[str, Any]:
    return {
        "number": complaint.number,
        "entry": {"id": complaint.entry_id, "index": words["index"]},
        "agency": complaint.agency,
        "state": complaint.state.value,
        "received_at": _time(complaint.created_at),
        "due_at": _time(complaint.due_at),
        "text": words["text"],
        "answer": answer,
        "answered_at": _time(complaint.answered_at),
        "answered_by": complaint.answered_by,
        "escalated_at": _time(complaint.escalated_at),
    }


def _staff(member: Member | None) -> dict[str, Any] | None:
    if member is None:
        return None
    roles = [
        {"role": one.role.value, "agency": one.agency, "unit": one.unit, "since": _time(one.since), "by": one.by}
        for one in member.appointments
    ]
    return {"pseudonym": member.pseudonym, "roles": roles}


def _time(moment: dt.datetime | None) -> str | None:
    """RFC 3339 §5.6, in UTC, to the second."""
    return None if moment is None else moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
