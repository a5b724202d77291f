"""What a passkey looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

MOST = 10
"""How many one account may have: each is named by its owner, and listed in what a page asks the device for."""
LABEL = 40


@dataclass(frozen=True, slots=True)
class Passkey:
    """One public key. `synced`: copied among its owner's devices by their vendor. Its name rests sealed, as the cell `label_claim`."""

    id: str
    person: str
    credential: bytes
    public_key: bytes
    sign_count: int
    synced: bool
    transports: tuple[str, ...]
    created_at: dt.datetime
    last_used_at: dt.datetime | None = None

    @property
    def label_claim(self) -> str:
        """The name of the cell that holds what its owner calls it."""
        return label_claim(self.id)


def label_claim(passkey: str) -> str:
    """Name the cell of a passkey's name."""
    return f"{LABELS}{passkey}"


LABELS = "passkey:"
"""What the names of such cells begin with: they are no claims, and no service can ask for them."""
