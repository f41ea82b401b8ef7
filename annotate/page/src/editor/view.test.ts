import assert from "node:assert/strict";
import { test } from "node:test";
import { placement, shownLetters, View, type Letters } from "./view";

const letters = (text: string): Letters => ({ left: text[0], right: text[1], top: text[2], bottom: text[3] });

// stored left, right, top, bottom -> shown, radiological
const cases: Array<[string, string, string]> = [
  ["axial of an LPS image (DICOM)", "RLAP", "RLAP"],
  ["axial of an RAS image (NIfTI)", "LRPA", "RLAP"],
  ["axial of an LAS image", "RLPA", "RLAP"],
  ["axial with rows along left-right", "PALR", "RLAP"],
  ["coronal, feet up", "LRIS", "RLSI"],
  ["coronal, transposed", "ISLR", "RLSI"],
  ["sagittal", "PAIS", "APSI"],
  ["sagittal, transposed", "ISPA", "APSI"],
];

for (const [name, stored, shown] of cases) {
  test(`radiological: ${name}`, () => {
    const l = letters(stored);
    assert.deepEqual(shownLetters(l, placement(l, "radiological")), letters(shown));
  });
}

test("neurological swaps left and right only", () => {
  const l = letters("RLAP");
  assert.deepEqual(shownLetters(l, placement(l, "neurological")), letters("LRAP"));
  const sagittal = letters("PAIS");
  assert.deepEqual(shownLetters(sagittal, placement(sagittal, "neurological")), letters("APSI"));
});

test("unknown orientation stays as stored", () => {
  const l = { left: "", right: "", top: "", bottom: "" };
  assert.deepEqual(placement(l, "radiological"), { transposed: false, flipX: false, flipY: false });
});

test("each stored edge lands on the screen side of its letter", () => {
  for (const [, stored] of cases) {
    const l = letters(stored), view = new View();
    view.columns = 20;
    view.rows = 10;
    view.spacing = [3, 0.5];
    view.place = placement(l, "radiological");
    view.resize(800, 600);
    const shown = shownLetters(l, view.place);
    const middle = view.toScreen(10, 5);
    const sides: Array<[string, number, number]> = [[l.left, 0, 5], [l.right, 20, 5], [l.top, 10, 0], [l.bottom, 10, 10]];
    for (const [letter, x, y] of sides) {
      const [sx, sy] = view.toScreen(x, y);
      const dx = sx - middle[0], dy = sy - middle[1];
      const side = Math.abs(dx) > Math.abs(dy) ? (dx < 0 ? shown.left : shown.right) : (dy < 0 ? shown.top : shown.bottom);
      assert.equal(side, letter, stored);
    }
  }
});

test("toVoxel undoes toScreen, and spacing sets the aspect", () => {
  const view = new View();
  view.columns = 64;
  view.rows = 48;
  view.spacing = [2, 1];
  view.place = { transposed: true, flipX: true, flipY: false };
  view.resize(700, 500);
  view.zoom(3.7, 120, 80);
  view.pan(-31, 12);
  const [sx, sy] = view.toScreen(12.25, 40.5);
  const [x, y] = view.toVoxel(sx, sy);
  assert.ok(Math.abs(x - 12.25) < 1e-9 && Math.abs(y - 40.5) < 1e-9);
  const origin = view.toScreen(0, 0), column = view.toScreen(1, 0), row = view.toScreen(0, 1);
  const length = (p: [number, number]) => Math.hypot(p[0] - origin[0], p[1] - origin[1]);
  assert.ok(Math.abs(length(row) / length(column) - 2) < 1e-9);
});

test("zoom keeps the point under the cursor", () => {
  const view = new View();
  view.columns = view.rows = 100;
  view.resize(500, 500);
  const before = view.toVoxel(100, 300);
  view.zoom(2, 100, 300);
  const after = view.toVoxel(100, 300);
  assert.ok(Math.hypot(before[0] - after[0], before[1] - after[1]) < 1e-9);
  assert.equal(view.fitted, false);
  view.fit();
  assert.ok(view.toScreen(0, 0)[0] >= 0 && view.toScreen(100, 100)[1] <= 500);
});
