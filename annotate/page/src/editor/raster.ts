// Shapes on the voxel grid: which voxels a brush, a polygon or a fill covers.
// Rule throughout: a voxel belongs to a shape if its centre lies in it.

export type Visit = (x: number, y: number) => void;

export interface Grid { width: number; height: number }

/**
 * Visits the voxels that a round brush covers on its way from voxel a to voxel b.
 * The brush is round in space: diameter counts voxels of the finer spacing
 * [row, column]. Whatever the diameter, the line between the two is unbroken.
 */
export function capsule(g: Grid, spacing: [number, number], ax: number, ay: number, bx: number, by: number,
  diameter: number, visit: Visit): void {
  const [sy, sx] = spacing;
  const radius = diameter / 2 * Math.min(sx, sy);
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

/** Gives label to the 4-connected region of equal labels around (x, y). */
export function floodFill(g: Grid, labels: Uint8Array, x: number, y: number, label: number): void {
  const { width, height } = g;
  const old = labels[y * width + x];
  if (old === label) return;
  const stack = [y * width + x];
  labels[stack[0]] = label;
  const push = (i: number) => {
    if (labels[i] === old) {
      labels[i] = label;
      stack.push(i);
    }
  };
  for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
    const cx = i % width;
    if (cx > 0) push(i - 1);
    if (cx < width - 1) push(i + 1);
    if (i >= width) push(i - width);
    if (i < (height - 1) * width) push(i + width);
  }
}

/**
 * Gives the outline of the voxels of one label, along voxel edges, as runs [x0 y0 x1 y1].
 * It is drawn anew in every frame of a stroke, so it goes through the memory in order.
 */
export function outline(g: Grid, labels: Uint8Array, label: number, run: (x0: number, y0: number, x1: number, y1: number) => void): void {
  const { width, height } = g;
  const upright = new Int32Array(width + 1).fill(-1); // where the run along the left edge of each column began
  for (let y = 0; y <= height; y++) {
    const row = y * width, inRow = y < height, above = y > 0;
    let flat = -1; // where the run along the upper edge of this row began
    let before = false;
    for (let x = 0; x < width; x++) {
      const here = inRow && labels[row + x] === label;
      if (here !== (above && labels[row - width + x] === label)) {
        if (flat < 0) flat = x;
      } else if (flat >= 0) {
        run(flat, y, x, y);
        flat = -1;
      }
      if (here !== before) {
        if (upright[x] < 0) upright[x] = y;
      } else if (upright[x] >= 0) {
        run(x, upright[x], x, y);
        upright[x] = -1;
      }
      before = here;
    }
    if (flat >= 0) run(flat, y, width, y);
    if (before) {
      if (upright[width] < 0) upright[width] = y;
    } else if (upright[width] >= 0) {
      run(width, upright[width], width, y);
      upright[width] = -1;
    }
  }
}
