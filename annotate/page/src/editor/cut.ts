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
  const n = p.width * p.height;
  if (n <= few || p.width < 4 || p.height < 4) return cut(p, null, new Uint8Array(n));
  const blocks = halved(p), coarse = cheapest(blocks), start = new Uint8Array(n), free = new Uint8Array(n);
  for (let y = 0, i = 0; y < p.height; y++) for (let x = 0; x < p.width; x++, i++) start[i] = coarse[(y >> 1) * blocks.width + (x >> 1)];
  for (let y = 0, i = 0; y < p.height; y++) {
    for (let x = 0; x < p.width; x++, i++) {
      const border = (x + 1 < p.width && start[i + 1] !== start[i]) || (y + 1 < p.height && start[i + p.width] !== start[i]);
      if (!border && (start[i] ? p.belongs[i] : p.not[i]) < never / 2) continue;
      for (let v = Math.max(0, y - band); v <= Math.min(p.height - 1, y + band); v++) free.fill(1, v * p.width + Math.max(0, x - band), v * p.width + Math.min(p.width, x + band + 1));
    }
  }
  return cut(p, free, start);
}

const steps: Array<[dx: number, dy: number]> = [[1, 0], [0, 1], [1, 1], [-1, 1]];

/** The same prices for blocks of 2 × 2 voxels. */
function halved(p: Prices): Prices {
  const width = (p.width + 1) >> 1, height = (p.height + 1) >> 1, make = () => new Float32Array(width * height);
  const out: Prices = { width, height, belongs: make(), not: make(), joins: [make(), make(), make(), make()] };
  for (let y = 0, i = 0; y < p.height; y++) {
    for (let x = 0; x < p.width; x++, i++) {
      const block = (y >> 1) * width + (x >> 1);
      out.belongs[block] += p.belongs[i];
      out.not[block] += p.not[i];
      for (let k = 0; k < 4; k++) {
        const u = x + steps[k][0], v = y + steps[k][1];
        if (u < 0 || u >= p.width || v >= p.height) continue;
        const dx = (u >> 1) - (x >> 1), dy = (v >> 1) - (y >> 1);
        if (dx === 0 && dy === 0) continue;
        // one of a row's block to the left counts from there
        if (dy === 0) out.joins[0][dx > 0 ? block : block - 1] += p.joins[k][i];
        else out.joins[dx === 0 ? 1 : dx > 0 ? 2 : 3][block] += p.joins[k][i];
      }
    }
  }
  return out;
}

const root = 8, orphan = 9, none = 10; // what a voxel's parent is besides a direction

/**
 * The cheapest cut, in which voxels that are not free, if there are such, stay as they are in start. Its graph has a margin of a voxel.
 * Directions come in pairs: the opposite of d is d ^ 1.
 */
function cut(p: Prices, free: Uint8Array | null, start: Uint8Array): Uint8Array {
  const W = p.width + 2, n = W * (p.height + 2), off = [1, -1, W, -W, W + 1, -W - 1, W - 1, 1 - W];
  const room = Array.from({ length: 8 }, () => new Float64Array(n)); // left in each direction
  const source = new Float64Array(n); // left from the side that belongs; less than 0: to the other side
  const some = free && Uint8Array.from({ length: p.height + 1 }, (_, y) => Number(free.subarray(y * p.width, (y + 1) * p.width).includes(1))); // rows with free voxels
  for (let y = 0; y < p.height; y++) {
    if (some && !some[y] && !some[y + 1]) continue;
    for (let x = 0, j = y * p.width; x < p.width; x++, j++) {
      const i = (y + 1) * W + x + 1, own = !free || free[j] === 1;
      if (own) source[i] += p.not[j] - p.belongs[j];
      for (let k = 0; k < 4; k++) {
        const u = x + steps[k][0], v = y + steps[k][1];
        if (u < 0 || u >= p.width || v >= p.height) continue;
        const other = v * p.width + u, to = i + off[2 * k], price = p.joins[k][j], their = !free || free[other] === 1;
        if (own && their) room[2 * k][i] = room[2 * k + 1][to] = price;
        else if (own) source[i] += start[other] ? price : -price;
        else if (their) source[to] += start[j] ? price : -price;
      }
    }
  }

  const tree = new Uint8Array(n), parent = new Uint8Array(n).fill(none), stamp = new Int32Array(n), far = new Int32Array(n);
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
  const left = (i: number, d: number, of: number) => (of === 1 ? room[d][i] : room[d ^ 1][i + off[d]]);
  let orphans: number[] = [];

  /** Sends through what fits, from the source's tree at a in direction d into the sink's. */
  const send = (a: number, d: number) => {
    let fits = room[d][a];
    for (let i = a; ; i += off[parent[i]]) {
      if (parent[i] === root) { fits = Math.min(fits, source[i]); break; }
      fits = Math.min(fits, room[parent[i] ^ 1][i + off[parent[i]]]);
    }
    for (let i = a + off[d]; ; i += off[parent[i]]) {
      if (parent[i] === root) { fits = Math.min(fits, -source[i]); break; }
      fits = Math.min(fits, room[parent[i]][i]);
    }
    const move = (from: number, e: number) => {
      room[e][from] -= fits;
      room[e ^ 1][from + off[e]] += fits;
      return room[e][from] <= 1e-9;
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
      const next = i + off[up];
      if (move(next, up ^ 1)) { room[up ^ 1][next] = 0; lose(i); }
      i = next;
    }
    for (let i = a + off[d]; ;) {
      const up = parent[i];
      if (up === root) {
        source[i] += fits;
        if (source[i] >= -1e-9) lose(i);
        break;
      }
      const next = i + off[up];
      if (move(i, up)) { room[up][i] = 0; lose(i); }
      i = next;
    }
    if (room[d][a] <= 1e-9) room[d][a] = 0;
  };

  /** How far a voxel is from its root, 0 if it has lost it; what is known is marked with the time. */
  const depth = (from: number): number => {
    let steps = 0, i = from;
    for (; ; i += off[parent[i]]) {
      if (stamp[i] === time) { steps += far[i]; break; }
      if (parent[i] === root) { stamp[i] = time; far[i] = 1; steps++; break; }
      if (parent[i] >= orphan) return 0;
      steps++;
    }
    for (let j = from, k = steps; stamp[j] !== time; j += off[parent[j]], k--) { stamp[j] = time; far[j] = k; }
    return steps;
  };

  const adopt = () => {
    for (let at = 0; at < orphans.length; at++) {
      const i = orphans[at], of = tree[i];
      let best = none, shortest = Infinity;
      for (let d = 0; d < 8; d++) {
        const j = i + off[d];
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
        const j = i + off[d];
        if (tree[j] !== of) continue;
        if (left(j, d ^ 1, of) > 0) wake(j);
        if (parent[j] < root && j + off[parent[j]] === i) { parent[j] = orphan; orphans.push(j); }
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
      const j = i + off[d];
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
  const out = new Uint8Array(p.width * p.height);
  for (let y = 0, j = 0; y < p.height; y++) for (let x = 0; x < p.width; x++, j++) out[j] = free && !free[j] ? start[j] : Number(tree[(y + 1) * W + x + 1] === 1);
  return out;
}
