"""What a policy of witnesses demands of a log that was verified: a quorum, and times that fit those of the cosignatures. Pure.

A cosignature says: at this time, this was the whole log that I know of (C2SP tlog-cosignature). The log shows its checkpoint within two
minutes after it was signed (`consent.publisher.FRESH`). So what it covers was recorded before that time, what is beyond it not much before.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Final

from consent import checkpoint
from consent.findings import Problem
from consent.notes import NoteInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consent.findings import Verdict
    from consent.policy import Policy

TOLERANCE: Final = dt.timedelta(minutes=5)


def examined(verdict: Verdict, policy: Policy, note: str, since: str | None, times: Mapping[int, str]) -> Verdict:
    """Add to a verdict what the policy has against it. `times`: of the entries of `wanted`, as their records say."""
    found = [Problem(-1, what) for what in head_problems(policy, note)]
    for one in (note, since):
        found += _time_problems(policy, one, times) if one else ()
    known = set(verdict.problems)
    ordered = sorted({*found} - known, key=lambda problem: (problem.index < 0, problem.index, problem.what))
    of_entries = [problem for problem in (*verdict.problems, *ordered) if problem.index >= 0]
    of_all = [problem for problem in (*verdict.problems, *ordered) if problem.index < 0]
    problems = (*sorted(of_entries, key=lambda problem: problem.index), *of_all)
    return dataclasses.replace(verdict, problems=problems)


def wanted(size: int, notes: Iterable[str | None]) -> Sequence[int]:
    """Name the entries whose times are to be looked at: the last that each note covers, and the first that it does not."""
    sizes = [checkpoint.parse(note).size for note in notes if note]
    return sorted({index for each in sizes for index in (each - 1, each) if 0 <= index < size})


def cosigned(policy: Policy, note: str) -> Mapping[str, dt.datetime]:
    """Give who of the policy cosigned a note, and when; nobody when a cosignature is false."""
    try:
        return {name: dt.datetime.fromtimestamp(min(time, _LATEST), dt.UTC) for name, time in policy.cosigned(note).items()}
    except NoteInvalid:
        return {}


_LATEST: Final = 253402300799
"""9999-12-31T23:59:59Z."""


def head_problems(policy: Policy, note: str) -> list[str]:
    """Say what a checkpoint lacks by itself: its quorum, or a log of the policy."""
    try:
        problems = [policy.missing(note)]
    except NoteInvalid as error:
        problems = [f"checkpoint: {error}"]
    if policy.logs and not any(_signed_by(note, key) for key in policy.logs):
        problems.append("the checkpoint is of none of the logs that the policy lists")
    return [problem for problem in problems if problem]


def _signed_by(note: str, key: checkpoint.VerifierKey) -> bool:
    try:
        checkpoint.open_note(note, key)
    except NoteInvalid:
        return False
    return True


def _time_problems(policy: Policy, note: str, times: Mapping[int, str]) -> list[Problem]:
    """Compare the entries at a note's end with the times of its cosignatures; a quorum must contradict, one wrong clock does not count."""
    size, found = checkpoint.parse(note).size, []
    at = cosigned(policy, note)
    following = _time(times.get(size))
    if late := too_late(policy, note, size - 1, times.get(size - 1)):
        found.append(late)
    if following:
        after = {name for name, time in at.items() if time > following + TOLERANCE}
        if after and policy.met(after):
            when = min(at[name] for name in after)
            found.append(Problem(size, f"its time {_text(following)} is before {_text(when)}, when witnesses cosigned a log without it"))
    return found


def too_late(policy: Policy, note: str, index: int, said: str | None) -> Problem | None:
    """Say when an entry that a note covers claims to be of after its cosignatures; `said`: its time, as its record has it."""
    time, at = _time(said), cosigned(policy, note)
    before = {name for name, cosigned_at in at.items() if time and cosigned_at < time - TOLERANCE}
    if not time or not before or not policy.met(before):
        return None
    when = max(at[name] for name in before)
    return Problem(index, f"its time {_text(time)} is after {_text(when)}, when witnesses had cosigned it")


def _time(text: str | None) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _text(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
