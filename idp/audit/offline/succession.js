// How a log went on under a new key and origin: an entry states it as a signed note (docs/decisions/0014). A planned change is signed by
// the key before it, so whoever holds that key may trust the new one; after a loss nobody may, without the new fingerprint on paper.
class Successions {
  constructor(report) {
    this.report = report;
    this.found = report.successions;
  }

  // Looks whether a record states a succession. `edge`: the tree of the entries before it.
  async see(index, record, edge) {
    if (record.action !== "key" || record.outcome !== "succession" || typeof record.reason !== "string") return;
    try {
      const said = await parseSuccession(record.reason);
      if (said.size !== index) this.report.add(index, "succession_place", { size: said.size });
      else if (!equal(said.root, edge.root())) this.report.add(index, "succession_root");
      if (said.kind === "planned" && !said.signed) this.report.add(index, "succession_unsigned", { name: said.next.name });
      if (said.kind === "planned" && (said.ended.size !== said.size || !equal(said.ended.root, said.root))) this.report.add(index, "succession_lossy");
      this.found.push(said);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.report.add(index, "succession_broken");
    }
  }

  // The keys that the held one vouches for, itself first.
  trusted(held) {
    const keys = [held];
    for (const said of this.found) {
      if (said.kind === "planned" && said.signed && keys.some((key) => key.line === said.old.line)) keys.push(said.next);
    }
    return keys;
  }

  // Every key that the log names, the held one first.
  known(held) {
    return [held, ...this.found.flatMap((said) => [said.old, said.next])];
  }
}

// Throws: Broken.
async function parseSuccession(note) {
  const at = note.indexOf("\n\n");
  const text = note.slice(0, at);
  const lines = text.split("\n");
  const [, size, root] = /^(\d{1,15}) (.*)$/.exec(lines[4] ?? "") ?? [];
  if (at < 0 || lines.length !== 7 || lines[0] !== "gerbang-log/succession/v1" || size === undefined) throw new Broken("succession_broken");
  const [old, next] = [parseKey(lines[2]), parseKey(lines[5])];
  const ended = await openNote(decoder.decode(unbase64(lines[3])), old);
  let signed = true;
  try {
    await requireSignature(`${text}\n`, note.slice(at + 2).split("\n"), old);
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    signed = false;
  }
  const kind = lines[1] === "planned" ? "planned" : "lost";
  return { kind, old, next, ended, signed, size: Number(size), root: unbase64(root), words: lines[6], lost: Math.max(0, ended.size - Number(size)) };
}
