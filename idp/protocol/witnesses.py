"""The witnesses of the access log, as settings name them, and the network to them."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx2

from consent import policy
from consent.conversation import Reply, Unreachable
from consent.policy import PolicyInvalid
from consent.publisher import Witnessing

if TYPE_CHECKING:
    from consent.policy import Policy
    from idp.settings import Settings

LARGEST: Final = 64 * 1024
"""Bytes of an answer that are read."""
_HEADERS: Final = {"content-type": "text/plain; charset=utf-8", "accept-encoding": "identity", "user-agent": "Gerbang"}


def witnessing(settings: Settings, outgoing: httpx2.AsyncClient) -> Witnessing | None:
    """Read the policy; None when there is none. Raises: PolicyInvalid, OSError."""
    if settings.log_witness_policy_file is None:
        return None
    found = read(settings.log_witness_policy_file.read_bytes())
    return Witnessing(found, Network(outgoing), dt.timedelta(seconds=settings.log_witness_alarm))


def read(content: bytes) -> Policy:
    """Read a policy by which a log gathers cosignatures: over https or on this machine, and enough of them. Raises: PolicyInvalid."""
    try:
        found = policy.parse(content.decode())
    except UnicodeDecodeError as error:
        raise PolicyInvalid("the file is not UTF-8 text") from error
    for witness in found.witnesses:
        if witness.url is not None and not _may_be_asked(witness.url):
            raise PolicyInvalid(f"{witness.name}: its address must be https, or http on this machine: {witness.url}")
    asked = {witness.name for witness in found.witnesses if witness.url}
    if not found.met(asked):
        raise PolicyInvalid(f"the quorum {found.quorum} can never be met: give witnesses their addresses, witness <name> <vkey> <url>")
    return found


def _may_be_asked(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        plain = not (parts.username or parts.password or parts.query or parts.fragment) and parts.port != 0
    except ValueError:
        return False
    return plain and bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host)))


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Network:
    """Posts to witnesses. Redirects are not followed, and no more of an answer is read than can be one."""

    def __init__(self, outgoing: httpx2.AsyncClient) -> None:
        self._outgoing = outgoing

    async def __call__(self, url: str, body: bytes | None) -> Reply:
        """Give the answer. Raises: Unreachable."""
        try:
            async with self._outgoing.stream("GET" if body is None else "POST", url, content=body, headers=_HEADERS) as response:
                if response.headers.get("content-encoding", "identity").lower() != "identity":
                    raise Unreachable("its answer is compressed, which was not asked for")
                read = bytearray()
                async for chunk in response.aiter_bytes():
                    read += chunk
                    if len(read) > LARGEST:
                        raise Unreachable(f"its answer is longer than {LARGEST} bytes")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise Unreachable(f"cannot be reached ({type(error).__name__})") from error
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Reply(response.status_code, media_type, read.decode(errors="replace"))
