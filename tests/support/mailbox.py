"""What the courier put into the outbox folder of a provider, as its recipients would read it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.protocol.carriers import Folder
from idp.protocol.outbox import outbox

if TYPE_CHECKING:
    from tests.support.running import Provider


@dataclass(frozen=True)
class Letter:
    """One message."""

    to: str
    channel: str
    subject: str
    text: str

    @property
    def code(self) -> str:
        """The code it carries."""
        found = re.search(r"\b(\d{6}|\d{8})\b", self.text)
        assert found is not None, self.text
        return found[1]


async def letters(provider: Provider, to: str | None = None) -> list[Letter]:
    """Deliver what waits, and give all messages so far, oldest first."""
    while await outbox(provider.services).run_once(1):  # one by one, for a batch arrives in any order
        pass
    folder = Folder(provider.settings.data_dir / "outbox", provider.services.keyring.secrets)
    found = []
    for file in sorted(folder.folder.glob("*.json")):
        content = json.loads(file.read_text("utf-8"))
        found.append(Letter(folder.recipient(content), content["channel"], content["subject"], content["text"]))
    return [letter for letter in found if to is None or letter.to == to]
