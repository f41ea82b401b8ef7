import assert from "node:assert/strict";
import { test } from "node:test";
import type { Task } from "./api";
import { Shapes } from "./between";

const width = 21;
const square = (half: number) => Uint8Array.from({ length: width * width }, (_, i) => (Math.max(Math.abs(i % width - 10), Math.abs(Math.floor(i / width) - 10)) <= half ? 1 : 0));
const area = (m: Uint8Array | null) => m!.reduce((n, v) => n + v, 0);
const task = (slice: number, id = "a") => ({ case: id, slice, width, height: width, spacing: [1, 1] }) as unknown as Task;

/** The browser's, in memory. */
function storage(): Storage {
  const all = new Map<string, string>();
  return { get length() { return all.size; }, key: (n: number) => [...all.keys()][n] ?? null, getItem: (k: string) => all.get(k) ?? null, setItem: (k: string, v: string) => void all.set(k, v), removeItem: (k: string) => void all.delete(k), clear: () => all.clear() };
}

test("slices between two labelled ones have shapes, others none", () => {
  const s = new Shapes("p/ada", storage());
  assert.equal(s.propose(task(5), 2, 8, square(2), square(8)), 4);
  assert.deepEqual(s.slices("a"), [3, 4, 5, 6, 7]);
  assert.deepEqual(s.slices("b"), []);
  for (const k of [1, 2, 8, 9]) assert.equal(s.at("a", k), null);
  let last = area(square(2));
  for (let k = 3; k < 8; k++) {
    const n = area(s.at("a", k));
    assert.ok(n > last && n < area(square(8)), `slice ${k} has ${n}`);
    last = n;
  }
  assert.equal(s.next("a", 5), 6);
  assert.equal(s.next("a", 7), 6);
  assert.equal(s.next("b", 1), null);
});

test("a saved slice changes the shapes beside it", () => {
  const s = new Shapes("p/ada", storage());
  s.propose(task(5), 2, 8, square(2), square(8));
  s.drop("a", 6);
  const other = s.at("a", 7)!, before = s.at("a", 4)!;
  s.labelled(task(5), square(2)); // smaller than was proposed
  assert.deepEqual(s.slices("a"), [3, 4, 7]);
  assert.deepEqual(s.at("a", 4), square(2));
  assert.notDeepEqual(before, square(2));
  assert.ok(area(s.at("a", 7)) < area(other));
  assert.deepEqual(s.around("a", 7), s.around("a", 7));
  assert.equal(s.around("a", 7)?.before, 5);
  s.labelled(task(8), square(2)); // an end is corrected
  assert.deepEqual(s.at("a", 7), square(2));
  s.labelled(task(5, "b"), square(9));
  assert.deepEqual(s.at("a", 4), square(2));
});

test("shapes that are asked for again replace those before", () => {
  const s = new Shapes("p/ada", storage());
  s.propose(task(5), 2, 8, square(2), square(8));
  s.propose(task(9), 8, 11, square(8), square(8));
  s.propose(task(4), 2, 8, square(4), square(4));
  assert.deepEqual(s.slices("a"), [3, 4, 5, 6, 7, 9, 10]);
  assert.deepEqual(s.at("a", 5), square(4));
  assert.deepEqual(s.at("a", 9), square(8));
});

test("another page takes up what was kept, between the slices that are labelled by then", () => {
  const browser = storage(), first = new Shapes("p/ada", browser);
  first.propose(task(5), 2, 8, square(2), square(8));
  first.drop("a", 7);
  const of = (labelled: number[], id = "a") => ({ ...task(4, id), labelled_slices: labelled }) as Task;
  const second = new Shapes("p/ada", browser);
  assert.deepEqual(second.kept(of([2, 8], "b")), []);
  assert.deepEqual(new Shapes("p/eve", browser).kept(of([2, 8])), []); // another person's
  const [gap, ...more] = second.kept(of([2, 8]));
  assert.deepEqual([gap, more], [{ before: 2, after: 8, open: [3, 4, 5, 6] }, []]);
  assert.deepEqual(second.kept(of([2, 8])), []); // once
  second.resume(of([2, 8]), gap, square(2), square(8));
  for (const k of [3, 4, 5, 6]) assert.deepEqual(second.at("a", k), first.at("a", k));
  assert.equal(second.at("a", 7), null);
  // somebody has labelled one of them, or taken an end away
  assert.deepEqual(new Shapes("p/ada", browser).kept(of([2, 5, 8])), [{ before: 2, after: 5, open: [3, 4] }, { before: 5, after: 8, open: [6] }]);
  assert.deepEqual(new Shapes("p/ada", browser).kept(of([2])), []);
  for (const k of [3, 4, 5, 6]) second.drop("a", k);
  assert.equal(browser.length, 0);
});

test("what is old or no list of slices is forgotten", () => {
  const browser = storage();
  browser.setItem("nextslice/shapes/p/ada/a", JSON.stringify({ slices: [3], when: Date.now() - 31 * 24 * 3600 * 1000 }));
  browser.setItem("nextslice/shapes/p/ada/b", "{");
  browser.setItem("nextslice/draft/p/ada/a", "another's");
  assert.deepEqual(new Shapes("p/ada", browser).kept({ ...task(3), labelled_slices: [2, 4] } as Task), []);
  assert.deepEqual(browser.key(0), "nextslice/draft/p/ada/a");
  assert.equal(browser.length, 1);
});
