// Checks a signed receipt: of a permission (consent-receipt+jwt), or of a read that an agency reported (access-report-receipt+jwt). The key comes
// from the city's jwks.json; its name is the hash of itself (RFC 7638), so a name from paper tells whether it is the right one.
const RECEIPTS = ["consent-receipt+jwt", "access-report-receipt+jwt"];

const fromBase64url = (text) => unbase64(text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat((4 - (text.length % 4)) % 4));
const isReceipt = (text) => /^[\w-]+\.[\w-]+\.[\w-]+\s*$/.test(text);

// Throws: Broken.
function parseReceipt(text) {
  try {
    const [head, body, signature] = text.trim().split(".");
    const [header, payload] = [head, body].map((part) => JSON.parse(decoder.decode(fromBase64url(part))));
    if (header.alg !== "ES256" || !RECEIPTS.includes(header.typ) || header.crit || typeof payload.iss !== "string") throw new Error();
    return { header, payload, signed: bytesOf(`${head}.${body}`), signature: fromBase64url(signature) };
  } catch {
    throw new Broken("receipt_malformed");
  }
}

function thumbprint({ crv, kty, x, y }) {
  return base64(sha256(bytesOf(canonical({ crv, kty, x, y })))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

// Gives the key that the receipt names. `jwks`: the text of jwks.json, or null. Throws: Broken.
function receiptKey(header, jwks) {
  if (!jwks) throw new Broken("jwks_missing");
  let keys;
  try {
    keys = JSON.parse(jwks).keys.filter((key) => key.kid === header.kid && key.kty === "EC" && key.crv === "P-256");
  } catch {
    throw new Broken("jwks_missing");
  }
  if (keys.length !== 1 || thumbprint(keys[0]) !== header.kid) throw new Broken("jwks_unknown", { kid: String(header.kid) });
  return keys[0];
}

// `typed`: the key's name from paper, or nothing. Throws: Broken when it is no receipt, or there is no key.
async function checkReceipt(text, jwks, typed) {
  const { header, payload, signed, signature } = parseReceipt(text);
  const { kty, crv, x, y } = receiptKey(header, jwks);
  const report = Object.assign(new Report("receipt"), { payload, type: header.typ, kid: header.kid, total: 1 });
  const name = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, name, false, ["verify"]);
  if (!(await crypto.subtle.verify(name, key, signature, signed))) report.add(null, "receipt_forged");
  if (typed && typed !== header.kid) report.add(null, "receipt_other", { kid: header.kid });
  return Object.assign(report, { held: { from: typed ? "key_paper" : "key_folder" } });
}

// What the receipt says, as rows [word, text].
function receiptRows({ payload, type, kid }) {
  const rows = [["issuer", payload.iss]];
  if (type === RECEIPTS[0]) {
    const [{ name, service }] = payload.pii_controllers;
    const [purpose] = payload.purposes;
    const allowed = purpose.pii_information.filter((kind) => kind.allowed).map((kind) => kind.type);
    rows.push(["service", service], ["agency", name], ["purpose", purpose.title], ["ground", purpose.legality]);
    rows.push(["event", t(`event_${payload.event.type}`)], ["when", moment(new Date(payload.event.time))], ["allowed", allowed.join(", ") || "–"]);
  } else {
    rows.push(["service", payload.aud], ["when", moment(new Date(payload.iat * 1000))], ["report_id", payload.report_id]);
    rows.push(["entry", spoken(payload.index)]);
  }
  return [...rows, ["number", payload.jti], ["receipt_key", kid, "mono"]];
}
