import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, History } from "./history";
import { decode, encode } from "./rle";

// a small generator, so that a failure can be repeated (Park, Miller 1988)
function random(seed: number): (n: number) => number {
  let s = seed;
  return (n) => (s = (s * 48271) % 2147483647) % n;
}

test("any number of undos and redos gives back every state", () => {
  const next = random(7), width = 13, size = 13 * 9;
  const history = new History(width), labels = new Uint8Array(size);
  const states = [labels.slice()];
  for (let step = 0; step < 60; step++) {
    const before = labels.slice();
    for (let i = 1 + next(5); i > 0; i--) labels[next(size)] = next(4);
    if (history.record(before, labels)) states.push(labels.slice());
  }
  assert.ok(states.length > 31);
  for (let i = states.length - 2; i >= 0; i--) {
    assert.ok(history.undo(labels));
    assert.deepEqual(labels, states[i]);
  }
  assert.equal(history.undo(labels), null);
  for (let i = 1; i < states.length; i++) {
    assert.ok(history.redo(labels));
    assert.deepEqual(labels, states[i]);
  }
  assert.equal(history.redo(labels), null);
});

test("an edit after undo drops what could be redone; no change is no edit", () => {
  const history = new History(2), labels = Uint8Array.from([0, 0, 0, 0]);
  const set = (i: number, v: number) => {
    const before = labels.slice();
    labels[i] = v;
    return history.record(before, labels);
  };
  set(0, 1);
  set(3, 2);
  assert.equal(set(3, 2), null);
  history.undo(labels);
  set(1, 1);
  assert.equal(history.canRedo, false);
  history.undo(labels);
  assert.deepEqual([...labels], [1, 0, 0, 0]);
});

test("the oldest edits are forgotten beyond the limit", () => {
  const history = new History(1, 3), labels = Uint8Array.from([0]);
  for (let v = 1; v <= 5; v++) {
    const before = labels.slice();
    labels[0] = v;
    history.record(before, labels);
  }
  let undone = 0;
  while (history.undo(labels)) undone++;
  assert.equal(undone, 3);
  assert.equal(labels[0], 2);
});

test("changed finds the smallest rectangle", () => {
  const a = new Uint8Array(20), b = new Uint8Array(20);
  assert.equal(changed(a, b, 5), null);
  b[6] = 1; // (1, 1)
  b[13] = 1; // (3, 2)
  assert.deepEqual(changed(a, b, 5), { x: 1, y: 1, width: 3, height: 2 });
});

test("run lengths give the mask back and refuse anything else", () => {
  const next = random(3), labels = new Uint8Array(1000);
  for (let i = 0; i < 40; i++) labels.fill(next(256), next(1000), next(1000));
  assert.deepEqual(decode(encode(labels), 1000), labels);
  const bad = ["", "0:999", "0:1001", "256:1000", "1:1000,0:1", "1:500,,0:500", "a:1000", "-1:1000", "0:0,1:1000"];
  for (const text of bad) assert.equal(decode(text, 1000), null, text);
});
