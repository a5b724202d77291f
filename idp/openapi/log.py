"""The description of the public log: C2SP tlog-tiles and tlog-proof."""

from __future__ import annotations

from typing import Final

from idp.openapi.parts import Schema, gives, in_path, operation

_NOTE: Final = "text/plain"
_HASHES: Final = "application/octet-stream"
_NOT_PUBLIC: Final = (404, "The public checkpoint does not reach so far, or there is none yet.")
_REFUSALS: Final = ((400, "The address is malformed; `error_description` says how it is written."), _NOT_PUBLIC)

PATHS: Final[Schema] = {
    "/log/checkpoint": {
        "get": operation(
            "The public checkpoint of the access log; it moves once a minute",
            "tlog-tiles",
            gives("A signed note: origin, size, root.", _NOTE),
            refusals=(_NOT_PUBLIC,),
        )
    },
    "/log/vkey": {
        "get": operation(
            "The verifier key of the access log", "signed-note", gives("A verifier key, one line.", _NOTE), refusals=(_NOT_PUBLIC,)
        )
    },
    "/log/proof/{index}": {
        "parameters": in_path("index"),
        "get": operation(
            "Proof that an entry is under the public checkpoint", "tlog-proof", gives("A tlog-proof.", _NOTE), refusals=_REFUSALS
        ),
    },
    "/log/tile/entries/{number}": {
        "parameters": in_path("number"),
        "get": operation(
            "Up to 256 entries; `number` is <N>[.p/<W>]",
            "tlog-tiles",
            gives("Entries of 65 bytes, each after its length in two bytes.", _HASHES),
            refusals=_REFUSALS,
        ),
    },
    "/log/tile/{level}/{number}": {
        "parameters": in_path("level", "number"),
        "get": operation(
            "Up to 256 hashes of the tree; `number` is <N>[.p/<W>]",
            "tlog-tiles",
            gives("Hashes of 32 bytes.", _HASHES),
            refusals=_REFUSALS,
        ),
    },
}
