"""The program's own log never becomes a fault of what it tells."""

from __future__ import annotations

import errno
import io

import pytest

from idp.web.logs import Unfailing


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_that_finds_no_room_is_lost_and_nothing_else() -> None:
    stream = Full()
    with pytest.raises(OSError, match="No space"):
        stream.write("a line\n")
    log = Unfailing(stream)
    assert log.write("a line\n") == 7
    log.flush()
