// Shapes on the voxel grid: which voxels a brush, a polygon or a fill covers.
// Rule throughout: a voxel belongs to a shape if its centre lies in it.

export type Visit = (x: number, y: number) => void;

export interface Grid { width: number; height: number }

export interface Rect { x: number; y: number; width: number; height: number }

/** Spacings that differ by less than this share are the same: headers store them as float32, often rounded. */
const alike = 1e-3;

/**
 * Visits the voxels that a round brush covers on its way from voxel a to voxel b.
 * The brush is round in space: diameter counts voxels of the finer spacing
 * [row, column]. Whatever the diameter, the line between the two is unbroken.
 */
export function capsule(g: Grid, spacing: [number, number], ax: number, ay: number, bx: number, by: number,
  diameter: number, visit: Visit): void {
  const finest = Math.min(...spacing);
  const [sy, sx] = spacing.map((v) => (v <= finest * (1 + alike) ? finest : v));
  const radius = diameter / 2 * finest;
  const dx = (bx - ax) * sx, dy = (by - ay) * sy, length2 = dx * dx + dy * dy;
  const reachX = radius / sx, reachY = radius / sy;
  const x0 = Math.max(0, Math.ceil(Math.min(ax, bx) - reachX)), x1 = Math.min(g.width - 1, Math.floor(Math.max(ax, bx) + reachX));
  const y0 = Math.max(0, Math.ceil(Math.min(ay, by) - reachY)), y1 = Math.min(g.height - 1, Math.floor(Math.max(ay, by) + reachY));
  const limit = radius * radius * (1 + 1e-9);
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      const px = (x - ax) * sx, py = (y - ay) * sy;
      const t = length2 === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
      const ex = px - t * dx, ey = py - t * dy;
      if (ex * ex + ey * ey <= limit) visit(x, y);
    }
  }
  // A thin brush misses voxel centres between coarse rows.
  line(g, ax, ay, bx, by, visit);
}

/** Visits the voxels of an 8-connected line from a to b (Bresenham 1965), both ends included. */
export function line(g: Grid, ax: number, ay: number, bx: number, by: number, visit: Visit): void {
  const dx = Math.abs(bx - ax), dy = -Math.abs(by - ay), stepX = Math.sign(bx - ax), stepY = Math.sign(by - ay);
  let error = dx + dy;
  for (let x = ax, y = ay; ;) {
    if (x >= 0 && y >= 0 && x < g.width && y < g.height) visit(x, y);
    if (x === bx && y === by) return;
    const twice = 2 * error;
    if (twice >= dy) { error += dy; x += stepX; }
    if (twice <= dx) { error += dx; y += stepY; }
  }
}

/** Visits the voxels whose centres lie in the polygon (even-odd rule); points are in voxel coordinates. */
export function polygon(g: Grid, points: ReadonlyArray<readonly [number, number]>, visit: Visit): void {
  if (points.length < 3) return;
  const ys = points.map((p) => p[1]);
  const y0 = Math.max(0, Math.floor(Math.min(...ys) - 0.5)), y1 = Math.min(g.height - 1, Math.ceil(Math.max(...ys)));
  for (let y = y0; y <= y1; y++) {
    const cy = y + 0.5, crossings: number[] = [];
    for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
      const [xi, yi] = points[i], [xj, yj] = points[j];
      if ((yi > cy) !== (yj > cy)) crossings.push(xi + (cy - yi) / (yj - yi) * (xj - xi));
    }
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const x0 = Math.max(0, Math.ceil(crossings[i] - 0.5)), x1 = Math.min(g.width, Math.ceil(crossings[i + 1] - 0.5));
      for (let x = x0; x < x1; x++) visit(x, y);
    }
  }
}

/** Gives label to the 4-connected region of equal labels around (x, y); returns the rectangle that it fills, null for none. */
export function floodFill(g: Grid, labels: Uint8Array, x: number, y: number, label: number): Rect | null {
  const { width, height } = g;
  const old = labels[y * width + x];
  if (old === label) return null;
  const stack = [y * width + x];
  let x0 = x, x1 = x, y0 = y, y1 = y;
  labels[stack[0]] = label;
  const push = (i: number) => {
    if (labels[i] === old) {
      labels[i] = label;
      stack.push(i);
    }
  };
  for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
    const cx = i % width, cy = (i - cx) / width;
    if (cx < x0) x0 = cx;
    if (cx > x1) x1 = cx;
    if (cy < y0) y0 = cy;
    if (cy > y1) y1 = cy;
    if (cx > 0) push(i - 1);
    if (cx < width - 1) push(i + 1);
    if (cy > 0) push(i - width);
    if (cy < height - 1) push(i + width);
  }
  return { x: x0, y: y0, width: x1 - x0 + 1, height: y1 - y0 + 1 };
}

/**
 * Gives the outline of the voxels of one label, along voxel edges, as runs [x0 y0 x1 y1]. Of a part of the slice it gives
 * the left and upper edges of the part's voxels, and the right and lower ones at the border of the slice: the outlines of
 * parts that cover the slice are together that of the whole. It goes through the memory in order.
 */
export function outline(g: Grid, labels: Uint8Array, label: number, run: (x0: number, y0: number, x1: number, y1: number) => void,
  part: Rect = { x: 0, y: 0, width: g.width, height: g.height }): void {
  const { width, height } = g;
  const left = part.x, right = part.x + part.width, bottom = part.y + part.height;
  const last = bottom === height ? height : bottom - 1; // rows whose upper edges are drawn
  const upright = new Int32Array(part.width + 1).fill(-1); // where the run along the left edge of each column began
  for (let y = part.y; y <= last; y++) {
    const row = y * width, inRow = y < height, above = y > 0;
    let flat = -1; // where the run along the upper edge of this row began
    let before = inRow && left > 0 && labels[row + left - 1] === label;
    for (let x = left; x < right; x++) {
      const here = inRow && labels[row + x] === label;
      if (here !== (above && labels[row - width + x] === label)) {
        if (flat < 0) flat = x;
      } else if (flat >= 0) {
        run(flat, y, x, y);
        flat = -1;
      }
      if (here !== before) {
        if (upright[x - left] < 0) upright[x - left] = y;
      } else if (upright[x - left] >= 0) {
        run(x, upright[x - left], x, y);
        upright[x - left] = -1;
      }
      before = here;
    }
    if (flat >= 0) run(flat, y, right, y);
    if (right < width) continue;
    if (before) {
      if (upright[part.width] < 0) upright[part.width] = y;
    } else if (upright[part.width] >= 0) {
      run(width, upright[part.width], width, y);
      upright[part.width] = -1;
    }
  }
  upright.forEach((from, i) => { if (from >= 0) run(left + i, from, left + i, bottom); });
}

/** The smallest rectangle that holds both. */
export function union(a: Rect | null, b: Rect): Rect {
  if (!a) return b;
  const x = Math.min(a.x, b.x), y = Math.min(a.y, b.y);
  return { x, y, width: Math.max(a.x + a.width, b.x + b.width) - x, height: Math.max(a.y + a.height, b.y + b.height) - y };
}

/** A rectangle with a margin, within the slice. */
export function grown(r: Rect, margin: number, g: Grid): Rect {
  const x = Math.max(0, r.x - margin), y = Math.max(0, r.y - margin);
  return { x, y, width: Math.max(0, Math.min(g.width, r.x + r.width + margin) - x), height: Math.max(0, Math.min(g.height, r.y + r.height + margin) - y) };
}
