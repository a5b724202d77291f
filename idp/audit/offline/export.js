// Checks a whole export: every record opens its entry, times never go back, bundles and tiles are what the entries make, and the root is
// that of the signed checkpoint. The same as `idp audit verify DIR`, with the same indices.
const COLUMNS = [
  "time", "action", "client", "client_name", "agency", "purpose", "legal_basis", "legal_ref", "claims", "channel", "acr", "outcome",
  "reason", "actor", "occurred", "batch", "reported_by", "count", "visibility",
];
const ABOUT_SOMEBODY = ["disclose", "consult", "export"];
const B64 = "[A-Za-z0-9+/=]";
const LINE = new RegExp(
  `^\\{"index":(\\d{1,15}),"leaf":"(${B64}{88})","nonce_a":"(${B64}{44})"(?:,"nonce_s":"(${B64}{44})")?,"record":(\\{.*\\})\\}\\n$`, "s",
);
const PAUSE_MS = 60;
const AHEAD = 16;

// Gives the lines of a file one by one, newline included, reading on as needed. `take` gives undefined when it must `fill` first, null at the end.
class Lines {
  constructor(file) {
    this.reader = file.stream().getReader();
    this.rest = new Uint8Array(0);
    this.at = 0;
    this.ended = false;
  }

  take() {
    const end = this.rest.indexOf(10, this.at);
    if (end < 0 && !this.ended) return undefined;
    const stop = end < 0 ? this.rest.length : end + 1;
    if (stop === this.at) return null;
    const line = this.rest.subarray(this.at, stop);
    this.at = stop;
    return line;
  }

  async fill() {
    const { value, done } = await this.reader.read();
    this.ended = done;
    if (done) return;
    const kept = this.rest.subarray(this.at);
    const joined = new Uint8Array(kept.length + value.length);
    joined.set(kept);
    joined.set(value, kept.length);
    [this.rest, this.at] = [joined, 0];
  }

  async next() {
    let line = this.take();
    while (line === undefined) {
      await this.fill();
      line = this.take();
    }
    return line;
  }

  // A row of a sheet: a quoted cell may hold line breaks.
  async row() {
    let row = await this.next();
    const open = (bytes) => {
      let count = 0;
      for (let at = bytes.indexOf(34); at >= 0; at = bytes.indexOf(34, at + 1)) count += 1;
      return count % 2 === 1;
    };
    while (row !== null && open(row)) {
      const more = await this.next();
      if (more === null) break;
      const joined = new Uint8Array(row.length + more.length);
      joined.set(row);
      joined.set(more, row.length);
      row = joined;
    }
    return row;
  }
}

// Throws: Broken.
function parseLine(bytes) {
  try {
    const text = decoder.decode(bytes);
    const laid = LINE.exec(text);
    if (laid) return opened(Number(laid[1]), laid[2], laid[3], laid[4], JSON.parse(laid[5]), laid[5]);
    const { index, leaf, nonce_a: nonceA, nonce_s: nonceS, record } = JSON.parse(text);
    return opened(index, leaf, nonceA, nonceS, record, canonical(record));
  } catch {
    throw new Broken("line_broken");
  }
}

function opened(index, leaf, nonceA, nonceS, record, written) {
  if (!Number.isInteger(index) || record === null || typeof record !== "object" || Array.isArray(record)) throw new Broken("line_broken");
  const nonces = { nonceA: unbase64(nonceA), nonceS: nonceS === undefined || nonceS === null ? null : unbase64(nonceS) };
  return { index, leaf: unbase64(leaf), ...nonces, record, written: bytesOf(written) };
}

function csvLine({ index, leaf, nonceA, record }) {
  const { purpose, actor, claims, delay, visibility } = record;
  const cells = {
    ...record,
    purpose: purpose ? `${purpose.declaration} ${purpose.version}` : "",
    claims: (claims ?? []).join(" "),
    actor: actor ? ["type", "role", "unit", "pseudonym"].filter((name) => name in actor).map((name) => actor[name]).join(" ") : "",
    visibility: delay ? `delayed until ${delay.until}: ${delay.code}, ${delay.legal_ref}` : (visibility ?? ""),
  };
  const cell = (text) => {
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return `${index},${COLUMNS.map((name) => cell(name in cells ? String(cells[name]) : "")).join(",")},${hex(nonceA)},${hex(leaf)}\r\n`;
}

// Tells of a record that is shown later and does not say why and until when. What an erasure closes says so itself.
function silent({ visibility, action, delay }) {
  if (visibility !== "delayed" || action === "erase") return false;
  return !["until", "code", "legal_ref"].every((name) => typeof delay?.[name] === "string" && delay[name]);
}

// Gives null for what is no record of ours, whose AC is not open either.
function rightRow(line) {
  try {
    return bytesOf(csvLine(line));
  } catch {
    return null;
  }
}

const CSV_HEADER = `${["index", ...COLUMNS, "nonce_a", "leaf"].join(",")}\r\n`;

// Checks one export while it is read.
class ExportCheck {
  constructor(files, older, report, tell, wanted) {
    this.files = files;
    this.older = older;
    this.report = report;
    this.tell = tell;
    this.edge = new Edge();
    this.levels = [];
    this.newest = "";
    this.successions = new Successions(report);
    this.told = performance.now();
    this.ahead = new Map();
    this.wanted = wanted;
    this.times = new Map();
  }

  // A bundle's bytes are asked for before they are needed: each file is a round trip to the browser's own process.
  async bytes(path) {
    const asked = this.ahead.get(path) ?? this.files.get(path)?.arrayBuffer();
    this.ahead.delete(path);
    return asked ? new Uint8Array(await asked) : null;
  }

  readAhead(n, size) {
    if (n * WIDTH >= size) return;
    const path = bundlePath(n, Math.min(WIDTH, size - n * WIDTH));
    const asked = this.files.get(path)?.arrayBuffer();
    asked?.catch(() => {}); // told when its turn comes
    if (asked) this.ahead.set(path, asked);
  }

  async run(head) {
    [this.lines, this.rows] = ["records.jsonl", "records.csv"].map((name) => new Lines(this.files.get(name)));
    const header = await this.rows.row();
    if (!header || !equal(header, bytesOf(CSV_HEADER))) this.report.add(null, "csv_header");
    for (let n = 0; n < AHEAD; n += 1) this.readAhead(n, head.size);
    for (let n = 0; n * WIDTH < head.size; n += 1) {
      this.readAhead(n + AHEAD, head.size);
      const width = Math.min(WIDTH, head.size - n * WIDTH);
      const entries = await this.bundle(n, width);
      const rows = await this.openAll(n * WIDTH, width, entries);
      if (!entries || !rows) break;
      await this.breathe(head.size);
    }
    if (this.edge.size === head.size) await this.finish(head);
  }

  // Checks the lines of one bundle and takes its entries into the tree. Gives false when the lines ended too early.
  async openAll(first, width, entries) {
    let whole = true;
    for (let i = 0; i < width; i += 1) {
      const line = whole ? this.lines.take() : null;
      const got = line === undefined ? await this.lines.next() : line;
      if (whole && got === null) {
        this.report.add(first + i, "line_ends");
        whole = false;
      }
      if (got) await this.openOne(first + i, got, entries?.[i]);
      if (entries) await this.grow(entries[i]);
    }
    return whole;
  }

  async openOne(index, bytes, bundled) {
    let line;
    try {
      line = parseLine(bytes);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.report.add(index, error.code);
      return;
    }
    const entry = bundled ?? line.leaf;
    const wrong = (code, values) => this.report.add(index, code, values);
    if (line.index !== index) wrong("line_index", { there: line.index });
    if (!equal(line.leaf, entry)) wrong("leaf_differs");
    else if (entry.length !== LEAF || entry[0] !== 1) wrong("leaf_form");
    if (!equal(accessCommitment(line.nonceA, line.written), entry.subarray(33))) wrong("ac");
    if (line.nonceS && !equal(noneCommitment(line.nonceS, entry.subarray(33)), entry.subarray(1, 33))) wrong("none");
    this.order(line, wrong);
    if (this.wanted.has(index)) this.times.set(index, String(line.record.time ?? ""));
    await this.successions.see(index, line.record, this.edge);
    const row = await this.rows.row();
    const right = rightRow(line);
    if (!row || !right || !equal(row, right)) wrong("csv");
    this.report.count(line.record);
  }

  order({ record, nonceS }, wrong) {
    const time = String(record.time ?? "");
    if (time < this.newest) wrong("time", { time, newest: this.newest });
    else this.newest = time;
    if (nonceS && ABOUT_SOMEBODY.includes(record.action)) wrong("nobody", { action: record.action });
    if (silent(record)) wrong("silent");
  }

  async bundle(n, width) {
    const path = bundlePath(n, width);
    const first = n * WIDTH;
    const bytes = await this.bytes(path);
    try {
      if (!bytes) throw new Broken("file_missing", { path });
      const entries = decodeBundle(bytes, path);
      if (entries.length === width) return entries;
      this.report.add(first + Math.min(entries.length, width), "bundle_width", { path, there: entries.length, width });
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.report.add(first, error.code, error.values);
    }
    return null;
  }

  async grow(entry) {
    if (this.older?.size === this.edge.size) this.older.found = this.edge.root();
    let hash = leafHash(entry);
    this.edge.add(hash);
    for (let level = 0; ; level += 1) {
      const row = (this.levels[level] ??= []);
      row.push(hash);
      if (row.length < WIDTH) break;
      await this.compare(level, Math.floor(this.edge.size / WIDTH ** (level + 1)) - 1, row);
      this.levels[level] = [];
      hash = perfectRoot(row);
    }
  }

  // Compares a stored tile with what the entries make; what only follows from an entry named already is not named again.
  async compare(level, n, row) {
    const path = tilePath(level, n, row.length);
    const step = WIDTH ** level;
    const start = n * WIDTH * step;
    const bytes = await this.bytes(path);
    if (!bytes || bytes.length !== row.length * 32) {
      this.report.add(start, bytes ? "tile_width" : "file_missing", { path, there: bytes ? bytes.length / 32 : 0, width: row.length });
    }
    for (let i = 0; bytes && i < Math.min(row.length, bytes.length / 32); i += 1) {
      const first = start + i * step;
      const last = first + step - 1;
      if (equal(bytes.subarray(32 * i, 32 * i + 32), row[i]) || (level && this.report.within(first, last + 1))) continue;
      this.report.add(first, level ? "tile_hashes" : "tile_hash", { path, number: i, first, last });
    }
  }

  async finish(head) {
    for (const [level, row] of this.levels.entries()) {
      if (row.length) await this.compare(level, Math.floor(this.edge.size / WIDTH ** (level + 1)), row);
    }
    if (this.older?.size === this.edge.size) this.older.found = this.edge.root();
    if ((await this.lines.next()) !== null) this.report.add(head.size, "lines_beyond");
    if ((await this.rows.next()) !== null) this.report.add(head.size, "csv_beyond");
    if (!equal(this.edge.root(), head.root)) this.report.add(null, "root", { size: head.size });
  }

  async breathe(size) {
    if (performance.now() - this.told < PAUSE_MS) return;
    this.tell(this.edge.size, size);
    await new Promise((resolve) => setTimeout(resolve));
    this.told = performance.now();
  }
}

// Checks the older checkpoint, which must be the beginning of this log.
async function checkOlder(check, held, older, size) {
  const lost = check.successions.found.find((said) => said.kind === "lost" && said.old.name === older.origin && said.size < older.size);
  try {
    const key = check.successions.known(held).find(({ name }) => name === older.origin) ?? held;
    await openNote(older.note, key);
    if (lost) check.report.add(null, "older_lost", { first: lost.size, last: older.size - 1 });
    else if (older.size > size) check.report.add(null, "older_longer", { there: older.size, size });
    else if (!older.found || !equal(older.found, older.root)) check.report.add(null, "older_differs", { there: older.size });
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    check.report.add(null, "older_unsigned", { why: error.code, inner: error.values });
  }
}

// `files`: path → File; `held`: the key of whoever checks; `olderNote`: an older checkpoint, or null. Throws: Broken when it is no export.
async function checkExport(files, held, olderNote, tell, policy) {
  for (const name of ["checkpoint", "records.jsonl", "records.csv"]) if (!files.has(name)) throw new Broken("no_export", { path: name });
  const note = await files.get("checkpoint").text();
  const head = parseNote(note);
  const older = olderNote ? { ...parseNote(olderNote), note: olderNote } : null;
  const report = new Report("export");
  const check = new ExportCheck(files, older, report, tell, new Set([head.size - 1, older?.size - 1, older?.size]));
  await check.run(head);
  await checkHead(report, note, head, held, check.successions);
  if (older) await checkOlder(check, held, older, head.size);
  if (policy) await checkWitnesses(report, policy, head, check.times, head.size - 1);
  if (policy && older) await checkWitnesses(report, policy, older, check.times, older.size - 1, true);
  return Object.assign(report, { head, older });
}

// Checks who signed the checkpoint.
async function checkHead(report, note, head, held, successions) {
  const trusted = successions ? successions.trusted(held) : [held];
  const key = trusted.findLast(({ name }) => name === head.origin) ?? held;
  try {
    report.by = (await openNote(note, key)).by;
    report.signer = key;
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const lost = successions?.found.find((said) => said.kind === "lost" && trusted.some(({ line }) => line === said.old.line));
    if (lost) report.add(null, "key_lost", { first: lost.size, name: lost.next.name });
    else report.add(null, error.code, error.values);
  }
}
