import assert from "node:assert/strict";
import { test } from "node:test";
import { Ahead } from "./ahead";

test("asks once, forgets what was used longest ago", async () => {
  const asked: string[] = [];
  const ahead = new Ahead(async (path) => {
    asked.push(path);
    return new ArrayBuffer(path.length);
  }, 2);
  ahead.load("a");
  ahead.load("bb");
  assert.equal((await ahead.get("a")).byteLength, 1);
  ahead.load("ccc"); // bb goes
  await ahead.get("a");
  await ahead.get("bb");
  assert.deepEqual(asked, ["a", "bb", "ccc", "bb"]);
});

test("a failure is not kept", async () => {
  let up = false;
  const ahead = new Ahead(async () => {
    if (!up) throw new Error("down");
    return new ArrayBuffer(3);
  });
  ahead.load("a");
  await assert.rejects(ahead.get("a"), /down/);
  up = true;
  assert.equal((await ahead.get("a")).byteLength, 3);
});
