// What a check found. Problems are kept by index, those of the whole after them; beyond twenty they are only counted.
const MOST = 20;

class Report {
  constructor(kind) {
    this.kind = kind;
    this.problems = [];
    this.more = 0;
    this.services = new Map();
    this.successions = [];
    this.entries = 0;
    this.firstTime = null;
    this.lastTime = null;
  }

  // `index` is null for what concerns the log as a whole.
  add(index, code, values = {}) {
    const place = (problem) => (problem.index === null ? Infinity : problem.index);
    const problem = { index, code, values };
    let at = this.problems.length;
    while (at > 0 && place(this.problems[at - 1]) > place(problem)) at -= 1;
    this.problems.splice(at, 0, problem);
    if (this.problems.length > MOST) {
      this.problems.pop();
      this.more += 1;
    }
  }

  within(first, end) {
    return this.problems.some(({ index }) => index !== null && first <= index && index < end);
  }

  count(record) {
    const name = record.client_name ?? record.client ?? null;
    const id = `${record.client ?? ""}\n${name ?? ""}\n${record.agency ?? ""}`;
    const found = this.services.get(id) ?? { name, agency: record.agency ?? "", reads: 0, denied: 0, others: 0 };
    found[["disclose", "consult", "verify", "export"].includes(record.action) ? "reads" : record.action === "denied" ? "denied" : "others"] += 1;
    this.services.set(id, found);
    this.entries += 1;
    const time = String(record.time ?? "");
    if (time && (this.firstTime === null || time < this.firstTime)) this.firstTime = time;
    if (time && (this.lastTime === null || time > this.lastTime)) this.lastTime = time;
  }
}
