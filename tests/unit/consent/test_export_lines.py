"""records.jsonl and records.csv: what is written is read back, however it is laid out, and no cell becomes a formula."""

from __future__ import annotations

import csv
import io
import json

import pytest

from consent import export_lines
from consent.access_log.leaf import canonical
from consent.export_lines import LineBroken

RECORD = {
    "action": "disclose",
    "client": "aduan",
    "client_name": "Aduan, Warga",
    "claims": ["email", "nik"],
    "purpose": {"declaration": "aduan", "version": 2},
}
LEAF, NONCE = bytes(range(65)), bytes(range(32))


@pytest.mark.parametrize("nonce_s", [None, bytes(32)])
def test_a_line_is_read_as_it_was_written(nonce_s: bytes | None) -> None:
    line = export_lines.json_line(7, LEAF, NONCE, nonce_s, canonical(RECORD))
    assert export_lines.parse_line(line) == (7, LEAF, NONCE, nonce_s, canonical(RECORD), RECORD)


def test_a_line_laid_out_by_another_tool_says_the_same() -> None:
    found = json.loads(export_lines.json_line(7, LEAF, NONCE, None, canonical(RECORD)))
    other = json.dumps(dict(reversed(found.items())), indent=1).replace("\n", " ").encode()
    assert export_lines.parse_line(other) == (7, LEAF, NONCE, None, canonical(RECORD), RECORD)


@pytest.mark.parametrize("line", [b"", b"[]\n", b"{}\n", b'{"index":"7","leaf":"","nonce_a":"","record":{}}\n', b"\xff\n"])
def test_what_is_no_line_is_refused(line: bytes) -> None:
    with pytest.raises(LineBroken):
        export_lines.parse_line(line)


@pytest.mark.parametrize("name", ["=1+1", "+62", "-1", "@x", "\t=1", 'a "quoted", cell\nof two lines', "plain"])
def test_a_cell_is_quoted_and_never_a_formula(name: str) -> None:
    line = export_lines.csv_line(7, LEAF, NONCE, RECORD | {"client_name": name})
    (row,) = csv.reader(io.StringIO(line, newline=""))
    cells = dict(zip(export_lines.COLUMNS, row, strict=True))
    assert cells["client_name"].removeprefix("'") == name
    assert cells["client_name"][0] not in "=+-@\t"
    assert (cells["index"], cells["claims"], cells["purpose"], cells["leaf"]) == ("7", "email nik", "aduan 2", LEAF.hex())
