import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "./clock";

test("counts activity, not absence", () => {
  let now = 1000;
  const clock = new Clock(() => now);
  clock.reset(5);
  now += 10_000;
  clock.active();
  assert.equal(clock.seconds(), 15);
  now += 50_000; // looks at the image, still there
  assert.equal(clock.seconds(), 65);
  now += 20_000; // 70 s without a sign: away since the last one
  assert.equal(clock.seconds(), 15);
  clock.active();
  now += 2_000;
  assert.equal(clock.seconds(), 17);
});

test("a hidden page does not count", () => {
  let now = 0;
  const clock = new Clock(() => now);
  clock.reset(0);
  now += 3_000;
  clock.pause();
  now += 30_000;
  assert.equal(clock.seconds(), 3);
  clock.active();
  now += 1_000;
  assert.equal(clock.seconds(), 4);
});
