// The formats of the log: signed notes, checkpoints and verifier keys (C2SP signed-note, tlog-checkpoint), tiles (tlog-tiles), the Merkle
// tree (RFC 6962 §2.1), and what opens an entry (docs/log.md).
const WIDTH = 256;
const LEAF = 65;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const bytesOf = (text) => encoder.encode(text);
const EMPTY_ROOT = sha256();
const ACCESS = bytesOf("gerbang-log/access/v1\0");
const SUBJECT = bytesOf("gerbang-log/subject/v1\0");
const NONE = bytesOf("gerbang-log/none/v1\0");
const ZEROS = new Uint8Array(32);

// Something is not what its format says. `code` names a sentence of words.js.
class Broken extends Error {
  constructor(code, values = {}) {
    super(code);
    this.code = code;
    this.values = values;
  }
}

const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 1) text += PAIRS[bytes[i]];
  return text;
}

function equal(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

// Reads base64. Throws: Broken.
function unbase64(text) {
  let binary;
  try {
    if (typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Error();
    binary = atob(text);
  } catch {
    throw new Broken("not_base64");
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

// RFC 8785 for strings, whole numbers, lists and objects, which is all that entries hold.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${members.join(",")}}`;
}

// signed-note: <name>+<key id>+<base64 of type and key>; type 1 signs, type 4 cosigns (tlog-cosignature). Throws: Broken.
function parseKey(line, type = 1) {
  const text = line.trim();
  const found = /^([^\s+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text);
  if (!found) throw new Broken("key_malformed");
  const material = unbase64(found[3]);
  if (material.length !== 33 || material[0] !== type) throw new Broken("key_malformed");
  const key = { name: found[1], public: material.slice(1), line: text, id: hex(sha256(bytesOf(`${found[1]}\n`), material).slice(0, 4)) };
  if (key.id !== found[2]) throw new Broken("key_id");
  return { ...key, fingerprint: hex(sha256(bytesOf(text))).replace(/(.{4})(?=.)/g, "$1 ") };
}

// tlog-checkpoint, whoever signed it: origin, size, root, and the signature lines. Throws: Broken.
function parseNote(note) {
  const at = note.lastIndexOf("\n\n");
  const lines = note.slice(0, at).split("\n");
  const size = Number(lines[1]);
  const right = at > 0 && note.endsWith("\n") && lines.length === 3 && lines[0] && /^(0|[1-9][0-9]{0,14})$/.test(lines[1]);
  if (!right) throw new Broken("note_malformed");
  const root = unbase64(lines[2]);
  if (root.length !== 32) throw new Broken("note_malformed");
  return { origin: lines[0], size, root, body: note.slice(0, at + 1), signatures: note.slice(at + 2).trimEnd().split("\n") };
}

// Checks that the key signed a text, whose signature lines are given. Gives by whose code; throws: Broken.
async function requireSignature(text, signatures, key) {
  for (const line of signatures) {
    const [dash, name, blob] = line.split(" ");
    if (dash !== "\u2014" || name !== key.name) continue;
    const signature = unbase64(blob);
    if (hex(signature.slice(0, 4)) !== key.id) continue;
    const { good, by } = await verifyEd25519(key.public, signature.slice(4), bytesOf(text));
    if (!good) throw new Broken("signature_wrong");
    return by;
  }
  throw new Broken("not_signed");
}

// Reads a checkpoint signed by the key. Throws: Broken.
async function openNote(note, key) {
  const head = parseNote(note);
  if (head.origin !== key.name) throw new Broken("other_log", { origin: head.origin, name: key.name });
  return { ...head, by: await requireSignature(head.body, head.signatures, key) };
}

const leafHash = (entry) => sha256([0], entry);
const nodeHash = (left, right) => sha256([1], left, right);
const accessCommitment = (nonce, record) => sha256(ACCESS, nonce, record);
const noneCommitment = (nonce, ac) => sha256(NONE, nonce, ac);
const subjectCommitment = (nonce, ac, subject) => sha256(SUBJECT, nonce, ac, subject);

// The right edge of a growing tree: the roots of its perfect subtrees, largest first.
class Edge {
  constructor() {
    this.size = 0;
    this.hashes = [];
  }

  add(hash) {
    let carry = hash;
    for (let bits = this.size; bits % 2 === 1; bits = Math.floor(bits / 2)) carry = nodeHash(this.hashes.pop(), carry);
    this.hashes.push(carry);
    this.size += 1;
  }

  root() {
    if (!this.hashes.length) return EMPTY_ROOT;
    return this.hashes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), this.hashes.at(-1));
  }
}

function perfectRoot(hashes) {
  const edge = new Edge();
  for (const hash of hashes) edge.add(hash);
  return edge.root();
}

// RFC 9162 §2.1.3.2: the root that an inclusion proof leads to, null when its shape is wrong.
function rootFromInclusion(index, size, leaf, path) {
  if (!(index >= 0 && index < size)) return null;
  let [position, last, result] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) return null;
    if (position % 2 === 1 || position === last) {
      result = nodeHash(sibling, result);
      while (position % 2 === 0 && position) [position, last] = [position / 2, Math.floor(last / 2)];
    } else {
      result = nodeHash(result, sibling);
    }
    [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  }
  return last ? null : result;
}

// tlog-tiles: <N> in groups of three digits, each but the last with a leading x; partial ones end in .p/<W>.
function tileNumber(n, width) {
  const groups = [String(n % 1000).padStart(3, "0")];
  for (let rest = Math.floor(n / 1000); rest; rest = Math.floor(rest / 1000)) groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  return groups.join("/") + (width === WIDTH ? "" : `.p/${width}`);
}

const tilePath = (level, n, width) => `tile/${level}/${tileNumber(n, width)}`;
const bundlePath = (n, width) => `tile/entries/${tileNumber(n, width)}`;

// Reads the entries of a bundle. Throws: Broken.
function decodeBundle(bytes, path) {
  const entries = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + 2;
    at = start + bytes[at] * 256 + bytes[at + 1];
    if (!(at <= bytes.length)) throw new Broken("bundle_broken", { path });
    entries.push(bytes.subarray(start, at));
  }
  return entries;
}
