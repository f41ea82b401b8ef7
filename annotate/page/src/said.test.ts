import assert from "node:assert/strict";
import { test } from "node:test";
import { actionName, said, saidEach, skipReason, told, type Said } from "./said";
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

test("several sentences are translated together, or not at all", () => {
  Object.assign(globalThis, { document: { documentElement: {} }, localStorage: { getItem: () => null, setItem: () => {} } });
  const stop: Said[] = [{ code: "stop-rise", values: { cycles: 3, rise: 0.0123 } }, { code: "forecast-gain", values: { n: 6, gain: -0.0004 } }];
  chooseLanguage("de");
  assert.equal(told(stop, "English."), "Die letzten 3 Zyklen haben den besten Validierungs-Dice um 0.012 erhöht. Die nächsten 6 Annotationen bringen voraussichtlich \u22120.000 Validierungs-Dice.");
  assert.equal(told([...stop, { code: "of a newer server" }], "English."), "English.");
  assert.equal(told([], "Somebody's words"), "Somebody's words");
  assert.equal(told(null, "Somebody's words"), "Somebody's words");
  assert.deepEqual(saidEach([{ code: "case-unreadable" }], ["one", "two"]), ["das Bild ist nicht lesbar", "two"]);
  chooseLanguage("fr");
  assert.equal(told([{ code: "of-version", values: { version: 2, action: "adopted" } }, { code: "of-case", values: { n: 1, use: "validation" } }], "", " · "), "version 2, trouvée avec les données · 1 coupe, pour : validation");
  assert.equal(told([{ code: "of-review", values: { version: 1, status: "returned" } }, { code: "of-note", values: { text: "the {apex}" } }], "", " · "), "version 1, renvoyée · « the {apex} »");
  chooseLanguage("es");
  assert.equal(said({ code: "data-nan-as", values: { case: "c1", n: 2, value: -1024 } }, ""), "Caso c1: 2 vóxeles son NaN o infinitos y se leen como -1024.");
  assert.equal(skipReason("Wrong kind of image"), "Tipo de imagen equivocado");
  assert.equal(skipReason("Wrong kind of image: T1"), "Tipo de imagen equivocado: T1");
  assert.equal(skipReason("Wrong kind of images"), "Wrong kind of images");
  assert.equal(actionName("agreed"), "dos lecturas coinciden");
  assert.equal(actionName("toString"), "toString");
});
