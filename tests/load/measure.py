"""Measuring: one job by two contenders, alternating, and what it took."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.load import client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.load.client import Round
    from tests.load.place import Used


@dataclass
class Contender:
    """A server under one job: where it listens, what it is asked, which status is right, and what it used so far.

    `once`: each request can be sent only once, so the supply may end a round early.
    """

    port: int
    requests: Sequence[bytes]
    used: Callable[[], Used]
    status: int = 200
    once: bool = False
    rounds: list[tuple[Round, Used]] = field(default_factory=list)
    _supply: Iterator[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._supply = iter(self.requests) if self.once else itertools.cycle(self.requests)

    async def round(self, *, connections: int, seconds: float, share: float) -> None:
        """Run one round; `share`: how much of a supply that is used up it may take."""
        at_most = max(1, int(len(self.requests) * share)) if self.once else 10**9
        before = self.used()
        done = await client.run(self.port, self._supply, connections=connections, seconds=seconds, at_most=at_most)
        self.rounds.append((done, self.used().since(before)))

    @property
    def wrong(self) -> dict[int, int]:
        """Answers by other statuses than the right one."""
        found: dict[int, int] = {}
        for done, _ in self.rounds:
            for status, count in done.statuses.items():
                if status != self.status:
                    found[status] = found.get(status, 0) + count
        return found

    @property
    def throughput(self) -> float:
        """The median round's answers per second."""
        return statistics.median(done.throughput for done, _ in self.rounds)

    def percentile(self, share: float) -> float:
        """The median round's milliseconds."""
        return statistics.median(done.percentile(share) for done, _ in self.rounds)

    def cpu(self) -> tuple[float, float]:
        """CPU seconds per 1,000 answers: of the program, and of the database."""
        answers = sum(len(done.latencies) for done, _ in self.rounds) / 1000
        totals = [used for _, used in self.rounds]
        return sum(used.program for used in totals) / answers, sum(used.database for used in totals) / answers


@dataclass(frozen=True)
class Row:
    """The result of one job; `floor` is None where there is none to compare with."""

    job: str
    ours: Contender
    floor: Contender | None
    goal: float | None

    @property
    def ratio(self) -> float | None:
        """The median over pairs of rounds of ours ÷ floor: both of a pair ran within the same seconds."""
        if self.floor is None:
            return None
        pairs = zip(self.ours.rounds, self.floor.rounds, strict=True)
        return statistics.median(ours.throughput / floor.throughput for (ours, _), (floor, _) in pairs)


@dataclass(frozen=True)
class Pace:
    """How long to measure."""

    rounds: int
    seconds: float
    warmup: float
    citizens: int
    codes: int


WARM = 300
WARMUPS = 4
QUICK = Pace(rounds=2, seconds=1.5, warmup=0.5, citizens=100, codes=3000)
FULL = Pace(rounds=5, seconds=3.0, warmup=1.5, citizens=500, codes=9000)


async def compare(row: Row, pace: Pace, connections: int) -> None:
    """Warm both up, then alternate them."""
    contenders = [contender for contender in (row.floor, row.ours) if contender is not None]
    share = 1 / (pace.rounds + 1)
    for contender in contenders:
        for _ in range(WARMUPS):  # a busy machine answers few in one; caches and connections must be there before it counts
            await contender.round(connections=connections, seconds=pace.warmup, share=share / WARMUPS)
            if sum(len(done.latencies) for done, _ in contender.rounds) >= WARM:
                break
        if contender.wrong:
            first = contender.rounds[0][0].first_bad_body[:500]
            raise RuntimeError(f"{row.job}: unexpected answers {contender.wrong}: {first!r}")
        contender.rounds.clear()
    for _ in range(pace.rounds):
        for contender in contenders:
            await contender.round(connections=connections, seconds=pace.seconds, share=share)
