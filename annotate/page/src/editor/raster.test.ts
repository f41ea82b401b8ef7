import assert from "node:assert/strict";
import { test } from "node:test";
import { capsule, floodFill, line, outline, polygon } from "./raster";

const grid = { width: 24, height: 18 };

function painted(draw: (visit: (x: number, y: number) => void) => void, g = grid): Uint8Array {
  const out = new Uint8Array(g.width * g.height);
  draw((x, y) => {
    assert.ok(x >= 0 && y >= 0 && x < g.width && y < g.height, `visits (${x}, ${y}), outside`);
    out[y * g.width + x] = 1;
  });
  return out;
}
const count = (m: Uint8Array) => m.reduce((a, b) => a + b, 0);

test("brush of one voxel paints one voxel, of three a square without surprise", () => {
  assert.equal(count(painted((v) => capsule(grid, [1, 1], 5, 5, 5, 5, 1, v))), 1);
  assert.equal(count(painted((v) => capsule(grid, [1, 1], 5, 5, 5, 5, 2, v))), 5);
  assert.equal(count(painted((v) => capsule(grid, [1, 1], 5, 5, 5, 5, 3, v))), 9);
  assert.equal(count(painted((v) => capsule(grid, [1, 1], 5, 5, 5, 5, 4, v))), 13);
});

test("brush equals brute force, also at the border and with anisotropic voxels", () => {
  for (const spacing of [[1, 1], [3, 1], [0.5, 0.8]] as Array<[number, number]>) {
    for (const [ax, ay, bx, by] of [[3, 4, 15, 9], [0, 0, 23, 17], [20, 2, 20, 2], [23, 17, 5, 17], [7, 12, 9, 1]]) {
      for (const diameter of [1, 2, 5, 8]) {
        const radius = diameter / 2 * Math.min(...spacing);
        const onLine = painted((v) => line(grid, ax, ay, bx, by, v));
        const got = painted((v) => capsule(grid, spacing, ax, ay, bx, by, diameter, v));
        for (let i = 0; i < got.length; i++) {
          const x = i % grid.width, y = (i - x) / grid.width;
          let distance = Infinity; // to the segment, by fine sampling of it
          for (let k = 0; k <= 2000; k++) {
            const t = k / 2000;
            distance = Math.min(distance, Math.hypot((x - ax - t * (bx - ax)) * spacing[1], (y - ay - t * (by - ay)) * spacing[0]));
          }
          if (Math.abs(distance - radius) < 1e-4) continue; // sampling cannot tell
          assert.equal(got[i], distance < radius || onLine[i] ? 1 : 0, `${spacing} ${ax},${ay}-${bx},${by} ${diameter} at ${x},${y}`);
        }
      }
    }
  }
});

test("a thin line over coarse rows is unbroken", () => {
  const m = painted((v) => capsule(grid, [5, 1], 0, 2, 23, 12, 1, v));
  for (let x = 0; x < grid.width; x++) {
    let any = 0;
    for (let y = 0; y < grid.height; y++) any += m[y * grid.width + x];
    assert.ok(any > 0, `column ${x} is empty`);
  }
});

test("polygon equals the point-in-polygon test of each centre", () => {
  const shapes: Array<Array<[number, number]>> = [
    [[2, 2], [10, 2], [10, 7], [2, 7]],
    [[1.2, 3.9], [21.7, 1.1], [12.4, 16.8]],
    [[-5, -5], [30, 4], [8, 25]],
    [[2, 2], [20, 15], [20, 2], [2, 15]], // crosses itself
    [[4.5, 4.5], [9.5, 4.5], [9.5, 9.5], [4.5, 9.5]], // through centres: half-open
  ];
  for (const points of shapes) {
    const inside = (px: number, py: number) => {
      let odd = false;
      for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
        const [xi, yi] = points[i], [xj, yj] = points[j];
        if ((yi > py) !== (yj > py) && px < (xj - xi) * (py - yi) / (yj - yi) + xi) odd = !odd;
      }
      return odd;
    };
    const want = painted((v) => {
      for (let y = 0; y < grid.height; y++) for (let x = 0; x < grid.width; x++) if (inside(x + 0.5, y + 0.5)) v(x, y);
    });
    const got = painted((v) => polygon(grid, points, v));
    assert.ok(Math.abs(count(got) - count(want)) <= (points[0][0] === 4.5 ? 10 : 0), "area");
    if (points[0][0] !== 4.5) assert.deepEqual(got, want);
  }
  assert.equal(count(painted((v) => polygon(grid, [[2, 2], [10, 2], [10, 7], [2, 7]], v))), 40);
  assert.equal(count(painted((v) => polygon(grid, shapes[4], v))), 25);
  assert.equal(count(painted((v) => polygon(grid, [[2, 2], [10, 2]], v))), 0);
});

test("fill stops at other labels and at diagonals", () => {
  const g = { width: 5, height: 5 };
  const labels = Uint8Array.from([
    0, 0, 1, 0, 0,
    0, 1, 0, 1, 0,
    1, 0, 0, 0, 1,
    0, 1, 0, 1, 0,
    0, 0, 1, 0, 0]);
  floodFill(g, labels, 2, 2, 2);
  assert.deepEqual([...labels], [
    0, 0, 1, 0, 0,
    0, 1, 2, 1, 0,
    1, 2, 2, 2, 1,
    0, 1, 2, 1, 0,
    0, 0, 1, 0, 0]);
  const before = [...labels];
  floodFill(g, labels, 2, 2, 2);
  assert.deepEqual([...labels], before);
});

test("outline of a square is four runs of its side, and touches the border", () => {
  const g = { width: 4, height: 4 };
  const runs: number[][] = [];
  outline(g, Uint8Array.from([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1, (...r) => runs.push(r));
  assert.deepEqual(runs.sort(), [[0, 0, 0, 2], [0, 0, 2, 0], [0, 2, 2, 2], [2, 0, 2, 2]]);
});

test("outline covers each edge between different voxels once, and no other", () => {
  const g = { width: 9, height: 7 };
  let seed = 5;
  const labels = Uint8Array.from({ length: 63 }, () => (seed = seed * 48271 % 2147483647) % 3);
  const at = (x: number, y: number) => x >= 0 && y >= 0 && x < g.width && y < g.height && labels[y * g.width + x] === 2;
  const want = new Set<string>(), got: string[] = [];
  for (let y = 0; y <= g.height; y++) {
    for (let x = 0; x <= g.width; x++) {
      if (at(x, y) !== at(x, y - 1)) want.add(`${x},${y} right`);
      if (at(x, y) !== at(x - 1, y)) want.add(`${x},${y} down`);
    }
  }
  outline(g, labels, 2, (x0, y0, x1, y1) => {
    for (let x = x0; x < x1; x++) got.push(`${x},${y0} right`);
    for (let y = y0; y < y1; y++) got.push(`${x0},${y} down`);
  });
  assert.deepEqual(got.sort(), [...want].sort());
});

test("spacings that a header rounds to float32 make round brushes", () => {
  for (const diameter of [2, 4, 6, 10]) {
    const round = painted((v) => capsule(grid, [1, 1], 9, 9, 9, 9, diameter, v));
    for (const spacing of [[0.62500006, 0.625], [0.625, 0.62500006], [0.7812, 0.78125]] as Array<[number, number]>) {
      assert.deepEqual(painted((v) => capsule(grid, spacing, 9, 9, 9, 9, diameter, v)), round, `${diameter} voxels of ${spacing}`);
    }
  }
});

test("the outlines of parts are together that of the whole", () => {
  let seed = 5;
  const next = () => (seed = (seed * 48271) % 2147483647);
  const labels = Uint8Array.from({ length: grid.width * grid.height }, () => Number(next() % 3 === 0));
  const edges = (part?: { x: number; y: number; width: number; height: number }) => {
    const out: string[] = [];
    outline(grid, labels, 1, (x0, y0, x1, y1) => {
      for (let x = x0, y = y0; x < x1 || y < y1;) {
        out.push(`${x},${y},${x1 > x0 ? "flat" : "upright"}`);
        if (x1 > x0) x++;
        else y++;
      }
    }, part);
    return out;
  };
  const whole = edges().sort(), parts: string[] = [];
  for (let y = 0; y < grid.height; y += 7) {
    for (let x = 0; x < grid.width; x += 10) parts.push(...edges({ x, y, width: Math.min(10, grid.width - x), height: Math.min(7, grid.height - y) }));
  }
  assert.deepEqual(parts.sort(), whole);
});
