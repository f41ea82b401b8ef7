import assert from "node:assert/strict";
import { test } from "node:test";
import { cheapest, never, type Prices } from "./cut";

/** Numbers from 0 to 1 that are always the same. */
function random(seed: number): () => number {
  let s = seed;
  return () => (s = (s * 1664525 + 1013904223) >>> 0) / 2 ** 32;
}

function prices(width: number, height: number, of: () => number, join: () => number): Prices {
  const make = (f: () => number) => Float32Array.from({ length: width * height }, f);
  return { width, height, belongs: make(of), not: make(of), joins: [make(join), make(join), make(join), make(join)] };
}

/** What a division costs. */
function total(p: Prices, belongs: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < p.width * p.height; i++) {
    const x = i % p.width, y = Math.floor(i / p.width);
    sum += belongs[i] ? p.belongs[i] : p.not[i];
    [[1, 0], [0, 1], [1, 1], [-1, 1]].forEach(([dx, dy], k) => {
      const u = x + dx, v = y + dy;
      if (u >= 0 && u < p.width && v < p.height && belongs[v * p.width + u] !== belongs[i]) sum += p.joins[k][i];
    });
  }
  return sum;
}

test("no other division of a small grid is cheaper", () => {
  const next = random(7);
  for (const [width, height] of [[1, 1], [1, 6], [5, 1], [3, 4], [4, 3]]) {
    for (let round = 0; round < 40; round++) {
      const p = prices(width, height, () => (next() < 0.4 ? 0 : 2 * next()), () => (next() < 0.2 ? 0 : next())), n = width * height;
      if (round % 3 === 0) { p.belongs[0] = never; p.not[n - 1] = never; }
      let least = Infinity;
      for (let bits = 0; bits < 2 ** n; bits++) least = Math.min(least, total(p, Array.from({ length: n }, (_, i) => bits >> i & 1)));
      const got = total(p, cheapest(p));
      assert.ok(got <= least + 1e-4 * Math.max(1, least), `${width} × ${height}, round ${round}: ${got}, the cheapest is ${least}`);
    }
  }
});

/** A disc that is cheaper to belong, with a dear border everywhere but at its edge. */
function disc(size: number, next: () => number): { p: Prices; inside: Uint8Array } {
  const inside = Uint8Array.from({ length: size * size }, (_, i) => Number(Math.hypot(i % size - size / 2, Math.floor(i / size) - size / 2) < size / 4));
  const p = prices(size, size, () => 0.3 * next(), () => 0);
  [[1, 0], [0, 1], [1, 1], [-1, 1]].forEach(([dx, dy], k) => {
    for (let i = 0; i < size * size; i++) p.joins[k][i] = inside[i] === (inside[i + dy * size + dx] ?? 0) ? 0.5 + 0.5 * next() : 0.01;
  });
  inside.forEach((v, i) => (v ? p.not : p.belongs)[i] += 0.05);
  for (let i = 0; i < 9; i++) p.not[(size >> 1) * size + (size >> 1) + i] = never;
  for (let i = 0; i < size; i++) p.belongs[i] = never;
  return { p, inside };
}

test("a large grid is cut along what is cheap, on blocks first as at once", () => {
  for (const size of [60, 200, 513]) {
    const { p, inside } = disc(size, random(size)), got = cheapest(p);
    let wrong = 0;
    for (let i = 0; i < got.length; i++) if (got[i] !== inside[i]) wrong++;
    assert.ok(wrong <= 0.001 * got.length, `${size}: ${wrong} of ${got.length} voxels are on the other side`);
    assert.ok(total(p, got) <= 1.02 * total(p, inside), `${size}: it costs ${total(p, got)}, the disc ${total(p, inside)}`);
  }
});

test("what a person has pointed at is where they said, also between blocks", () => {
  const size = 160, { p } = disc(size, random(3)), hole = 80 * size + 95;
  p.belongs[hole] = never; // a single voxel within the disc
  p.not[5 * size + 41] = never; // and one outside
  const got = cheapest(p);
  assert.equal(got[hole], 0);
  assert.equal(got[5 * size + 41], 1);
});
