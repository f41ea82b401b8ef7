import assert from "node:assert/strict";
import { test } from "node:test";
import { between, fillHoles, grow, largestPart, only, signedDistance, smooth } from "./shapes";

/** A mask of rows of text: # is 1, a digit itself, all else 0. */
function mask(...rows: string[]): { g: { width: number; height: number }; m: Uint8Array } {
  return { g: { width: rows[0].length, height: rows.length }, m: Uint8Array.from(rows.join("").split("").map((c) => (c === "#" ? 1 : Number(c) || 0))) };
}
const text = (m: Uint8Array, width: number) => Array.from({ length: m.length / width }, (_, y) => [...m.subarray(y * width, (y + 1) * width)].map((v) => (v === 1 ? "#" : v || ".")).join(""));

test("holes are filled, bays are not, and a hole is one that no straight step leaves", () => {
  const { g, m } = mask(
    ".......",
    ".#####.",
    ".#.#..#",
    ".###..#",
    ".#...##",
    ".######",
  );
  assert.deepEqual(text(fillHoles(g, m), g.width), [
    ".......",
    ".#####.",
    ".###..#",
    ".###..#",
    ".#...##",
    ".######",
  ].map((row, y) => (y === 2 || y === 3 || y === 4 ? [".######", ".######", ".######"][y - 2] : row)));
  const bay = mask("###", "#..", "###");
  assert.deepEqual(fillHoles(bay.g, bay.m), bay.m);
});

test("the largest part", () => {
  const { g, m } = mask("##..#", "....#", "#...#");
  assert.deepEqual(text(largestPart(g, m), 5), ["....#", "....#", "....#"]);
  assert.deepEqual(largestPart(g, new Uint8Array(15)), new Uint8Array(15));
});

test("signed distances equal brute force, with flat voxels too", () => {
  const { g, m } = mask("......", ".##...", ".##.#.", "......");
  for (const spacing of [[1, 1], [3, 1], [0.5, 0.8]] as Array<[number, number]>) {
    const half = Math.min(...spacing) / 2;
    signedDistance(g, m, spacing).forEach((d, i) => {
      let nearest = Infinity;
      for (let j = 0; j < m.length; j++) {
        if (m[j] === m[i]) continue;
        nearest = Math.min(nearest, Math.hypot((i % 6 - j % 6) * spacing[1], (Math.floor(i / 6) - Math.floor(j / 6)) * spacing[0]));
      }
      const want = m[i] ? nearest - half : half - nearest;
      assert.ok(Math.abs(d - want) < 1e-9, `${spacing} at ${i}: ${d}, want ${want}`);
    });
  }
  assert.equal(signedDistance(g, new Uint8Array(24), [1, 1])[0], -Infinity);
});

test("growing and shrinking by a voxel", () => {
  const { g, m } = mask(".....", "..#..", ".....");
  assert.deepEqual(text(grow(g, m, [1, 1], 1), 5), ["..#..", ".###.", "..#.."]);
  assert.deepEqual(text(grow(g, m, [2, 1], 1), 5), [".....", ".###.", "....."]);
  assert.deepEqual(text(grow(g, grow(g, m, [1, 1], 1), [1, 1], -1), 5), [".....", "..#..", "....."]);
  assert.deepEqual(text(grow(g, m, [0.6250001, 0.625], 0.625), 5), ["..#..", ".###.", "..#.."]);
});

test("smoothing takes spikes away and closes notches", () => {
  const { g, m } = mask(
    ".....#.....",
    ".....#.....",
    "..#######..",
    "..#######..",
    "..###.###..",
    "..#######..",
    "..#######..",
    "...........",
  );
  const after = smooth(g, m, [1, 1], 2);
  assert.equal(after[5], 0);
  assert.equal(after[4 * 11 + 5], 1);
});

test("between two slices lies the mean shape", () => {
  const wide = 41, g = { width: wide, height: wide };
  const disc = (x: number, y: number, r: number, label = 1) => Uint8Array.from({ length: wide * wide }, (_, i) => (Math.hypot(i % wide - x, Math.floor(i / wide) - y) <= r ? label : 0));
  const area = (m: Uint8Array, label = 1) => m.filter((v) => v === label).length;
  const middle = between(g, disc(20, 20, 6), disc(20, 20, 14), [1, 1], 0.5);
  assert.ok(Math.abs(Math.sqrt(area(middle) / Math.PI) - 10) < 0.5, `radius ${Math.sqrt(area(middle) / Math.PI)}, want 10`);
  assert.deepEqual(between(g, disc(20, 20, 6), disc(20, 20, 14), [1, 1], 0), disc(20, 20, 6));
  assert.deepEqual(between(g, disc(20, 20, 6), disc(20, 20, 14), [1, 1], 1), disc(20, 20, 14));
  // a class that ends
  const none = new Uint8Array(wide * wide), quarter = between(g, disc(20, 20, 12, 3), none, [1, 1], 0.25);
  assert.ok(area(quarter, 3) > 0 && area(quarter, 3) < area(disc(20, 20, 12)));
  assert.equal(area(between(g, disc(20, 20, 12, 3), none, [1, 1], 0.5), 3), 0);
  assert.equal(area(between(g, none, disc(20, 20, 12, 3), [1, 1], 0.4), 3), 0);
  assert.deepEqual(only(between(g, none, disc(20, 20, 12, 3), [1, 1], 1), 3), disc(20, 20, 12));
});
