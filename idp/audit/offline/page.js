// What people see: choosing files, the key from paper, and the report. Texts are set as text, never as markup.
const byId = (id) => document.getElementById(id);
const state = { language: "id", files: null, name: "", own: [], last: null };

function t(code, values = {}) {
  const sentence = WORDS[state.language][code === "root" && values.size !== undefined ? "root_" : code] ?? code;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? spoken(values[name]) : whole));
}

const spoken = (value) => (value instanceof Date ? moment(value) : typeof value === "number" ? new Intl.NumberFormat(state.language).format(value) : String(value));

// Entries carry UTC; people read the city's clock.
function moment(time) {
  const date = time instanceof Date ? time : new Date(time.replace(/(\.\d{3})\d*Z$/, "$1Z"));
  if (Number.isNaN(date.getTime())) return String(time);
  const parts = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Makassar" };
  const said = Object.fromEntries(new Intl.DateTimeFormat(state.language === "id" ? "id" : "en-GB", parts).formatToParts(date).map((p) => [p.type, p.value]));
  return `${said.day} ${said.month} ${said.year}, ${said.hour}${state.language === "id" ? "." : ":"}${said.minute} WITA`;
}

function element(name, { text, kind, word, children = [], ...attributes } = {}) {
  const made = document.createElement(name);
  if (text !== undefined || word) made.textContent = word ? t(word) : text;
  if (kind) made.className = kind;
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children.filter(Boolean));
  return made;
}

function speak() {
  document.documentElement.lang = state.language;
  document.title = `${t("title")} · Gerbang`;
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = t(place.dataset.word);
  byId("language").textContent = t("other_language");
  byId("language").lang = state.language === "id" ? "en" : "id";
  showChosen();
  if (state.last) show(state.last);
}

function showChosen() {
  const code = state.files ? "chosen_folder" : state.own.length ? "chosen_file" : "chosen_none";
  byId("chosen").textContent = t(code, { name: state.name, count: state.files?.size ?? 0 });
}

// Takes [path, File] pairs: a folder when one of them is a checkpoint or lies in a folder, else a history file, or a receipt with its keys.
function choose(pairs) {
  const at = pairs.map(([path]) => path).filter((path) => /(^|\/)checkpoint$/.test(path)).sort((a, b) => a.length - b.length)[0];
  state.last = state.files = null;
  state.own = [];
  if (at !== undefined || pairs.some(([path]) => path.includes("/"))) {
    const prefix = (at ?? "").slice(0, (at ?? "").length - "checkpoint".length);
    state.files = new Map(pairs.filter(([path]) => path.startsWith(prefix)).map(([path, file]) => [path.slice(prefix.length), file]));
    state.name = prefix.replace(/\/$/, "").split("/").pop() || pairs[0][0].split("/")[0];
  } else {
    state.own = pairs;
    state.name = pairs.map(([path]) => path).join(", ");
  }
  byId("result").replaceChildren();
  showChosen();
}

// What was dropped: files, or folders with all that lies in them.
async function dropped(entry, path = "") {
  if (entry.isFile) return [[path + entry.name, await new Promise((resolve, reject) => entry.file(resolve, reject))]];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const more = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!more.length) return found;
    for (const child of more) found.push(...(await dropped(child, `${path}${entry.name}/`)));
  }
}

// The key that counts: as typed; or the one the files bring, when its fingerprint is the typed one, or unconfirmed. Throws: Broken.
function heldKey(typed, brought) {
  const digits = typed.replace(/\s/g, "").toLowerCase();
  if (typed.includes("+")) return { ...parseKey(typed), from: "key_typed" };
  if (digits && !/^[0-9a-f]{64}$/.test(digits)) throw new Broken("key_malformed");
  if (!brought.trim()) throw new Broken("key_missing");
  const key = parseKey(brought);
  if (digits && key.fingerprint.replaceAll(" ", "") !== digits) throw new Broken("key_other");
  return { ...key, from: digits ? "key_paper" : "key_folder" };
}

async function selfTest() {
  if (!globalThis.crypto?.subtle) throw new Broken("no_crypto");
  for (const length of [0, 55, 56, 64, 5000]) {
    const bytes = new Uint8Array(length).map((_, i) => i * 7);
    if (!equal(sha256(bytes), new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)))) throw new Broken("self_test");
  }
}

async function checked() {
  await selfTest();
  const typed = byId("key").value.trim();
  const older = byId("older").value.trim() ? `${byId("older").value.trim()}\n` : null;
  const policy = byId("policy").value.trim() ? parsePolicy(byId("policy").value) : null;
  if (state.files) {
    const held = heldKey(typed, (await state.files.get("vkey")?.text()) ?? "");
    return Object.assign(await checkExport(state.files, held, older, tell, policy), { held });
  }
  if (!state.own.length) throw new Broken("no_input");
  const texts = await Promise.all(state.own.map(([, file]) => file.text()));
  const receipt = texts.find(isReceipt);
  if (receipt) return checkReceipt(receipt, texts.find((other) => other !== receipt) ?? null, typed);
  const [text] = texts;
  const held = heldKey(typed, parseHistory(text).vkey);
  return Object.assign(await checkHistory(text, held, tell, policy), { held });
}

function tell(done, all) {
  byId("stage").textContent = t("checking", { done, all });
  byId("progress").value = all ? done / all : 0;
}

async function run(event) {
  event.preventDefault();
  tell(0, 0);
  byId("working").hidden = false;
  try {
    state.last = Object.assign(await checked(), { at: new Date() });
  } catch (error) {
    const broken = error instanceof Broken ? error : new Broken("fault", { message: error.message });
    state.last = { kind: "unreadable", code: broken.code, values: broken.values };
  }
  byId("working").hidden = true;
  show(state.last);
  byId("result").focus();
}

function show(report) {
  if (report.kind === "unreadable") {
    const said = [element("h2", { word: "unreadable" }), element("p", { text: t(report.code, report.values) })];
    byId("result").replaceChildren(element("div", { kind: "notice attention verdict", children: said }));
    return;
  }
  const print = element("button", { kind: "button secondary", word: "print", type: "button" });
  print.addEventListener("click", () => window.print());
  byId("result").replaceChildren(
    ...[verdict(report), problems(report), facts(report), services(report), element("p", { kind: "small soft", word: "limits" }), print].filter(Boolean),
  );
}

function verdict(report) {
  const count = report.kind === "export" ? report.head.size : report.total;
  const [first] = report.problems;
  if (first) {
    const where = first.index === null ? t("bad_whole") : t("bad_first", { index: first.index });
    const said = [element("h2", { word: "bad" }), element("p", { text: where }), element("p", { text: sentence(first) }), element("p", { word: "bad_next" })];
    return element("div", { kind: "notice danger verdict", "data-verdict": "bad", "data-index": first.index ?? "", "data-code": first.code, children: said });
  }
  const known = report.held.from !== "key_folder";
  const said = [element("h2", { word: known ? "good" : "unconfirmed" }), element("p", { text: t(`good_${report.kind}`, { count }) })];
  if (!known) said.push(element("p", { word: "unconfirmed_text" }));
  const kind = known ? "notice verdict" : "notice attention verdict";
  return element("div", { kind, "data-verdict": known ? "good" : "unconfirmed", children: said });
}

function sentence({ code, values }) {
  return t(code, values.why ? { inner: t(values.why, values.inner) } : values);
}

function problems(report) {
  if (!report.problems.length) return null;
  const items = report.problems.map((problem) => {
    const where = problem.index === null ? t("problem_whole") : t("problem_at", { index: problem.index });
    return element("li", { children: [element("b", { text: `${where}: ` }), document.createTextNode(sentence(problem))] });
  });
  if (report.more) items.push(element("li", { text: t("more", { more: report.more }) }));
  return element("section", { kind: "card", children: [element("h2", { word: "problems" }), element("ul", { kind: "problems", children: items })] });
}

function facts(report) {
  const what = ["what", t(`what_${report.kind}`, { name: state.name })];
  return listed(report.kind === "receipt" ? [what, ...receiptRows(report), ["key_from", t(report.held.from)], ["checked_at", moment(report.at)]] : [what, ...logRows(report)]);
}

function logRows(report) {
  const { head, held, signer, older } = report;
  const rows = [["size", spoken(head.size)]];
  if (report.kind === "history") rows.push(["own", t(report.first ? "own_later" : "own_first", { count: report.total, first: report.first + 1 })]);
  if (report.firstTime) rows.push(["period", t("period_value", { first: moment(report.firstTime), last: moment(report.lastTime) })]);
  rows.push(["root", hex(head.root), "mono"], ["signer", signer ? signer.name : t("signer_none")]);
  rows.push(["fingerprint", (signer ?? held).fingerprint, "mono"], ["key_from", t(held.from)]);
  if (report.by) rows.push(["signature_by", t(`by_${report.by}`)]);
  if (older) rows.push(["older", report.problems.some(({ code }) => code.startsWith("older_")) ? t("older_bad") : t("older_good", { count: older.size })]);
  rows.push(["witnesses", witnesses(report)]);
  for (const said of report.successions) rows.push(["successions", t(`succession_${said.kind}`, { ...said, name: said.next.name })]);
  return [...rows, ["checked_at", moment(report.at)]];
}

// Tells who else signed, when, and whether they are enough.
function witnesses({ witnesses: heard }) {
  if (!heard) return t("witnesses_unasked");
  const present = [...heard.found].map(([name, at]) => `${name} (${moment(at)})`).join("; ") || t("witnesses_nobody");
  return `${t(heard.met ? "witnesses_enough" : "witnesses_few")} ${present}${heard.absent.length ? `. ${t("witnesses_absent", { names: heard.absent.join(", ") })}` : ""}`;
}

function listed(rows) {
  const lines = rows.map(([word, text, kind]) => element("div", { children: [element("dt", { word }), element("dd", { text, kind })] }));
  return element("section", { kind: "card", children: [element("h2", { word: "report" }), element("dl", { kind: "values", children: lines })] });
}

function services(report) {
  if (!report.services.size) return null;
  const numbers = ["reads", "denied", "others"];
  const found = [...report.services.values()].sort((a, b) => b.reads - a.reads || String(a.name).localeCompare(String(b.name)));
  const agency = (row) => row.agency && element("span", { kind: "small soft agency", text: t("of_agency", row) });
  const cells = (row) => numbers.map((name) => element("td", { kind: "num", text: spoken(row[name]) }));
  const body = found.map((row) =>
    element("tr", { children: [element("th", { scope: "row", children: [row.name ?? t("no_service"), agency(row)] }), ...cells(row)] }),
  );
  const sum = Object.fromEntries(numbers.map((name) => [name, found.reduce((total, row) => total + row[name], 0)]));
  const headings = ["service", ...numbers].map((word, i) => element("th", { scope: "col", word, kind: i ? "num" : "" }));
  const foot = element("tr", { children: [element("th", { scope: "row", word: "total" }), ...cells(sum)] });
  const parts = [
    element("thead", { children: [element("tr", { children: headings })] }),
    element("tbody", { children: body }),
    element("tfoot", { children: [foot] }),
  ];
  const table = element("table", { kind: "services", children: [element("caption", { word: "services" }), ...parts] });
  return element("section", { kind: "card", children: [element("div", { kind: "scroll", tabindex: "0", children: [table] })] });
}

byId("folder").addEventListener("change", ({ target }) => choose([...target.files].map((file) => [file.webkitRelativePath || file.name, file])));
byId("file").addEventListener("change", ({ target }) => choose([...target.files].map((file) => [file.name, file])));
for (const name of ["folder", "file"]) {
  byId(name).addEventListener("click", ({ target }) => {
    target.value = ""; // so that the same folder, changed meanwhile, is read anew
  });
}
byId("policy-file").addEventListener("change", async ({ target }) => {
  byId("policy").value = (await target.files[0]?.text()) ?? "";
  target.value = "";
});
byId("ask").addEventListener("submit", run);
byId("language").addEventListener("click", () => {
  state.language = state.language === "id" ? "en" : "id";
  speak();
});
for (const name of ["dragover", "dragleave", "drop"]) {
  byId("drop").addEventListener(name, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", name === "dragover");
  });
}
byId("drop").addEventListener("drop", async ({ dataTransfer }) => {
  const entries = [...dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  choose((await Promise.all(entries.map((entry) => dropped(entry)))).flat());
});
speak();
