// Checks what a citizen downloaded: one entry, or a history (gerbang-history/v1). The same as `idp audit verify-receipt FILE`.
const HISTORY = "gerbang-history/v1";

// Throws: Broken.
function parseHistory(text) {
  try {
    const value = JSON.parse(text);
    if (value.format !== HISTORY) throw new Broken("no_history");
    return { note: String(value.checkpoint), vkey: String(value.vkey ?? ""), entries: value.entries.map(historyEntry) };
  } catch {
    throw new Broken("no_history");
  }
}

function historyEntry({ index, leaf, nonce_a: nonceA, nonce_s: nonceS, record, subject, proof }) {
  if (!Number.isInteger(index) || typeof record !== "object" || record === null) throw new Broken("no_history");
  const shared = { index, leaf: unbase64(leaf), nonceA: unbase64(nonceA), record, proof: proof.map(unbase64) };
  // What had been withheld does not tell its number and the entry before it: that may be one whose day has not come.
  if (record.visibility === "delayed") return { ...shared, withheld: true };
  if (!Number.isInteger(subject.n)) throw new Broken("no_history");
  return { ...shared, withheld: false, nonceS: unbase64(nonceS), subject };
}

class HistoryCheck {
  constructor(head) {
    this.head = head;
    this.before = -1;
    this.person = null;
    this.next = null;
    this.prev = null;
  }

  // Gives [code, values] of what is wrong with an entry, null when nothing is.
  problem(entry) {
    if (entry.index <= this.before) return ["history_order", { before: this.before }];
    const found = this.opening(entry) ?? (entry.withheld ? null : this.chain(entry));
    this.before = entry.index;
    return found;
  }

  opening({ index, leaf, nonceA, nonceS, record, subject, proof, withheld }) {
    if (leaf.length !== LEAF || leaf[0] !== 1) return ["leaf_form"];
    const [sc, ac] = [leaf.subarray(1, 33), leaf.subarray(33)];
    if (!equal(accessCommitment(nonceA, bytesOf(canonical(record))), ac)) return ["ac"];
    if (!withheld && !equal(subjectCommitment(nonceS, ac, bytesOf(canonical(subject))), sc)) return ["sc"];
    const root = rootFromInclusion(index, this.head.size, leafHash(leaf), proof);
    return root && equal(root, this.head.root) ? null : ["not_in_log"];
  }

  chain({ leaf, subject }) {
    this.person ??= subject.person;
    if (subject.person !== this.person) return ["somebody_else"];
    const prev = this.prev ?? (subject.n ? null : ZEROS);
    if (subject.n !== (this.next ?? subject.n)) return ["gap", { n: subject.n, next: this.next }];
    if (prev && subject.prev !== base64(prev)) return ["chain"];
    this.next = subject.n + 1;
    this.prev = leaf.subarray(1, 33);
    return null;
  }
}

// Throws: Broken when it is no history file.
async function checkHistory(text, held, tell, policy) {
  const { note, entries } = parseHistory(text);
  const head = parseNote(note);
  const report = new Report("history");
  await checkHead(report, note, head, held, null);
  const check = new HistoryCheck(head);
  for (const [number_, entry] of entries.entries()) {
    const problem = check.problem(entry);
    if (problem) {
      report.add(entry.index, ...problem);
      break;
    }
    report.count(entry.record);
    if (number_ % 100 === 99) {
      tell(number_, entries.length);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  const last = entries.at(-1);
  if (policy) await checkWitnesses(report, policy, head, new Map(last ? [[last.index, String(last.record.time ?? "")]] : []), last?.index);
  report.total = entries.length;
  return Object.assign(report, { head, first: entries.find((entry) => !entry.withheld)?.subject.n ?? 0 });
}
