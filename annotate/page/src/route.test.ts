import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRoute } from "./route";

test("addresses, also broken ones", () => {
  for (const [hash, page, item] of [
    ["", "editor", null], ["#/", "editor", null], ["#/dashboard", "dashboard", null], ["#/item/c1%2F002", "editor", "c1/002"],
    ["#/item/%", "editor", null], ["#/item/%E0%A4%A", "editor", null], ["#/item/c1%2", "editor", null], ["#/item/", "editor", null],
    ["#/review", "review", null], ["#/review/c%201", "review", "c 1"], ["#/review/%", "review", null],
  ] as const) {
    assert.deepEqual(parseRoute(hash), { page, item }, hash);
  }
});
