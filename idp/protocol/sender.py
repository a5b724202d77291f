"""RFC 9449, RFC 8705 §3, FAPI 2.0 §5.3.2.1: to whom a token is bound, by a key (DPoP) or a TLS certificate, and who its holder is.

`proven` looks at a request; `constraint` says what a token that is issued on it will be bound to (`cnf`, RFC 7800 §3.1); `wrong_holder`
says why a token may not be used by who sent it. `offering` puts a fresh nonce on every answer to a request with a proof.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.protocol.services import services
from idp.spec import dpop
from idp.spec.errors import ErrorCode, Refusal
from idp.web.certificates import client_certificate
from keys.errors import TokenInvalid
from keys.proofs import verify_possession

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.clients.records import Client
    from idp.protocol.services import Services

    Endpoint = Callable[[Request], Awaitable[Response]]

JKT: Final = "jkt"
X5T: Final = "x5t#S256"
NONCE_HEADER: Final = "DPoP-Nonce"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request proves to hold: thumbprints of a DPoP key (RFC 7638) and of a TLS certificate (RFC 8705 §3.1); None without."""

    jkt: str | None = None
    x5t: str | None = None

    @property
    def held(self) -> frozenset[str]:
        """Both thumbprints, as far as they are there."""
        return frozenset(value for value in (self.jkt, self.x5t) if value is not None)


NOTHING: Final = Proof()


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks for tokens: what was proven, and the `cnf` of the tokens to come (empty: bearer tokens)."""

    proof: Proof
    cnf: Mapping[str, str]


async def of_token_request(request: Request, found: Services, client: Client) -> Sender | Refusal:
    """Say to whom the tokens of this request will be bound, once `client` is known to send it."""
    proof = await proven(request, found)
    if isinstance(proof, Refusal):
        return proof
    cnf = constraint(client, proof)
    return cnf if isinstance(cnf, Refusal) else Sender(proof, cnf)


async def proven(request: Request, found: Services, *, access_token: str | None = None) -> Proof | Refusal:
    """Verify what a request carries of proofs; none at all is fine here. `access_token`: the one it is sent with.

    A proof is used up: the same one again is refused, in whatever process (RFC 9449 §11.1).
    """
    certificate = client_certificate(request)
    x5t = certificate.thumbprint if certificate else None
    headers = request.headers.getlist(dpop.HEADER)
    if not headers:
        return Proof(x5t=x5t)
    if len(headers) > 1 or "," in headers[0]:  # §4.3 (1): "There is not more than one DPoP HTTP request header field."
        return bad_proof("send one DPoP header")
    jkt = await _key(request, headers[0], found, access_token)
    return jkt if isinstance(jkt, Refusal) else Proof(jkt, x5t)


async def _key(request: Request, header: str, found: Services, access_token: str | None) -> str | Refusal:
    """Give the thumbprint of the key that a proof is signed by."""
    try:
        possession = verify_possession(header.strip(), algorithms=dpop.ALGORITHMS, type=dpop.TYPE)
    except TokenInvalid as invalid:
        return bad_proof(str(invalid))
    now = int(found.clock().timestamp())
    expected = dpop.Expected(request.method, addresses(request, found), access_token)
    claimed = dpop.read(possession.claims, expected, now=now)
    if isinstance(claimed, str):
        return bad_proof(claimed)
    refusal = _nonce_refused(found, claimed.nonce, now)
    if refusal is not None:
        return refusal
    until = dt.datetime.fromtimestamp(claimed.until + 1, dt.UTC)
    if not await found.clients.use_proof(possession.thumbprint, claimed.jti, until):
        return bad_proof("it was used before: make a new one, with a new jti, for each request")
    return possession.thumbprint


def _nonce_refused(found: Services, nonce: str | None, now: int) -> Refusal | None:
    """§8: "the authorization server […] responds with an HTTP 400 […] error "use_dpop_nonce"."."""
    if nonce is None:
        return _FRESH_NONCE if found.settings.dpop_nonce_required else None
    return None if dpop.nonce_holds(found.keyring.named_secret("nonces"), nonce, now) else _FRESH_NONCE


_FRESH_NONCE: Final = Refusal(ErrorCode.USE_DPOP_NONCE, "Make the proof again with the nonce of the DPoP-Nonce header.")


def bad_proof(why: str) -> Refusal:
    """Say what is wrong with a proof (§5: "invalid_dpop_proof")."""
    return Refusal(ErrorCode.INVALID_DPOP_PROOF, f"The DPoP proof is refused: {why}.")


def addresses(request: Request, found: Services) -> frozenset[str]:
    """Give the addresses of a request as its sender knows them: what stands before us may call us by another name."""
    bases = {found.settings.issuer, found.settings.mtls_url or found.settings.issuer}
    return frozenset(f"{base}{request.url.path}" for base in bases)


def constraint(client: Client, proof: Proof) -> Mapping[str, str] | Refusal:
    """Give the `cnf` of a token issued on this proof, empty for a bearer token, or say what is missing."""
    if client.dpop_bound_access_tokens and proof.jkt is None:
        # RFC 9449 §5.2: "the authorization server MUST reject token requests from this client that do not contain the DPoP header."
        return bad_proof("this client registered dpop_bound_access_tokens and sent none")
    if client.tls_client_certificate_bound_access_tokens and proof.x5t is None:
        return Refusal(ErrorCode.INVALID_REQUEST, "This client registered certificate-bound tokens: send the request over mutual TLS.")
    bound: dict[str, str] = {JKT: proof.jkt} if proof.jkt else {}
    if proof.x5t and (client.tls_client_certificate_bound_access_tokens or (client.fapi and not bound)):
        bound[X5T] = proof.x5t
    if client.fapi and not bound:
        # FAPI 2.0 Security Profile §5.3.2.1 (4): "shall only issue sender-constrained access tokens"
        return bad_proof("tokens of this client are bound to their holder, so send a proof, or use mutual TLS")
    return bound


def token_type(cnf: Mapping[str, object]) -> str:
    """Name the type of a token with this `cnf`. RFC 9449 §5: "A "token_type" of "DPoP" MUST be included"; RFC 8705 §3 keeps Bearer."""
    return "DPoP" if JKT in cnf else "Bearer"


def bound_code(proof: Proof, dpop_jkt: str | None) -> str | Refusal | None:
    """Give the key that a code will be bound to (§10), where a pushed request carries a proof, `dpop_jkt`, or both (§10.1).

    §10.1: "If […] the JWK Thumbprint values do not match, the authorization server MUST reject the request."
    """
    if dpop_jkt is not None and not dpop.is_thumbprint(dpop_jkt):
        return Refusal(ErrorCode.INVALID_REQUEST, "dpop_jkt must be the base64url SHA-256 thumbprint of a key, 43 characters.")
    if proof.jkt is not None and dpop_jkt is not None and proof.jkt != dpop_jkt:
        return bad_proof("its key is not the one of dpop_jkt")
    return dpop_jkt or proof.jkt


def wrong_holder(cnf: Mapping[str, object], proof: Proof) -> str | None:
    """Say why a token with this `cnf` may not be used by who proved this; None when it may."""
    if JKT in cnf and cnf[JKT] != proof.jkt:
        return "This token is bound to a key: send it with the DPoP scheme and a proof by that key."
    if X5T in cnf and cnf[X5T] != proof.x5t:
        return "This token is bound to a TLS certificate: send it over mutual TLS with that certificate."
    if set(cnf) - {JKT, X5T}:
        return "This token is bound to something that this server does not know."
    return None


def offering(endpoint: Endpoint) -> Endpoint:
    """Put the nonce of this moment on every answer to a request that carries a proof (§8.2)."""

    async def offered(request: Request) -> Response:
        response = await endpoint(request)
        if dpop.HEADER in request.headers:
            found = services(request)
            secret, now = found.keyring.named_secret("nonces"), int(found.clock().timestamp())
            response.headers[NONCE_HEADER] = dpop.nonce(secret, now)
        return response

    return offered
