import assert from "node:assert/strict";
import { test } from "node:test";
import type { Task } from "../api";
import { fitting, isCT, Windows } from "./windows";

const store = new Map<string, string>();
Object.assign(globalThis, { localStorage: { getItem: (k: string) => store.get(k) ?? null, setItem: (k: string, v: string) => store.set(k, v) } });

const task = (modality: string, low: number, high: number) => ({ modality, window: { low, high }, channels: null }) as unknown as Task;

test("a window is kept from case to case: as it is for CT, beside the automatic one for all else", () => {
  const w = new Windows("project");
  w.keep(task("CT", -900, 800), 0, { low: -160, high: 240, name: "soft tissue" });
  assert.deepEqual(w.first(task("CT", -1000, 1500), 0), { low: -160, high: 240, name: "soft tissue" });
  w.keep(task("MR", 0, 100), 0, { low: 20, high: 60, name: "manual" });
  assert.deepEqual(w.first(task("MR", 100, 1100), 0), { low: 300, high: 700, name: "manual" });
  assert.equal(w.first(task("PT", 0, 10), 0).name, "auto"); // another modality
  assert.equal(new Windows("project").first(task("CT", -1000, 0), 0).name, "soft tissue"); // after the page was closed
  assert.equal(new Windows("other").first(task("CT", -1000, 0), 0).name, "auto");
  w.keep(task("CT", -900, 800), 0, { low: -900, high: 800, name: "auto" });
  assert.deepEqual(w.first(task("CT", -1000, 1500), 0), { low: -1000, high: 1500, name: "auto" });
});

test("CT by its header, else by its values", () => {
  assert.ok(isCT(task("CT", 0, 5), 0) && !isCT(task("MR", -1000, 500), 0));
  assert.ok(isCT(task("", -1000, 700), 0) && !isCT(task("", 0, 700), 0) && !isCT(task("", -3000, 700), 0));
});

test("the window that fits values", () => {
  assert.deepEqual(fitting(Array.from({ length: 101 }, (_, i) => i)), { low: 1, high: 99 });
  assert.deepEqual(fitting([5, 5, 5, 5, 5, NaN, 9]), { low: 5, high: 9 });
  assert.equal(fitting([3, 3, NaN]), null);
});
