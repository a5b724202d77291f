"""What can go wrong in consent/, as exceptions without personal values."""

from __future__ import annotations


class ConsentError(Exception):
    """The root of all errors of this package."""


class LogUnavailable(ConsentError):
    """The access log could not commit an entry, or may have: answer 503 and disclose nothing."""


class LogBusy(LogUnavailable):
    """Too many entries wait already: answer 503 with Retry-After."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the access log is busy; try again in {retry_after} s")
        self.retry_after = retry_after


class PurposeRefused(ConsentError):
    """A declaration cannot be registered. `field` is the dotted name of what is missing or wrong, `why` says how to mend it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


class ReceiptRefused(ConsentError):
    """A receipt does not entitle to open this cell: it was used, is too old, was not made by the log, or names something else."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class GrantMoved(ConsentError):
    """The permission changed while a decision about it was on its way: show the card again."""


class CompanionMissed(ConsentError):
    """A row that an entry was to change is not there any more: somebody else wrote that entry, or moved that grant. Nothing was written."""


class PersonErased(LogUnavailable):
    """The person stands in the journal of erased people, yet a store still knows them: it was restored. Answer 503, disclose nothing."""


class ChainDoubtful(ConsentError):
    """A chain is not what the journal of erased people, or its own entries, say: somebody changed the log's database."""


class ChainClosed(ConsentError):
    """The person was erased: their chain of entries is closed, and nothing about them is read or recorded any more."""
