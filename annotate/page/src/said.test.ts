import assert from "node:assert/strict";
import { test } from "node:test";
import { said } from "./said";
import { chooseLanguage } from "./texts";

test("what the server says is translated by its code, and else is its own sentence", () => {
  Object.assign(globalThis, { document: { documentElement: {} }, localStorage: { getItem: () => null, setItem: () => {} } });
  chooseLanguage("de");
  assert.equal(said({ code: "held", values: { who: "ana", item: "c1/002" } }, "ana is working on c1/002"), "ana arbeitet an c1, Schicht 3.");
  assert.equal(said({ code: "proposal-until", values: { n: 1 } }, ""), "Noch kein Modell: es fehlt 1 Annotation.");
  assert.equal(said({ code: "proposal-poor", values: { dice: 0.4444 } }, "").includes("Dice 0.44"), true);
  assert.equal(said({ code: "of a newer server", values: {} }, "A sentence."), "A sentence.");
  assert.equal(said({ code: "toString" }, "A sentence."), "A sentence.");
  assert.equal(said(undefined, "A sentence."), "A sentence.");
  assert.equal(said({ code: "internal" }, "x").startsWith("Im Server ist etwas fehlgeschlagen"), true);
  chooseLanguage("en");
  assert.equal(said({ code: "held", values: { who: "ana", item: "c1/002" } }, "ana is working on c1/002"), "ana is working on c1, slice 3.");
});
