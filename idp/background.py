"""Work that goes on beside requests: each task runs by itself, again and again, and outlives its own failures."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from idp.web import metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Task:
    """Something to run every `seconds`. After a failure it waits as long, too: the next run finds the same work.

    `close`: what ends work that goes on between runs.
    """

    name: str
    seconds: float
    action: Callable[[], Awaitable[object]]
    close: Callable[[], Awaitable[object]] | None = None


@contextlib.asynccontextmanager
async def running(tasks: Sequence[Task]) -> AsyncIterator[None]:
    """Run the tasks while the block lasts."""
    started = [asyncio.create_task(_repeat(task), name=task.name) for task in tasks]
    try:
        yield
    finally:
        for task in started:
            task.cancel()
        await asyncio.gather(*started, *(task.close() for task in tasks if task.close is not None), return_exceptions=True)


async def _repeat(task: Task) -> None:
    while True:
        await asyncio.sleep(task.seconds)
        await run_once(task)


async def run_once(task: Task) -> bool:
    """Run a task once; a failure is logged by its kind and counted. True when it succeeded."""
    try:
        await task.action()
    except Exception as error:  # noqa: BLE001 - whatever failed must not end the task: the store may be back in a second
        metrics.TASK_FAILURES.labels(task.name).inc()
        log.warning("task_failed", task=task.name, error=type(error).__name__)
        return False
    return True
