"""An application of idpyoidc that registers itself. JSON lines with the test that drives the browser.

First line in: {issuer, base, ca}; out: the registration, and {authorize} on a line of its own. Second in:
{callback}; out: {claims, userinfo}.
The folder holds what the application publishes: static/jwks.json.
"""

import json
import sys
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from idpyoidc.client.defaults import DEFAULT_OIDC_SERVICES
from idpyoidc.client.oidc import registration
from idpyoidc.client.rp_handler import RPHandler


class Registration(registration.Registration):
    """The library's own, but for one thing: it compares `scope` as a whole with its list, and refuses a registration with two scopes."""

    def update_service_context(self, resp: Any, key: str = "", **more: Any) -> None:
        del resp["scope"]
        super().update_service_context(resp, key, **more)


def read() -> dict[str, Any]:
    return json.loads(sys.stdin.readline())


def write(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)  # noqa: T201


def configuration(base: str) -> dict[str, Any]:
    """What the library is told, as its documentation has it."""
    return {
        "client_type": "oidc",
        "client_authn_methods": ["private_key_jwt", "bearer_header"],
        "redirect_uris": [f"{base}/callback"],
        "preference": {
            "client_name": "Uji idpyoidc",
            "contacts": ["uji@example.go.id"],
            "policy_uri": f"{base}/privasi",
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "userinfo_signing_alg_values_supported": ["ES256"],
            "request_object_signing_alg_values_supported": ["ES256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        },
        "usage": {"scope": ["openid", "profile", "email"]},
        "add_ons": {
            "pkce": {
                "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
            },
            # By value only: in version 5.0.0 a request object by reference is addressed to "request_uri" instead of the provider.
            "jar": {
                "function": "idpyoidc.client.oauth2.add_on.jar.add_support",
                "kwargs": {"request_type": "request_parameter", "request_object_signing_alg": "ES256"},
            },
        },
    }


def main() -> None:
    """Register, then sign people in."""
    settings = read()
    issuer, base = settings["issuer"], settings["base"]
    keys = {
        "private_path": "private.json",
        "public_path": "static/jwks.json",
        "uri_path": "static/jwks.json",
        "key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}],
        "read_only": False,
    }
    services = {**DEFAULT_OIDC_SERVICES, "registration": {"class": Registration}}
    handler = RPHandler(base, {"": configuration(base)}, services, key_conf=keys, httpc_params={"verify": settings["ca"], "timeout": 20})
    client = handler.client_setup(issuer)
    client.client_id = client.get_client_id()  # the library leaves it empty after a registration, and names nobody in its assertions
    write(client.get_context().registration_response.to_dict())
    write({"authorize": client.init_authorization()})
    done = handler.finalize(issuer, dict(parse_qsl(urlsplit(read()["callback"]).query)))
    write({"claims": done["id_token"].to_dict(), "userinfo": done["userinfo"].to_dict()})


main()
