"""The two purposes that applications have which registered themselves, and their declaration when the first one comes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from consent.purposes.vocabulary import KNOWN_CLAIMS
from idp.clients.self_registered import AGENCY, CERTIFICATION, SIGN_IN

if TYPE_CHECKING:
    from idp.protocol.services import Services

_FOLDER: Final = Path(__file__).parent


async def ready(found: Services) -> str:
    """See that the purpose for new applications is declared, and their agency known; give the purpose's id."""
    if await found.clients.agency(AGENCY.code) is None:
        await found.clients.put_agency(AGENCY, found.clock())
    wanted = CERTIFICATION if found.settings.certification else SIGN_IN
    if await found.consent.purposes.get(wanted) is None:
        await found.consent.purposes.add(_certification() if wanted == CERTIFICATION else _read("sign-in"))
    return wanted


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")


def _certification() -> str:
    """Write the declaration for conformance suites: every standard claim, required, so that the card asks for all of them (design §7)."""
    needs = (
        f'[[required]]\nclaim = "{claim}"\n[required.relevance]\nid = "Diuji."\nen = "It is tested."\n'
        for claim in sorted(KNOWN_CLAIMS - {"nik", "access_history"})
    )
    return "\n".join((_read("certification"), *needs))
