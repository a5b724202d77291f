"""RFC 8936 §2.2, SSF 1.0 §8.1.4: what a receiver asks for. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 100
MAX_ACKNOWLEDGED: Final = 1000
MAX_STATE: Final = 512
_ERROR: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,60}")


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll: how many events at most, whether to wait for one, which were taken, and which were refused with what error."""

    most: int
    wait: bool
    taken: tuple[str, ...]
    refused: Mapping[str, str]


def read_poll(document: object) -> Poll | str:
    """Read the JSON of a poll; the answer is the poll, or what is wrong with it.

    §2.2: "maxEvents […] A value of 0 MAY be used by SET Recipients that would like to perform an acknowledge-only request"; without it the
    transmitter decides. "returnImmediately: […] If […] not present or set to false, the SET Transmitter […] MAY wait".
    """
    if not isinstance(document, dict):
        return "The body must be a JSON object."
    most = document.get("maxEvents", MOST)
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        return "maxEvents must be a number that is not negative."
    at_once = document.get("returnImmediately", False)
    if not isinstance(at_once, bool):
        return "returnImmediately must be true or false."
    taken, refused = document.get("ack", []), _refused(document.get("setErrs", {}))
    if not isinstance(taken, list) or not all(isinstance(jti, str) for jti in taken) or len(taken) > MAX_ACKNOWLEDGED:
        return f"ack must be a list of at most {MAX_ACKNOWLEDGED} values of jti."
    if refused is None:
        return 'setErrs must be an object of at most 1000 members: jti to {"err": code, "description": text}.'
    return Poll(min(most, MOST), wait=not at_once and most > 0, taken=tuple(dict.fromkeys(taken)), refused=refused)


def _refused(value: object) -> Mapping[str, str] | None:
    """Keep the error codes (RFC 8935 §2.4); a description is the receiver's own words, of which none is kept."""
    if not isinstance(value, dict) or len(value) > MAX_ACKNOWLEDGED:
        return None
    errors = {jti: error.get("err") for jti, error in value.items() if isinstance(error, dict)}
    if len(errors) != len(value):
        return None
    return {jti: error if isinstance(error, str) and _ERROR.fullmatch(error) else "unknown" for jti, error in errors.items()}


@dataclass(frozen=True, slots=True)
class Verification:
    """A request to try a stream; `state` comes back in the event."""

    stream: str
    state: str | None


def read_verification(document: object) -> Verification | str:
    """Read the JSON of a verification request; the answer is the request, or what is wrong with it."""
    if not isinstance(document, dict) or not isinstance(document.get("stream_id"), str):
        return "The body must be a JSON object with stream_id: your client_id."
    state = document.get("state")
    if state is not None and (not isinstance(state, str) or len(state) > MAX_STATE):
        return f"state must be a text of at most {MAX_STATE} characters."
    return Verification(document["stream_id"], state)
