// Whose cosignatures a checkpoint must bear (C2SP tlog-policy, tlog-cosignature), and whether their times fit those of the entries. The
// same as `idp audit verify DIR --policy FILE` and `idp audit verify-receipt FILE --policy FILE`.
const TOLERANCE_MS = 5 * 60 * 1000;
const MOST_LINES = 1024;
const COSIGNATURE = 72; // u64 time, and an Ed25519 signature

// Reads a policy. Throws: Broken, with the line that is wrong; line 0 when the quorum is missing.
function parsePolicy(text) {
  const policy = { logs: [], witnesses: [], groups: new Map(), quorum: null, names: new Set(), members: new Set() };
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  if (lines.length > MOST_LINES) throw new Broken("policy_line", { line: MOST_LINES + 1 });
  for (const [at, line] of lines.entries()) {
    const [keyword, ...words] = line.split(/[ \t]+/).filter(Boolean);
    if (keyword === undefined || keyword.startsWith("#")) continue;
    try {
      if (/[\0-\x08\x0b-\x1f\x7f]/.test(line) || !POLICY_LINES[keyword]?.(policy, words)) throw new Broken("policy_line");
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      throw new Broken("policy_line", { line: at + 1 });
    }
  }
  if (policy.quorum === null) throw new Broken("policy_quorum_line");
  return policy;
}

// Each gives whether its line is right.
const POLICY_LINES = {
  log(policy, words) {
    const key = words.length === 1 || words.length === 2 ? parseKey(words[0]) : null;
    return Boolean(key) && !policy.logs.some((known) => equal(known.public, key.public)) && policy.logs.push(key);
  },
  witness(policy, words) {
    if (words.length !== 2 && words.length !== 3) return false;
    const key = parseKey(words[1], 4);
    if (policy.witnesses.some((known) => equal(known.key.public, key.public)) || !defined(policy, words[0])) return false;
    return policy.witnesses.push({ name: words[0], key });
  },
  group(policy, [name, threshold, ...members]) {
    if (!members.length || members.some((member) => !policy.names.has(member) || policy.members.has(member))) return false;
    if (new Set(members).size !== members.length || !defined(policy, name)) return false;
    for (const member of members) policy.members.add(member);
    const least = { all: members.length, any: 1 }[threshold] ?? (/^\d{1,4}$/.test(threshold) ? Number(threshold) : 0);
    return least >= 1 && least <= members.length && policy.groups.set(name, { least, members });
  },
  quorum(policy, words) {
    if (words.length !== 1 || policy.quorum !== null || (words[0] !== "none" && !policy.names.has(words[0]))) return false;
    [policy.quorum] = words;
    return true;
  },
};

function defined(policy, name) {
  return name !== "none" && !policy.names.has(name) && policy.names.add(name);
}

// Tells whether these witnesses, by their names in the policy, are a quorum.
function quorumMet(policy, names) {
  const met = (name) => {
    const group = policy.groups.get(name);
    return group ? group.members.filter(met).length >= group.least : names.has(name);
  };
  return policy.quorum === "none" || met(policy.quorum);
}

// Gives who of the policy cosigned, and when (Map of name → Date, the newest). signed-note: "If the key name and ID match a known key,
// verifiers MUST verify the signature". Throws: Broken.
async function cosigners(policy, head) {
  const found = new Map();
  for (const { name, key } of policy.witnesses) {
    for (const line of head.signatures) {
      const [dash, signer, blob, ...rest] = line.split(" ");
      if (dash !== "\u2014" || signer !== key.name || rest.length) continue;
      const signature = unbase64(blob ?? "");
      if (hex(signature.subarray(0, 4)) !== key.id) continue;
      const time = await cosignedAt(key, signature.slice(4), head.body);
      if (time === null) throw new Broken("cosignature_forged", { name });
      if (!(found.get(name) >= time)) found.set(name, time);
    }
  }
  return found;
}

async function cosignedAt(key, signature, body) {
  if (signature.length !== COSIGNATURE) return null;
  const seconds = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  const { good } = await verifyEd25519(key.public, signature.slice(8), bytesOf(`cosignature/v1\ntime ${seconds}\n${body}`));
  return good && seconds > 0n && seconds < 1n << 63n ? new Date(Math.min(Number(seconds) * 1000, 253402300799000)) : null;
}

// Adds what the policy has against a checkpoint. `times`: of entries by index, as their records say; `covered`: the newest entry known
// that the checkpoint covers; `older`: whether the checkpoint is only looked at for times.
async function checkWitnesses(report, policy, head, times, covered, older = false) {
  let found = new Map();
  try {
    found = await cosigners(policy, head);
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    if (!older) report.add(null, error.code, error.values);
  }
  const absent = policy.witnesses.map(({ name }) => name).filter((name) => !found.has(name));
  if (!older) {
    report.witnesses = { found, absent, met: quorumMet(policy, new Set(found.keys())) };
    if (!report.witnesses.met) report.add(null, "quorum_missing", { present: [...found.keys()].join(", ") || "–", absent: absent.join(", ") });
    if (policy.logs.length && !(await anyOpens(policy.logs, head))) report.add(null, "policy_log");
  }
  compareTimes(report, policy, found, covered, times.get(covered), (at, time) => at < time - TOLERANCE_MS, "cosigned_before", Math.max);
  compareTimes(report, policy, found, head.size, times.get(head.size), (at, time) => at > time + TOLERANCE_MS, "cosigned_without", Math.min);
}

// A cosignature says: at this time, this was the whole log that I know of. A quorum must contradict; one wrong clock does not count.
function compareTimes(report, policy, found, index, said, contradicts, code, choose) {
  const time = Date.parse(said ?? "");
  if (Number.isNaN(time)) return;
  const against = [...found].filter(([, at]) => contradicts(at.getTime(), time));
  if (!against.length || !quorumMet(policy, new Set(against.map(([name]) => name)))) return;
  report.add(index, code, { time: new Date(time), when: new Date(choose(...against.map(([, at]) => at.getTime()))) });
}

async function anyOpens(keys, head) {
  for (const key of keys) {
    try {
      if (head.origin === key.name) await requireSignature(head.body, head.signatures, key);
      if (head.origin === key.name) return true;
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
    }
  }
  return false;
}
