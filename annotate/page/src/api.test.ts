import assert from "node:assert/strict";
import { test } from "node:test";

const asked: string[] = [];
let answer = (): Response => new Response("{}", { status: 200 });
Object.defineProperty(globalThis, "localStorage", { value: { getItem: () => null, setItem: () => {}, removeItem: () => {} } });
Object.defineProperty(globalThis, "fetch", { value: async (path: string) => {
  asked.push(path);
  return answer();
} });

test("all that the page asks names the project and the person that it belongs to", async () => {
  const { api, belong, binary, file, onForeign, paths } = await import("./api");
  await api.me(); // before anybody is known
  assert.deepEqual(asked.splice(0), ["/api/v1/me"]);
  belong("P&1", "Zo\u00eb +/%");
  const labels = new Uint8Array(1), args: Record<string, unknown[]> = {
    login: ["ana", "secret"], saveDraft: ["c/001", labels, 0], saveLabel: ["c/001", labels, 1, "edited", 3, 0], skip: ["c/001", "why", 1], reviewCase: ["c", "accepted", "", {}], history: [10],
  };
  for (const [name, call] of Object.entries(api)) await (call as (...a: unknown[]) => unknown)(...(args[name] ?? ["c/001", 1, "", 1]));
  for (const path of [paths.image("c", 1), paths.image("c", 1, 2), paths.proposal("c/001"), paths.chances("c/001", 1), paths.label("c/001"), paths.version("c/001", 1)]) await binary(path);
  await file(paths.export("csv", true, false, "background"));
  const all = [...asked, paths.events(), paths.preview("c", 0), paths.volume("c", "label")];
  assert.ok(all.length > 30, `${all.length}`);
  for (const path of all) {
    const query = new URL(path, "http://server").searchParams;
    assert.deepEqual([query.getAll("for_project"), query.getAll("for_person")], [["P&1"], ["Zo\u00eb +/%"]], path);
  }
  assert.equal(new URL(all.find((p) => p.includes("/image?channel"))!, "http://server").searchParams.get("channel"), "2");

  const told: string[] = [];
  onForeign.call = (text) => told.push(text);
  for (const [code, status] of [["other-project", 412], ["other-person", 412], ["conflict", 409]] as const) {
    answer = () => new Response(JSON.stringify({ code, values: { who: "ben", text: "?" }, detail: "?" }), { status });
    await assert.rejects(api.project());
  }
  assert.equal(told.length, 2);
  assert.match(told[0], /Another project/);
  assert.match(told[1], /^ben is logged in/);
});
