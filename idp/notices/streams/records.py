"""What a stream looks like."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stream:
    """An application's stream. `url`: where its events are pushed to (RFC 8935); None: it fetches them (RFC 8936).

    `authorization`: the value of the Authorization header that the receiver wants.
    """

    client: str
    events: frozenset[str]
    url: str | None = None
    authorization: str | None = field(default=None, repr=False)

    @property
    def held(self) -> bool:
        """Whether events wait until they are fetched."""
        return self.url is None
