"""The program's own log: JSON lines on standard error, or readable ones on a terminal. No personal data, no secrets."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

from idp.web import bare_structlog  # noqa: F401  # isort: skip - before structlog: it decides how that is imported
import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from structlog.typing import Processor


class Unfailing(io.TextIOBase):
    """A stream that loses what cannot be written: a full disk under this log must not become a fault of whatever is being told."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or lose it."""
        with contextlib.suppress(OSError, ValueError):  # a full disk, a closed pipe, a closed stream
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or lose it."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


_encode: Final = json.JSONEncoder(default=repr).encode  # json.dumps would make an encoder for each line


def _json(event: Mapping[str, Any], **_: object) -> str:
    return _encode(event)


def configure(level: str) -> None:
    """Set the log up for this process. Libraries' own loggers speak from WARNING on."""
    terminal = sys.stderr.isatty()
    last: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if terminal
        else structlog.processors.JSONRenderer(_json)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(Unfailing(sys.stderr)),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
