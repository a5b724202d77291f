"""`idp audit verify --policy`: reading the policy of witnesses, and what it says of a log that was verified."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, NamedTuple

from idp.cli.terminal import Exit, read_text, refuse

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from consent.findings import Verdict
    from consent.policy import Policy


class Witnessed(NamedTuple):
    """A verdict that heeds a policy, and who of it cosigned, and when; nobody is named where no policy was given."""

    verdict: Verdict
    cosigned: Mapping[str, dt.datetime] | None = None

    @property
    def text(self) -> str:
        """The same for people, a line each."""
        if self.cosigned is None:
            return ""
        return "".join(f"cosigned by {name} at {time.isoformat(timespec='seconds')}\n" for name, time in self.cosigned.items())


def read_policy(path: Path) -> Policy:
    """Read the policy that an auditor holds. Raises: CommandRefused."""
    from consent import policy

    try:
        return policy.parse(read_text(path))
    except policy.PolicyInvalid as error:
        refuse(f"--policy: {error}", Exit.USAGE)


def examined(verdict: Verdict, policy: Policy | None, note: str, since: str | None, folder: Path | None = None) -> Witnessed:
    """Let the policy judge; `folder`: an export, whose records tell times. Raises: CommandRefused."""
    from consent import verify_policy

    if policy is None:
        return Witnessed(verdict)
    times = _times(folder, verify_policy.wanted(verdict.size, (note, since))) if folder else {}
    return Witnessed(verify_policy.examined(verdict, policy, note, since, times), verify_policy.cosigned(policy, note))


def _times(folder: Path, indices: Sequence[int]) -> dict[int, str]:
    """Read the times of some records; of one that cannot be read the verification itself has told."""
    found = {}
    with (folder / "records.jsonl").open("rb") as lines:
        position = 0
        for index in indices:
            line = next(itertools.islice(lines, index - position, None), b"")
            position = index + 1
            try:
                found[index] = str(json.loads(line)["record"]["time"])
            except (ValueError, KeyError, TypeError):
                continue
    return found
