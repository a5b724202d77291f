"""OpenID Connect RP-Initiated Logout 1.0 §2, §3, §4: whether to ask first, and where to lead afterwards. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """What came with a logout request, looked up.

    `ours`: the id_token_hint is ours, for a client that is still registered and is the one of `client_id`; `names_session`: it names who is
    signed in here. `registered`: post_logout_redirect_uri is that client's own, letter by letter.
    """

    signed_in: bool
    ours: bool
    names_session: bool
    redirect_uri: str | None
    registered: bool
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the person first; carry the request along only when it is sound."""

    carry: bool


@dataclass(frozen=True, slots=True)
class SignOut:
    """Sign out and lead to `redirect_uri`, or show that it is done."""

    redirect_uri: str | None


def decide(asked: Asked) -> Ask | SignOut:
    """Decide.

    §2: "the OP […] MUST ask the End-User" whether to log out if the id_token_hint "was not provided or if […] the supplied ID Token does
    not belong to the current OP session with the RP". §4: "When the OP detects errors in the RP-Initiated Logout request, the OP MUST not
    perform post-logout redirection."
    """
    sound = asked.ours and (asked.redirect_uri is None or asked.registered)
    target = asked.redirect_uri if asked.ours and asked.registered else None
    if asked.confirmed or not asked.signed_in:
        # §3: without a hint, "the OP MUST NOT perform post-logout redirection unless the OP has other means of confirming the legitimacy"
        return SignOut(target if sound else None)
    if sound and asked.names_session:
        return SignOut(target)
    return Ask(carry=sound)
