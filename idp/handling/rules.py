"""law.md R16: who may answer which complaint. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.complaints.records import LONGEST, ComplaintState
from idp.staff.records import Role

if TYPE_CHECKING:
    from idp.complaints.records import Complaint
    from idp.staff.records import Appointment

LEAST_REASON, LONGEST_REASON = 10, 300
LEAST_ANSWER: Final = 10


def may_handle(appointment: Appointment, complaint: Complaint) -> bool:
    """Say whether a complaint is theirs to open: the data protection officer's always, an officer's while it is with their agency."""
    if appointment.role is Role.DPO:
        return True
    theirs = appointment.agency is not None and appointment.agency == complaint.agency
    return appointment.role is Role.OFFICER and theirs and complaint.state is not ComplaintState.ESCALATED


def reason_of(typed: str) -> str | None:
    """Give a reason in one line, None when it is none."""
    reason = " ".join(typed.split())
    return reason if LEAST_REASON <= len(reason) <= LONGEST_REASON else None


def answer_of(typed: str) -> str | None:
    """Give an answer, None when it is too short or too long."""
    text = typed.replace("\r\n", "\n").strip()
    printable = all(letter.isprintable() or letter in "\n\t" for letter in text)
    return text if printable and LEAST_ANSWER <= len(text) <= LONGEST else None
