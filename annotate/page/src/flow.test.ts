import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Task } from "./api";
import type { Flow } from "./flow";

/** The browser, as far as a flow without a screen meets it. */
const stored = new Map<string, string>();
const storage = new Proxy({}, {
  get: (_, key: string) => ({
    getItem: (k: string) => stored.get(k) ?? null,
    setItem: (k: string, v: string) => void stored.set(k, v),
    removeItem: (k: string) => void stored.delete(k),
    key: (n: number) => [...stored.keys()][n] ?? null,
    length: stored.size,
  } as Record<string, unknown>)[key],
  ownKeys: () => [...stored.keys()],
  getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
});
for (const [name, value] of Object.entries({
  localStorage: storage, location: { hash: "" }, history: { replaceState: () => {} }, document: { hidden: false, documentElement: {} }, devicePixelRatio: 1, requestAnimationFrame: () => 0,
})) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

/** A server of one case of five slices of 4 x 3 voxels: what it has, by item, and its clock. */
class Server {
  drafts = new Map<string, { labels: Uint8Array; when: number }>();
  labels = new Map<string, Uint8Array[]>();
  ahead = 0;
  down = false;
  now(): number { return Date.now() + this.ahead; }

  answer(path: string, init?: { method?: string; body?: Uint8Array }): Response {
    const url = new URL(path, "http://server"), part = url.pathname.split("/").slice(3).map(decodeURIComponent), method = init?.method ?? "GET";
    const headers = { Date: new Date(this.now()).toUTCString() }, ok = (body: BodyInit | null) => new Response(body, { headers, status: body === null ? 204 : 200 });
    if (this.down) throw new TypeError("no server");
    if (part[0] === "tasks") return ok(JSON.stringify(this.task(part[1])));
    if (part[0] === "next") return ok(JSON.stringify(this.task("c/002")));
    if (part[0] === "cases") return ok(new Float32Array(12).buffer);
    if (part[0] !== "items") return ok("[]");
    const item = part[1], versions = this.labels.get(item) ?? [], body = init?.body?.slice() ?? new Uint8Array();
    switch (`${method} ${part[2]}`) {
      case "GET draft": return ok(this.drafts.get(item)!.labels.slice());
      case "PUT draft": this.drafts.set(item, { labels: body, when: this.now() }); return ok(null);
      case "GET label": return ok(versions.at(-1)!.slice());
      case "GET versions": return ok(versions[Number(part[3]) - 1].slice());
      case "PUT label":
        if (url.searchParams.has("base") && Number(url.searchParams.get("base")) < versions.length) return new Response('{"code":"saved-meanwhile","values":{"who":"ben","version":1,"item":"c/001"}}', { status: 409, headers });
        this.labels.set(item, [...versions, body]);
        this.drafts.delete(item);
        return ok(JSON.stringify({ version: versions.length + 1, labelled: true, agreement: null }));
      case "POST hold": return ok(JSON.stringify({ person: "ana", until: "" }));
      case "POST skip": this.drafts.delete(item); return ok(null);
      default: return ok(null);
    }
  }

  task(item: string): Task {
    const draft = this.drafts.get(item);
    return {
      item, case: "c", slice: Number(item.slice(2)), slices: 5, height: 3, width: 4, spacing: [1, 1], unit: "mm", orientation: { left: "R", right: "L", top: "A", bottom: "P" }, modality: "MR",
      position_mm: 0, step_mm: 1, window: { low: 0, high: 1 }, score: null, rank: null, purpose: "training", proposal: false, uncertainty: false, label: this.labels.get(item)?.length ?? null,
      draft: draft !== undefined, draft_base: 0, drafts: draft ? [{ person: "ana", when: new Date(draft.when).toISOString() }] : [], lease: { person: "ana", until: "" }, model: null, skipped: false,
      labelled_slices: [], queued_slices: [],
    };
  }
}

/** A page of ana's that shows a slice; time passes for it as the test says. */
async function openPage(t: TestContext, server: Server, item: string): Promise<Flow> {
  Object.defineProperty(globalThis, "fetch", { value: async (path: string, init?: object) => server.answer(path, init), configurable: true });
  const { Editor } = await import("./editor/editor"), { Flow } = await import("./flow");
  const classes = ["background", "liver", "tumour"].map((name, value) => ({ value, name, color: "#808080" }));
  const flow = new Flow({ id: "P", name: "p", classes } as never, "ana", new Editor(classes));
  t.after(() => flow.close());
  await flow.start(item);
  later(t);
  assert.equal(flow.editor.task?.item, item, flow.note?.text);
  return flow;
}

/** So much time passes that a slice has been seen. */
function later(t: TestContext): void {
  const to = performance.now() + 1000;
  t.mock.method(performance, "now", () => to);
}

const mask = (...voxels: number[]): Uint8Array => Uint8Array.from([...voxels, ...new Array(12 - voxels.length).fill(0)]);
const keptAside = (item: string) => stored.has(`nextslice/aside/P/ana/${item}`);

function draw(flow: Flow, labels: Uint8Array): void {
  flow.editor.setMask(labels);
  assert.deepEqual(flow.editor.labels, labels);
}

test("a drawing that is brought back is back as a whole, also where a class is locked by now", async (t) => {
  const drawing = mask(1, 1, 2, 0, 1);
  for (const [name, end] of Object.entries({ empty: (flow: Flow) => flow.markEmpty(), skipped: (flow: Flow) => flow.skip("why") })) {
    stored.clear();
    const server = new Server(), flow = await openPage(t, server, "c/001"), { editor } = flow;
    draw(flow, drawing);
    editor.toggleLock(1);
    await end(flow);
    assert.equal(editor.task?.item, "c/002", name);
    assert.ok(keptAside("c/001"));
    await flow.note!.action!.run();
    assert.deepEqual(editor.labels, drawing, name);
    assert.equal(keptAside("c/001"), false);
    await flow.drafts.flush();
    assert.deepEqual(server.drafts.get("c/001")?.labels, drawing, name);
    editor.undo();
    assert.deepEqual(editor.labels, mask(), name);
  }
  // also on the slice itself
  stored.clear();
  const flow = await openPage(t, new Server(), "c/001");
  draw(flow, drawing);
  flow.clear();
  flow.editor.toggleLock(1);
  await flow.note!.action!.run();
  assert.deepEqual(flow.editor.labels, drawing);
  assert.equal(keptAside("c/001"), false);
});

test("what is kept is forgotten only when it is back", async (t) => {
  stored.clear();
  const server = new Server(), flow = await openPage(t, server, "c/001"), { editor } = flow;
  draw(flow, mask(1, 1));
  await flow.markEmpty();
  const bring = flow.note!.action!.run;
  await flow.open("c/001");
  editor.context = { slice: 3, images: [], mask: null }; // a neighbour is on the screen
  await bring();
  assert.ok(keptAside("c/001"));
  assert.ok(editor.isEmpty);
  editor.context = null;
  // what is drawn by now is kept in turn
  draw(flow, mask(0, 2, 2));
  await bring();
  assert.deepEqual(editor.labels, mask(1, 1));
  await bring();
  assert.deepEqual(editor.labels, mask(0, 2, 2));
});

test("a version that is taken is taken as a whole, also where a class is locked", async (t) => {
  stored.clear();
  const server = new Server(), flow = await openPage(t, server, "c/001"), { editor } = flow, theirs = mask(0, 0, 1, 2);
  draw(flow, mask(1, 2));
  editor.toggleLock(1);
  server.labels.set("c/001", [theirs]);
  await flow.submit();
  later(t);
  await flow.note!.action!.run();
  assert.deepEqual(editor.labels, theirs);
  await flow.submit();
  assert.deepEqual(server.labels.get("c/001"), [theirs, theirs]);

  await flow.open("c/003");
  later(t);
  flow.readings = { first: mask(1, 1, 0), second: mask(2, 1, 1), names: ["ben", "cy"] };
  for (const [choice, want] of [["first", mask(1, 1)], ["second", mask(2, 1, 1)], ["common", mask(0, 1)], ["union", mask(1, 1, 1)]] as const) {
    flow.choose(choice);
    assert.deepEqual(editor.labels, want, choice);
  }
});

test("what this browser has sent before it drew on is not another draft", async (t) => {
  stored.clear();
  const server = new Server(), first = mask(1, 0, 2), second = mask(1, 0, 2, 1);
  const before = await openPage(t, server, "c/001");
  before.editor.give(first);
  await before.drafts.flush();
  assert.deepEqual(server.drafts.get("c/001")?.labels, first);
  server.down = true;
  before.editor.give(second);
  before.close();
  server.down = false;
  const flow = await openPage(t, server, "c/001");
  assert.deepEqual(flow.editor.labels, second);
  assert.equal(flow.drafts.keptOf("c/001", 4, 3), null);
  assert.match(flow.note!.text, /Your draft of this slice is back/);
  await flow.drafts.flush();
  assert.deepEqual(server.drafts.get("c/001")?.labels, second);
  flow.close();
});

test("of a draft of this browser that was not sent and one of the server's, the one drawn last is shown, and the other kept", async (t) => {
  const minute = 60_000, here = mask(1, 0, 2), elsewhere = mask(0, 0, 1);
  for (const ahead of [0, 90 * minute, -90 * minute]) { // the server's clock
    for (const [after, shown, other] of [[-minute, here, elsewhere], [minute, elsewhere, here]] as const) {
      const what = `a clock ahead by ${ahead} ms, drawn elsewhere ${after} ms after`;
      stored.clear();
      const server = new Server();
      server.ahead = ahead;
      const before = await openPage(t, server, "c/001");
      before.editor.toggleLock(2);
      server.down = true;
      before.editor.give(here);
      before.close();
      server.down = false;
      server.drafts.set("c/001", { labels: elsewhere, when: server.now() + after });

      const flow = await openPage(t, server, "c/001");
      assert.deepEqual(flow.editor.labels, shown, what);
      await flow.drafts.flush();
      assert.deepEqual(server.drafts.get("c/001")?.labels, shown, what);
      assert.deepEqual(flow.drafts.keptOf("c/001", 4, 3), other, what);
      assert.match(flow.note!.text, /Another one of yours/);
      flow.close();
      const again = await openPage(t, server, "c/001"); // and what is kept stays, however often it is opened
      assert.deepEqual(again.editor.labels, shown, what);
      await again.bringBack("c/001");
      assert.deepEqual(again.editor.labels, other, what);
      again.close();
    }
  }
  // one and the same, or nothing of the server's: there is no other
  for (const theirs of [here, null]) {
    stored.clear();
    const server = new Server(), before = await openPage(t, server, "c/001");
    before.editor.give(here);
    before.close();
    if (theirs) server.drafts.set("c/001", { labels: theirs, when: server.now() });
    const flow = await openPage(t, server, "c/001");
    assert.deepEqual(flow.editor.labels, here);
    assert.equal(keptAside("c/001"), false);
    flow.close();
  }
});

test("a draft is what was drawn when it was kept, not half of the stroke under way", async (t) => {
  stored.clear();
  const server = new Server(), flow = await openPage(t, server, "c/001"), { editor } = flow, drawn = mask(1, 1);
  editor.give(drawn);
  editor.beginStroke(0, 2);
  editor.stroke(0, 2, 3, 2, 2);
  assert.notDeepEqual(editor.labels, drawn);
  await flow.drafts.flush();
  assert.deepEqual(server.drafts.get("c/001")?.labels, drawn);
  editor.cancelStroke();
  assert.deepEqual(editor.labels, drawn);
});
