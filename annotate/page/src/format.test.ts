import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, fraction, number } from "./format";

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
