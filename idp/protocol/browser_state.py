"""OpenID Connect Session Management 1.0 §3, §4.2: the state of this browser with us, as answers to applications carry it.

It is a random value in a cookie that our own script may read, new at every sign-in and sign-out. It proves nothing and opens nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.spec.redirect_uris import origin_of
from idp.spec.session_state import session_state
from idp.web import cookies
from keys.opaque import new_id

if TYPE_CHECKING:
    from starlette.requests import Request

    from idp.clients.records import Client


def parameters(request: Request, client: Client, redirect_uri: str) -> dict[str, str]:
    """Give what an answer says of it; nothing to applications without a web origin, and to those of FAPI 2.0, which do not ask."""
    origin = origin_of(redirect_uri)
    if origin is None or client.fapi:
        return {}
    state = cookies.ensure_browser_state(request)
    return {"session_state": session_state(client_id=client.id, origin=origin, browser_state=state, salt=new_id())}
