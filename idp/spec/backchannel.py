"""CIBA Core 1.0 §7.1, §7.2, §13: an authentication request that names its citizen. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from idp.spec.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

GRANT_TYPE: Final = "urn:openid:params:grant-type:ciba"
DELIVERY_MODE: Final = "poll"
LONGEST_MESSAGE: Final = 80
"""What fits on an old telephone beside the question. §7.1 asks for a message "relatively short and in plain text"."""
_HINTS: Final = ("login_hint", "login_hint_token", "id_token_hint")
_PLAIN: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Pd", "Po", "Ps", "Pe", "Zs", "Sc", "Sm"})


@dataclass(frozen=True, slots=True)
class BackchannelRequest:
    """Whom an application asks to sign in, what the citizen reads to recognise the request, and for how many seconds it may wait."""

    login_hint: str = field(repr=False)
    binding_message: str | None
    lifetime: int


def read(parameters: Mapping[str, str], *, longest: int) -> BackchannelRequest | Refusal:
    """Read what CIBA adds to an authorization request. `longest`: seconds that a request may wait at most."""
    refusal = _misfit(parameters)
    if refusal is not None:
        return refusal
    message = parameters.get("binding_message")
    if message is not None and not plain(message):
        return Refusal(ErrorCode.INVALID_BINDING_MESSAGE, f"binding_message must be plain text of 1 to {LONGEST_MESSAGE} characters.")
    wanted = parameters.get("requested_expiry", str(longest))
    if not (wanted.isascii() and wanted.isdecimal() and int(wanted[:9]) > 0):
        return Refusal(ErrorCode.INVALID_REQUEST, "requested_expiry must be a positive whole number of seconds.")
    return BackchannelRequest(parameters["login_hint"], message, min(int(wanted[:9]), longest))


def _misfit(parameters: Mapping[str, str]) -> Refusal | None:
    if "request" in parameters:
        # §7.1.1: beside a signed request nothing else counts; passed over, its signature would promise what nobody checked
        return Refusal(ErrorCode.INVALID_REQUEST, "Signed authentication requests are not taken here: send the parameters themselves.")
    if "openid" not in parameters.get("scope", "").split(" "):
        # §7.1: "requests MUST therefore contain the openid scope value"
        return Refusal(ErrorCode.INVALID_SCOPE, "scope must contain openid.")
    hints = [name for name in _HINTS if name in parameters]
    if len(hints) != 1:
        # §7.1: "it is REQUIRED that […] one, and only one, of the hints" is in the request
        return Refusal(ErrorCode.INVALID_REQUEST, f"Send exactly one of {', '.join(_HINTS)}.")
    if hints != ["login_hint"]:
        return Refusal(ErrorCode.INVALID_REQUEST, "Name the citizen by login_hint: e-mail, telephone, NIK or account number.")
    return None


def plain(message: str) -> bool:
    """Tell whether a text can stand on the citizen's page without disguising itself: no control, no direction, no invisible character."""
    return 0 < len(message) <= LONGEST_MESSAGE and bool(message.strip()) and all(unicodedata.category(one) in _PLAIN for one in message)
