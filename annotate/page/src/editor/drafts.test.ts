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
let answer: () => Promise<Response> = async () => { throw new Error("no server"); };
Object.defineProperty(globalThis, "fetch", { value: () => answer() });

test("a draft is that of its project, person and slice", async (t) => {
  const labels = new Uint8Array([0, 1, 1, 0]);
  const mine = new Drafts(owner("P1", "ana"), () => {});
  const odd = new Drafts(owner("P1", "a/b%"), () => {});
  const dropped = async () => {};
  t.after(() => Promise.all([mine.end("Case1/003", dropped), odd.end("c/001", dropped)])); // which ends their timers
  mine.keep("Case1/003", 2, 2, labels, 5, 7);
  assert.deepEqual(mine.load("Case1/003", 2, 2)?.labels, labels);
  assert.equal(mine.load("Case1/003", 2, 2)?.base, 7); // after the page was loaded anew, too
  for (const [project, person, item] of [
    ["P2", "ana", "Case1/003"], // other data of the same name, or a copy of the project
    ["P1", "ben", "Case1/003"],
    ["P1", "ana", "Case1/004"],
    ["P1", "ana/Case1", "003"],
    ["P1", "ana%2FCase1", "003"],
  ]) assert.equal(new Drafts(owner(project, person), () => {}).load(item, 2, 2), null, `${project} ${person} ${item}`);
  odd.keep("c/001", 2, 2, labels, 1, 0);
  assert.equal(new Drafts(owner("P1", "a"), () => {}).load("b%/c/001", 2, 2), null);
  assert.deepEqual(odd.load("c/001", 2, 2)?.labels, labels);
  assert.equal(mine.load("Case1/003", 3, 2), null); // the image has another size now
  await assert.rejects(mine.end("Case1/003", async () => { throw new Error("not saved"); }));
  assert.deepEqual(mine.load("Case1/003", 2, 2)?.labels, labels);
  await mine.end("Case1/003", dropped);
  assert.equal(mine.load("Case1/003", 2, 2), null);
});

test("a draft on its way arrives before the save that ends it, and none is sent meanwhile", async () => {
  const drafts = new Drafts(owner("P1", "cy"), () => {}), did: string[] = [], labels = new Uint8Array(4), turn = () => new Promise((done) => setTimeout(done));
  let arrive = () => {};
  answer = () => new Promise((resolve) => {
    did.push("draft sent");
    arrive = () => { did.push("draft arrived"); resolve(new Response(null, { status: 204 })); };
  });
  drafts.keep("c/001", 2, 2, labels, 1, 0);
  void drafts.flush();
  await turn();
  const end = drafts.end("c/001", async () => {
    did.push("saved");
    drafts.keep("c/001", 2, 2, labels, 1, 0);
    await drafts.flush();
  });
  await turn();
  arrive();
  await end;
  await turn();
  assert.deepEqual(did, ["draft sent", "draft arrived", "saved"]);
  assert.equal(drafts.load("c/001", 2, 2), null);
  assert.equal(drafts.state, "none");
});
