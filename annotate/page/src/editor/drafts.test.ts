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
const sent: Array<{ path: string; body: Uint8Array }> = [];
Object.defineProperty(globalThis, "fetch", { value: (path: string, init: { body: Uint8Array }) => {
  sent.push({ path, body: init.body });
  return answer();
} });

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

test("what is closed sends nothing more, and keeps what waits in the browser", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const drafts = new Drafts(owner("P1", "dan"), () => {}), labels = new Uint8Array([1, 0, 0, 2]), other = new Uint8Array([3, 3, 0, 0]);
  let fail = () => {};
  answer = () => new Promise((_, refuse) => (fail = () => refuse(new Error("no server"))));
  sent.length = 0;
  drafts.keep("c/001", 2, 2, labels, 1, 0);
  t.mock.timers.tick(1000);
  await Promise.resolve();
  assert.equal(sent.length, 1);
  drafts.keep("c/002", 2, 2, other, 1, 0); // waits for the one on its way
  const flush = drafts.flush();
  drafts.close();
  fail(); // or else it would be tried again
  assert.equal(await flush, false);
  for (let n = 0; n < 20; n++) {
    t.mock.timers.tick(10_000);
    await Promise.resolve();
  }
  assert.equal(await drafts.flush(), false);
  assert.equal(sent.length, 1);
  for (const [item, want] of [["c/001", labels], ["c/002", other]] as const) {
    const kept = new Drafts(owner("P1", "dan"), () => {}).load(item, 2, 2);
    assert.deepEqual([kept?.labels, kept?.onServer], [want, false], item);
  }
  const big = new Drafts(owner("P1", "eve"), () => {});
  big.keep("c/003", 2048, 1024, new Uint8Array(2048 * 1024).fill(1), 1, 0); // goes to the storage when the person pauses
  big.close();
  assert.equal(big.load("c/003", 2048, 1024)?.labels[7], 1);
});
