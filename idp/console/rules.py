"""ui.md "approvals by two people", UU 27/2022 Art. 31: who may propose and decide what, and how it is put on record. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from idp.proposals.records import ProposalKind
from idp.staff.records import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.proposals.records import Proposal

LEAST_REASON: Final = 10
LONGEST_REASON: Final = 300
PROPOSERS: Final[Mapping[ProposalKind, tuple[Role, ...]]] = {
    ProposalKind.UNSEAL: (Role.AUDITOR, Role.DPO),
    ProposalKind.PURPOSE: (Role.ADMINISTRATOR,),
    ProposalKind.OPENINGS: (Role.AUDITOR,),
    ProposalKind.DELAY: (Role.DPO,),
}
RECENT: Final = dt.timedelta(minutes=30)
"""How old the sign-in of whoever proposes or decides may be."""
EVERYBODY: Final = (Role.AUDITOR, Role.DPO, Role.ADMINISTRATOR)
"""Who may open these pages, and decide what another proposed."""

_PSEUDONYM: Final = re.compile(r"P-\d{8}")
_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_LAW: Final = re.compile(r"[\w][\w ./(),-]{2,79}")
FIELDS: Final[Mapping[ProposalKind, Mapping[str, re.Pattern[str]]]] = {
    ProposalKind.UNSEAL: {"pseudonym": _PSEUDONYM, "law": _LAW},
    ProposalKind.PURPOSE: {"client": _NAME, "purpose": _NAME},
}


def subject(kind: ProposalKind, fields: Mapping[str, str]) -> Mapping[str, str] | frozenset[str]:
    """Read what a proposal is about; or name the fields that are wrong."""
    read = {name: fields.get(name, "").strip() for name in FIELDS[kind]}
    wrong = frozenset(name for name, form in FIELDS[kind].items() if not form.fullmatch(read[name]))
    return wrong or read


def reason_of(text: str) -> str | None:
    """Give a reason in one line; None when it is too short to be one, or too long to be read."""
    reason = " ".join(text.split())
    return reason if LEAST_REASON <= len(reason) <= LONGEST_REASON else None


def on_record(did: str, proposal: Proposal | None, kind: ProposalKind, about: Mapping[str, str], number: str) -> str:
    """Give the words of an entry: what was done about which proposal, and who had proposed it."""
    words = "; ".join(f"{name}={value}" for name, value in about.items() if name not in {"key", "chain"} and value)
    whose = f"; proposed by {proposal.by}" if proposal else ""
    return f"[{did} {kind} {number}: {words}{whose}]"


def barred(proposal: Proposal, pseudonym: str) -> bool:
    """Tell whether somebody may not decide: who proposed it, and whose own name it is about."""
    return pseudonym in {proposal.by, proposal.subject.get("pseudonym")}


def may_refuse(proposal: Proposal, pseudonym: str) -> bool:
    """Tell whether somebody may say no: whose own name it is may not; the proposer may, which takes it back."""
    return pseudonym == proposal.by or not barred(proposal, pseudonym)
