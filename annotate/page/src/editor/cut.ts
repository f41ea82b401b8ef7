// The cheapest way to part the voxels of a slice in two: which of them belong, where each has a price for belonging and one for not
// belonging, and neighbours that are parted have a price too (Boykov, Jolly 2001, "Interactive graph cuts").
//
// The cut is the exact one on small grids (Boykov, Kolmogorov 2004, "An experimental comparison of min-cut/max-flow algorithms");
// of large ones it is found on blocks of 2 × 2 voxels first and then along their border (Lombaert and others 2005, "A multilevel
// banded graph cuts method").

import type { Grid } from "./raster";

/** Prices, all of them 0 or more: of a voxel that belongs and of one that does not, and of parting a voxel from its neighbours. */
export interface Prices extends Grid {
  belongs: Float32Array;
  not: Float32Array;
  /** To the next voxel of the row, the one below, the one below it to the right and to the left. What leads out of the slice counts for nothing. */
  joins: [Float32Array, Float32Array, Float32Array, Float32Array];
}

/** Up to so many voxels are cut at once. */
const few = 16384;
/** How far from the border of the blocks the border of the voxels may lie. */
const band = 3;
/** A price that is never paid where it can be helped: that of a voxel that a person has pointed at. */
export const never = 1e6;

/** The voxels that belong, as 1, where all prices together are lowest. Voxels that could as well belong do not. */
export function cheapest(p: Prices): Uint8Array {
  const { width, height } = p, n = width * height;
  if (n <= few || width < 4 || height < 4) return cut(p, Int32Array.from({ length: n }, (_, i) => i), new Uint8Array(n));
  const blocks = halved(p), coarse = cheapest(blocks), start = new Uint8Array(n);
  for (let y = 0; y < height; y += 2) {
    const row = y * width, from = (y >> 1) * blocks.width;
    for (let x = 0; x < width; x++) start[row + x] = coarse[from + (x >> 1)];
    if (y + 1 < height) start.copyWithin(row + width, row, row + width);
  }
  return cut(p, nearBorder(p, blocks, coarse, start), start);
}

/** The voxels, in their order, that may change sides: those near the border of the blocks, and near voxels whose side is certain and not that of their block. */
function nearBorder({ width, height, belongs, not }: Prices, blocks: Prices, coarse: Uint8Array, start: Uint8Array): Int32Array {
  const near = new Uint8Array(width * height);
  const mark = (x0: number, y0: number, x1: number, y1: number) => { // with what lies around
    const left = Math.max(0, x0 - band), right = Math.min(width, x1 + band + 1);
    for (let y = Math.max(0, y0 - band), end = Math.min(height - 1, y1 + band); y <= end; y++) near.fill(1, y * width + left, y * width + right);
  };
  for (let v = 0, b = 0; v < blocks.height; v++) {
    for (let u = 0; u < blocks.width; u++, b++) {
      const x = 2 * u, y = 2 * v, side = coarse[b];
      if (u + 1 < blocks.width && coarse[b + 1] !== side) mark(x + 1, y, x + 1, Math.min(y + 1, height - 1));
      if (v + 1 < blocks.height && coarse[b + blocks.width] !== side) mark(x, y + 1, Math.min(x + 1, width - 1), y + 1);
      if ((side ? blocks.belongs[b] : blocks.not[b]) < never / 2) continue;
      for (let w = y; w < Math.min(y + 2, height); w++) {
        for (let z = x; z < Math.min(x + 2, width); z++) if ((start[w * width + z] ? belongs : not)[w * width + z] >= never / 2) mark(z, w, z, w);
      }
    }
  }
  let count = 0;
  const list = new Int32Array(near.length);
  for (let i = near.indexOf(1); i >= 0; i = near.indexOf(1, i + 1)) list[count++] = i;
  return list.slice(0, count);
}

/** The same prices for blocks of 2 × 2 voxels. */
function halved(p: Prices): Prices {
  const { width: w, height: h, belongs, not, joins: [right, down, diagonal, back] } = p;
  const width = (w + 1) >> 1, height = (h + 1) >> 1, make = () => new Float32Array(width * height);
  const out: Prices = { width, height, belongs: make(), not: make(), joins: [make(), make(), make(), make()] };
  for (let v = 0, b = 0; v < height; v++) {
    for (let u = 0; u < width; u++, b++) {
      // the block's four voxels, where they are in the slice, and whether there are blocks to the right and below
      const i = 2 * v * w + 2 * u, j = i + w, two = 2 * u + 1 < w, both = 2 * v + 1 < h, more = 2 * u + 2 < w, below = 2 * v + 2 < h;
      out.belongs[b] = belongs[i] + (two ? belongs[i + 1] : 0) + (both ? belongs[j] + (two ? belongs[j + 1] : 0) : 0);
      out.not[b] = not[i] + (two ? not[i + 1] : 0) + (both ? not[j] + (two ? not[j + 1] : 0) : 0);
      if (more) out.joins[0][b] = right[i + 1] + (both ? right[j + 1] + diagonal[i + 1] + back[i + 2] : 0);
      if (!below) continue;
      out.joins[1][b] = down[j] + (two ? down[j + 1] + diagonal[j] + back[j + 1] : 0);
      if (more) out.joins[2][b] = diagonal[j + 1];
      if (u > 0) out.joins[3][b] = back[j];
    }
  }
  return out;
}

const root = 8, orphan = 9, none = 10; // what a voxel's parent is besides a direction

/**
 * The cheapest cut, in which the voxels that are not free, a list in their order, stay as they are in start. Its graph has the free ones, in this order,
 * and one more that nothing leads to, in place of all that are not. Directions come in pairs: the opposite of d is d ^ 1.
 */
function cut(p: Prices, free: Int32Array, start: Uint8Array): Uint8Array {
  const { width, height } = p, n = free.length, dx = [1, -1, 0, 0, 1, -1, -1, 1], dy = [0, 0, 1, -1, 1, -1, 1, -1];
  const place = new Int32Array(width * height).fill(n); // in the graph
  for (let i = 0; i < n; i++) place[free[i]] = i;
  const to = new Int32Array(8 * (n + 1)).fill(n); // the neighbour in each direction
  const room = new Float64Array(8 * (n + 1)); // left to it
  const source = new Float64Array(n); // left from the side that belongs; less than 0: to the other side
  for (let i = 0; i < n; i++) {
    const j = free[i], x = j % width, y = (j - x) / width;
    let side = p.not[j] - p.belongs[j];
    for (let d = 0; d < 8; d++) {
      const u = x + dx[d], v = y + dy[d];
      if (u < 0 || v < 0 || u >= width || v >= height) continue;
      const other = v * width + u, price = p.joins[d >> 1][d & 1 ? other : j];
      if (place[other] < n) {
        to[8 * i + d] = place[other];
        room[8 * i + d] = price;
      } else side += start[other] ? price : -price;
    }
    source[i] = side;
  }

  const tree = new Uint8Array(n + 1), parent = new Uint8Array(n + 1).fill(none), stamp = new Int32Array(n), far = new Int32Array(n);
  const queue = new Int32Array(n + 1), queued = new Uint8Array(n); // a ring: no voxel is in it twice
  let head = 0, tail = 0, time = 1;
  const wake = (i: number) => {
    if (queued[i]) return;
    queued[i] = 1;
    queue[tail] = i;
    tail = tail === n ? 0 : tail + 1;
  };
  for (let i = 0; i < n; i++) {
    if (source[i] === 0) continue;
    tree[i] = source[i] > 0 ? 1 : 2;
    parent[i] = root;
    far[i] = 1;
    wake(i);
  }
  /** What is left from voxel i in direction d, the way that a tree grows: from the source, or to the sink. */
  const left = (i: number, d: number, of: number) => (of === 1 ? room[8 * i + d] : room[8 * to[8 * i + d] + (d ^ 1)]);
  let orphans: number[] = [];

  /** Sends through what fits, from the source's tree at a in direction d into the sink's. */
  const send = (a: number, d: number) => {
    const b = to[8 * a + d];
    let fits = room[8 * a + d];
    for (let i = a; ;) {
      const up = parent[i];
      if (up === root) { fits = Math.min(fits, source[i]); break; }
      i = to[8 * i + up];
      fits = Math.min(fits, room[8 * i + (up ^ 1)]);
    }
    for (let i = b; ; i = to[8 * i + parent[i]]) {
      if (parent[i] === root) { fits = Math.min(fits, -source[i]); break; }
      fits = Math.min(fits, room[8 * i + parent[i]]);
    }
    /** Tells whether nothing more fits. */
    const move = (from: number, e: number) => {
      const left = room[8 * from + e] - fits;
      room[8 * from + e] = left <= 1e-9 ? 0 : left;
      room[8 * to[8 * from + e] + (e ^ 1)] += fits;
      return left <= 1e-9;
    };
    const lose = (i: number) => { parent[i] = orphan; orphans.push(i); };
    move(a, d);
    for (let i = a; ;) {
      const up = parent[i];
      if (up === root) {
        source[i] -= fits;
        if (source[i] <= 1e-9) lose(i);
        break;
      }
      const next = to[8 * i + up];
      if (move(next, up ^ 1)) lose(i);
      i = next;
    }
    for (let i = b; ;) {
      const up = parent[i];
      if (up === root) {
        source[i] += fits;
        if (source[i] >= -1e-9) lose(i);
        break;
      }
      const next = to[8 * i + up];
      if (move(i, up)) lose(i);
      i = next;
    }
  };

  /** How far a voxel is from its root, 0 if it has lost it; what is known is marked with the time. */
  const depth = (from: number): number => {
    let steps = 0, i = from;
    for (; ; i = to[8 * i + parent[i]]) {
      if (stamp[i] === time) { steps += far[i]; break; }
      if (parent[i] === root) { stamp[i] = time; far[i] = 1; steps++; break; }
      if (parent[i] >= orphan) return 0;
      steps++;
    }
    for (let j = from, k = steps; stamp[j] !== time; j = to[8 * j + parent[j]], k--) { stamp[j] = time; far[j] = k; }
    return steps;
  };

  const adopt = () => {
    for (let at = 0; at < orphans.length; at++) {
      const i = orphans[at], of = tree[i];
      let best = none, shortest = Infinity;
      for (let d = 0; d < 8; d++) {
        const j = to[8 * i + d];
        if (tree[j] !== of || left(j, d ^ 1, of) <= 0) continue;
        const steps = depth(j);
        if (steps > 0 && steps < shortest) { shortest = steps; best = d; }
      }
      if (best !== none) {
        parent[i] = best;
        stamp[i] = time;
        far[i] = shortest + 1;
        continue;
      }
      for (let d = 0; d < 8; d++) {
        const j = to[8 * i + d];
        if (tree[j] !== of) continue;
        if (left(j, d ^ 1, of) > 0) wake(j);
        if (parent[j] < root && to[8 * j + parent[j]] === i) { parent[j] = orphan; orphans.push(j); }
      }
      tree[i] = 0;
      parent[i] = none;
    }
    orphans = [];
  };

  while (head !== tail) {
    const i = queue[head];
    head = head === n ? 0 : head + 1;
    queued[i] = 0;
    for (let d = 0; d < 8 && tree[i] !== 0; d++) {
      const of = tree[i];
      if (left(i, d, of) <= 0) continue;
      const j = to[8 * i + d];
      if (tree[j] === 0) {
        tree[j] = of;
        parent[j] = d ^ 1;
        stamp[j] = stamp[i];
        far[j] = far[i] + 1;
        wake(j);
      } else if (tree[j] !== of) {
        time++;
        if (of === 1) send(i, d);
        else send(j, d ^ 1);
        adopt();
        d--; // there may be more
      } else if (stamp[j] <= stamp[i] && far[j] > far[i]) {
        parent[j] = d ^ 1; // a shorter way
        stamp[j] = stamp[i];
        far[j] = far[i] + 1;
      }
    }
  }
  const out = start.slice();
  for (let i = 0; i < n; i++) out[free[i]] = Number(tree[i] === 1);
  return out;
}
