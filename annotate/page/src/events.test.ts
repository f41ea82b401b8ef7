import assert from "node:assert/strict";
import { test } from "node:test";

Object.defineProperty(globalThis, "localStorage", { value: { getItem: () => null, setItem: () => {}, removeItem: () => {} } });

class Source {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static all: Source[] = [];
  readyState = 0;
  onmessage: (message: { data: string }) => void = () => {};
  onopen = () => {};
  onerror = () => {};
  constructor() { Source.all.push(this); }
  open(): void { this.readyState = 1; this.onopen(); }
  /** The connection ends; with an answer that is no stream the browser gives up. */
  fail(forGood: boolean): void { this.readyState = forGood ? 2 : 0; this.onerror(); }
  close(): void { this.readyState = 2; }
}
Object.defineProperty(globalThis, "EventSource", { value: Source });

test("what the server tells is followed until the page ends it, and while it is not heard the page knows", async (t) => {
  const { follow } = await import("./events");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let answers = true, refreshed = 0;
  const heard: boolean[] = [], steps: Array<number | undefined> = [];
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    for (let n = 0; n < 10; n++) await Promise.resolve();
  };
  const end = follow({ training: (now) => steps.push(now.step), refresh: async () => { refreshed++; return answers; }, warn: () => {}, mention: () => {}, heard: (is) => heard.push(is) });
  const last = () => heard.at(-1), source = () => Source.all.at(-1)!;
  source().open();
  await pass(10_000);
  assert.deepEqual([refreshed, last(), Source.all.length], [0, undefined, 1]); // the page knows all of it already

  // the server restarts: the browser connects again by itself
  source().fail(false);
  assert.equal(last(), false);
  source().open();
  await pass(1000);
  assert.deepEqual([refreshed, last(), Source.all.length], [1, true, 1]);

  // behind a proxy, which answers 502 meanwhile: the browser has given up
  answers = false;
  source().fail(true);
  assert.equal(last(), false);
  for (let n = 2; n < 6; n++) {
    await pass(6000);
    assert.equal(Source.all.length, n);
    source().fail(true);
  }
  assert.equal(last(), false);
  answers = true;
  await pass(6000);
  source().open();
  await pass(1000);
  assert.equal(last(), true);
  source().onmessage({ data: '{"type":"training","step":7,"running":true}' });
  assert.deepEqual(steps, [7]);

  // connected, but what has changed cannot be asked for: it is asked for until it comes
  answers = false;
  const before = refreshed;
  source().onmessage({ data: '{"type":"label"}' });
  await pass(300);
  assert.deepEqual([refreshed, last()], [before + 1, false]);
  answers = true;
  await pass(6000);
  assert.deepEqual([refreshed, last()], [before + 2, true]);
  await pass(60_000);
  assert.equal(refreshed, before + 2);

  source().fail(true);
  end();
  const made = Source.all.length, asked = refreshed;
  await pass(60_000);
  assert.deepEqual([Source.all.length, refreshed], [made, asked]);
});
