"""OpenID Connect Session Management 1.0 §3: `session_state`, by which an application's page sees that the sign-in state changed."""

from __future__ import annotations

import hashlib


def session_state(*, client_id: str, origin: str, browser_state: str, salt: str) -> str:
    """Give a salted hash over what only this page may compare: application, its web origin, and the state of this browser with us.

    §3: "The session_state value […] MUST NOT contain the space (" ") character." static/session.js computes the same.
    """
    text = f"{client_id} {origin} {browser_state} {salt}"
    return f"{hashlib.sha256(text.encode()).hexdigest()}.{salt}"
