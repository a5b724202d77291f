// Ed25519 (RFC 8032): the browser's own verification where it has one, else ours. Only verification: no secret is ever here.
const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (a) => ((a % P) + P) % P;

function power(base, exponent) {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = (b * b) % P) if (e & 1n) result = (result * b) % P;
  return result;
}

const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

function number(bytes) {
  let result = 0n;
  for (let i = bytes.length - 1; i >= 0; i -= 1) result = (result << 8n) | BigInt(bytes[i]);
  return result;
}

// RFC 8032 §5.1.3: gives a point (x, y, z, t), or null when the bytes are none.
function decodePoint(bytes) {
  const all = number(bytes);
  const sign = all >> 255n;
  const y = all & (2n ** 255n - 1n);
  if (y >= P) return null;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  let x = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n));
  if (mod(v * x * x) !== u) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(v * x * x) !== u || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

function addPoints([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * t1 * t2 * D);
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function multiply(factor, point) {
  let result = [0n, 1n, 1n, 0n];
  for (let n = factor, p = point; n > 0n; n >>= 1n, p = addPoints(p, p)) if (n & 1n) result = addPoints(result, p);
  return result;
}

async function ownVerification(key, signature, message) {
  const base = decodePoint(Uint8Array.from([0x58, ...new Array(31).fill(0x66)]));
  const public_ = decodePoint(key);
  const r = decodePoint(signature.slice(0, 32));
  const s = number(signature.slice(32));
  if (!public_ || !r || s >= ORDER) return false;
  const joined = new Uint8Array([...signature.slice(0, 32), ...key, ...message]);
  const k = number(new Uint8Array(await crypto.subtle.digest("SHA-512", joined))) % ORDER;
  const left = multiply(s, base);
  const right = addPoints(r, multiply(k, public_));
  return mod(left[0] * right[2]) === mod(right[0] * left[2]) && mod(left[1] * right[2]) === mod(right[1] * left[2]);
}

// Tells whether the signature is the key's, and by whose code that was found: "browser" or "page".
async function verifyEd25519(key, signature, message) {
  if (signature.length !== 64) return { good: false, by: "page" };
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return { good: await ownVerification(key, signature, message), by: "page" };
  }
  return { good: await crypto.subtle.verify("Ed25519", imported, signature, message), by: "browser" };
}
