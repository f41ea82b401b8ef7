import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, fraction, number, when } from "./format";

test("numbers", () => {
  assert.equal(number(0.123456), "0.123");
  assert.equal(number(1234.6), "1235");
  assert.equal(number(-2.5), "\u22122.5");
  assert.equal(number(null), "–");
  assert.equal(number(NaN), "–");
  assert.equal(fraction(0.9), "0.900");
  assert.equal(fraction(undefined), "–");
});

test("durations", () => {
  assert.equal(duration(7.6), "8 s");
  assert.equal(duration(59.7), "1 min 00 s");
  assert.equal(duration(125), "2 min 05 s");
  assert.equal(duration(4805), "1 h 20 min");
  assert.equal(duration(-1), "0 s");
});

test("points in time", () => {
  const now = new Date(2026, 10, 30, 23, 45);
  const at = (days: number, hour: number) => when(new Date(2026, 10, 30 + days, hour, 5).toISOString(), now);
  assert.match(at(0, 3), /^0?3:05/);
  assert.doesNotMatch(at(1, 0), /2026/); // who has a slice for twenty minutes has it until five past midnight
  assert.match(at(1, 13), /2026/);
  assert.match(at(-1, 23), /2026/);
  assert.equal(when("soon", now), "soon");
});
