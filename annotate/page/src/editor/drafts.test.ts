import assert from "node:assert/strict";
import { test } from "node:test";
import { Drafts, owner } from "./drafts";

const storage: Record<string, string> = {};
Object.defineProperty(globalThis, "localStorage", {
  value: new Proxy(storage, {
    get: (all, key: string) => ({
      getItem: (k: string) => all[k] ?? null,
      setItem: (k: string, v: string) => { all[k] = v; },
      removeItem: (k: string) => { delete all[k]; },
    } as Record<string, unknown>)[key],
  }),
});
Object.defineProperty(globalThis, "fetch", { value: async () => { throw new Error("no server"); } });

test("a draft is that of its project, person and slice", async (t) => {
  const labels = new Uint8Array([0, 1, 1, 0]);
  const mine = new Drafts(owner("P1", "ana"), () => {});
  const odd = new Drafts(owner("P1", "a/b%"), () => {});
  t.after(() => Promise.all([mine.drop("Case1/003"), odd.drop("c/001")])); // which ends their timers
  mine.keep("Case1/003", 2, 2, labels, 5);
  assert.deepEqual(mine.load("Case1/003", 2, 2)?.labels, labels);
  for (const [project, person, item] of [
    ["P2", "ana", "Case1/003"], // other data of the same name, or a copy of the project
    ["P1", "ben", "Case1/003"],
    ["P1", "ana", "Case1/004"],
    ["P1", "ana/Case1", "003"],
    ["P1", "ana%2FCase1", "003"],
  ]) assert.equal(new Drafts(owner(project, person), () => {}).load(item, 2, 2), null, `${project} ${person} ${item}`);
  odd.keep("c/001", 2, 2, labels, 1);
  assert.equal(new Drafts(owner("P1", "a"), () => {}).load("b%/c/001", 2, 2), null);
  assert.deepEqual(odd.load("c/001", 2, 2)?.labels, labels);
  assert.equal(mine.load("Case1/003", 3, 2), null); // the image has another size now
  await mine.drop("Case1/003");
  assert.equal(mine.load("Case1/003", 2, 2), null);
});
