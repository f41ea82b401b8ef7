import assert from "node:assert/strict";
import { test } from "node:test";
import { belonging, type Pointed } from "./hints";

/** Numbers from 0 to 1 that are always the same. */
function random(seed: number): () => number {
  let s = seed;
  return () => (s = (s * 1664525 + 1013904223) >>> 0) / 2 ** 32;
}

/** Two bright discs that touch on a grey ground, with noise: the left one is the organ. */
function scene(size: number, noise: number): Pointed & { organ: Uint8Array } {
  const n = size * size, next = random(size), image = new Float32Array(n), organ = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    const x = i % size / size, y = Math.floor(i / size) / size;
    organ[i] = Number(Math.hypot(x - 0.37, y - 0.5) < 0.17);
    image[i] = 100 + (organ[i] ? 80 : 0) + (Math.hypot(x - 0.72, y - 0.5) < 0.17 ? 80 : 0) + noise * (next() + next() + next() + next() - 2) * 1.7;
  }
  return { width: size, height: size, image, window: { low: 0, high: 255 }, spacing: [1, 1], hints: new Uint8Array(n), chances: null, organ };
}

function dice(a: Uint8Array, b: Uint8Array): number {
  let both = 0, sum = 0;
  for (let i = 0; i < a.length; i++) { both += a[i] & b[i]; sum += a[i] + b[i]; }
  return 2 * both / sum;
}

/** A stroke of a few voxels' width, by shares of the slice's side. */
function stroke(p: Pointed, x0: number, y0: number, x1: number, y1: number, kind: number): void {
  for (let t = 0; t <= 1; t += 0.002) {
    const x = Math.round((x0 + t * (x1 - x0)) * p.width), y = Math.round((y0 + t * (y1 - y0)) * p.height);
    for (let v = -1; v <= 1; v++) for (let u = -1; u <= 1; u++) p.hints[(y + v) * p.width + x + u] = kind;
  }
}

for (const [size, noise] of [[128, 12], [256, 20], [512, 25], [1500, 25]] as const) {
  test(`without a network two strokes find the organ: ${size}, noise ${noise}`, () => {
    const p = scene(size, noise);
    stroke(p, 0.28, 0.5, 0.46, 0.5, 1);
    stroke(p, 0.66, 0.5, 0.78, 0.5, 2);
    const from = performance.now(), got = belonging(p);
    console.log(`${size}: Dice ${dice(got, p.organ).toFixed(3)}, ${(performance.now() - from).toFixed(0)} ms`);
    assert.ok(dice(got, p.organ) > 0.95, `Dice ${dice(got, p.organ)}`);
  });

  test(`a network's fault is mended by a click, what it had right stays: ${size}, noise ${noise}`, () => {
    const p = scene(size, noise);
    // the network took the other disc too, and missed the lower third of the organ
    p.chances = p.organ.map((v, i) => (v && Math.floor(i / size) / size < 0.58) || Math.hypot(i % size / size - 0.72, Math.floor(i / size) / size - 0.5) < 0.17 ? 240 : 8);
    const before = dice(p.chances.map((v) => Number(v > 127)), p.organ);
    stroke(p, 0.32, 0.62, 0.42, 0.62, 1);
    stroke(p, 0.66, 0.5, 0.78, 0.5, 2);
    const from = performance.now(), got = belonging(p);
    console.log(`${size}: Dice ${before.toFixed(3)} to ${dice(got, p.organ).toFixed(3)}, ${(performance.now() - from).toFixed(0)} ms`);
    assert.ok(before < 0.7 && dice(got, p.organ) > 0.92, `Dice ${before} before, ${dice(got, p.organ)} after`);
    for (let i = 0; i < got.length; i++) if (p.hints[i] > 0) assert.equal(got[i], Number(p.hints[i] === 1));
  });
}

test("without any hint the network's mask comes out, and without both nothing", () => {
  const p = scene(128, 12);
  assert.ok(!belonging(p).includes(1));
  p.chances = p.organ.map((v) => (v ? 250 : 5));
  assert.ok(dice(belonging(p), p.organ) > 0.99);
});
