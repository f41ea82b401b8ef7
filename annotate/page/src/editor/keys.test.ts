import assert from "node:assert/strict";
import { test } from "node:test";
import { bindings, name } from "./keys";

const press = (key: string, modifiers: Partial<Record<"shiftKey" | "ctrlKey" | "metaKey" | "altKey", boolean>> = {}, altGraph = false) =>
  name({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...modifiers, getModifierState: () => altGraph });

test("names of keys", () => {
  assert.equal(press("b"), "B");
  assert.equal(press("B"), "B"); // caps lock
  assert.equal(press("N", { shiftKey: true }), "Shift+N");
  assert.equal(press("z", { ctrlKey: true }), "Ctrl+Z");
  assert.equal(press("Z", { metaKey: true, shiftKey: true }), "Ctrl+Shift+Z");
  assert.equal(press("?", { shiftKey: true }), "?");
  assert.equal(press("ArrowUp", { shiftKey: true }), "Shift+ArrowUp");
  assert.equal(press("[", { ctrlKey: true, altKey: true }, true), "[");
});

test("no key has two meanings, and the browser keeps its own", () => {
  const keys = bindings.flatMap((b) => b.keys);
  assert.equal(new Set(keys).size, keys.length);
  for (const key of ["Ctrl+W", "Ctrl+T", "Ctrl+R", "Ctrl+N", "Tab", "F5"]) assert.ok(!keys.includes(key), key);
});

test("keyboards with other letters: the place of the key counts", () => {
  const at = (key: string, code: string, modifiers = {}) => name({ key, code, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...modifiers });
  assert.equal(at("и", "KeyB"), "B"); // Russian
  assert.equal(at("я", "KeyZ", { ctrlKey: true }), "Ctrl+Z");
  assert.equal(at("Т", "KeyN", { shiftKey: true }), "Shift+N");
  assert.equal(at("é", "Digit2"), "2"); // French: digits are on Shift
  assert.equal(at("¡", "Digit1", { altKey: true }), "Alt+1"); // macOS
  assert.equal(at("z", "KeyY"), "Z"); // German: a letter that is there counts as it is
  assert.equal(at("-", "Digit6"), "-");
  assert.equal(at("Enter", "Enter"), "Enter");
});
