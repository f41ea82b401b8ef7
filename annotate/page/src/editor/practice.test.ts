import assert from "node:assert/strict";
import { test } from "node:test";
import { belonging } from "./hints";
import { picture, practise } from "./practice";

test("pictures to practise on are such that hints find the disc, also with what makes slices differ", () => {
  for (let round = 0; round < 12; round++) {
    const found = belonging(picture(48, round)).reduce((sum, v) => sum + v, 0), disc = Math.PI * 12 * 12;
    assert.ok(found > 0.7 * disc && found < 1.4 * disc, `round ${round}: ${found} voxels, the disc has ${disc.toFixed(0)}`);
  }
});

test("it practises a picture at a time, and once", () => {
  const waiting: Array<() => void> = [];
  let pieces = 0;
  practise((next) => waiting.push(next));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    next();
    pieces++;
    assert.ok(waiting.length < 2);
  }
  assert.equal(pieces, 16);
  practise((next) => waiting.push(next));
  assert.equal(waiting.length, 0);
});
