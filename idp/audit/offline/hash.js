// SHA-256 (FIPS 180-4), at once instead of asynchronously: a log has millions of small texts, and asking the browser for each takes longer
// than computing it. The page compares it with the browser's own SHA-256 before it is used.
const ROUND = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const START = new Int32Array([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]);
const chained = new Int32Array(8);
const schedule = new Int32Array(64);
let block = new Uint8Array(4096);
let words = new DataView(block.buffer);

// Gives the 32 bytes of the hash over all parts, one after another.
function sha256(...parts) {
  let length = 0;
  for (const part of parts) length += part.length;
  const padded = Math.ceil((length + 9) / 64) * 64;
  if (padded > block.length) {
    block = new Uint8Array(padded * 2);
    words = new DataView(block.buffer);
  }
  let at = 0;
  for (const part of parts) {
    block.set(part, at);
    at += part.length;
  }
  block.fill(0, length, padded);
  block[length] = 0x80;
  words.setUint32(padded - 8, Math.floor(length / 0x20000000));
  words.setUint32(padded - 4, (length * 8) >>> 0);
  chained.set(START);
  for (let offset = 0; offset < padded; offset += 64) compress(offset);
  const digest = new Uint8Array(32);
  for (let i = 0; i < 32; i += 1) digest[i] = chained[i >> 2] >>> (24 - 8 * (i & 3));
  return digest;
}

function compress(offset) {
  const w = schedule;
  for (let i = 0; i < 16; i += 1) w[i] = words.getInt32(offset + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const a = w[i - 15];
    const b = w[i - 2];
    const s0 = ((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3);
    const s1 = ((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let a = chained[0];
  let b = chained[1];
  let c = chained[2];
  let d = chained[3];
  let e = chained[4];
  let f = chained[5];
  let g = chained[6];
  let h = chained[7];
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  chained[0] += a;
  chained[1] += b;
  chained[2] += c;
  chained[3] += d;
  chained[4] += e;
  chained[5] += f;
  chained[6] += g;
  chained[7] += h;
}
