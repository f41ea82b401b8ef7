// Operations on a whole class of a mask: holes, parts, growing, smoothing, and the shape between two slices.
// Each takes a mask and returns which voxels the class has afterwards, as 0 and 1.

import type { Grid } from "./raster";

/** The voxels of one label. */
export function only(labels: Uint8Array, label: number): Uint8Array {
  return labels.map((v) => (v === label ? 1 : 0));
}

/** The 4-connected parts of the voxels with a value: each voxel's part from 1, 0 for none, and how many voxels each has. */
function parts(g: Grid, mask: Uint8Array, value: number): { of: Int32Array; sizes: number[] } {
  const { width } = g, of = new Int32Array(mask.length), sizes = [0], stack: number[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] !== value || of[start] > 0) continue;
    const part = sizes.length;
    let size = 0;
    of[start] = part;
    stack.push(start);
    const push = (i: number) => {
      if (mask[i] !== value || of[i] > 0) return;
      of[i] = part;
      stack.push(i);
    };
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      size++;
      const x = i % width;
      if (x > 0) push(i - 1);
      if (x < width - 1) push(i + 1);
      if (i >= width) push(i - width);
      if (i + width < mask.length) push(i + width);
    }
    sizes.push(size);
  }
  return { of, sizes };
}

/** Adds what the mask encloses: voxels from which no way without diagonal steps leads to the border of the slice. */
export function fillHoles(g: Grid, mask: Uint8Array): Uint8Array {
  const { of } = parts(g, mask, 0), outside = new Set<number>();
  for (let x = 0; x < g.width; x++) outside.add(of[x]).add(of[(g.height - 1) * g.width + x]);
  for (let y = 0; y < g.height; y++) outside.add(of[y * g.width]).add(of[(y + 1) * g.width - 1]);
  return mask.map((v, i) => (v || !outside.has(of[i]) ? 1 : 0));
}

/** Keeps the largest 4-connected part; of equals the first. */
export function largestPart(g: Grid, mask: Uint8Array): Uint8Array {
  const { of, sizes } = parts(g, mask, 1);
  if (sizes.length === 1) return mask.slice();
  const largest = sizes.indexOf(Math.max(...sizes.slice(1)), 1);
  return mask.map((_, i) => (of[i] === largest ? 1 : 0));
}

/**
 * Signed distance of each voxel's centre to the border of the mask, in units of spacing [row, column]: positive inside.
 * Of an empty mask it is -Infinity, of a full one Infinity. Exact: Felzenszwalb, Huttenlocher 2012, "Distance transforms of
 * sampled functions". The border lies midway between the centres of two voxels, up to half a voxel along slants.
 */
export function signedDistance(g: Grid, mask: Uint8Array, spacing: [number, number]): Float64Array {
  const inside = squaredDistance(g, mask, 0, spacing), outside = squaredDistance(g, mask, 1, spacing);
  const half = Math.min(...spacing) / 2;
  return inside.map((d, i) => (mask[i] ? Math.sqrt(d) - half : half - Math.sqrt(outside[i])));
}

/** Squared distance of each voxel to the nearest one with a value, Infinity if there is none. */
function squaredDistance(g: Grid, mask: Uint8Array, value: number, [sy, sx]: [number, number]): Float64Array {
  const { width, height } = g, out = new Float64Array(mask.length);
  for (let i = 0; i < mask.length; i++) out[i] = mask[i] === value ? 0 : Infinity;
  const most = Math.max(width, height), line = new Float64Array(most), result = new Float64Array(most);
  const at = new Int32Array(most), from = new Float64Array(most + 1);
  const transform = (n: number, step: number) => {
    let k = -1;
    for (let q = 0; q < n; q++) {
      if (line[q] === Infinity) continue;
      let s = -Infinity;
      while (k >= 0) {
        const p = at[k];
        s = ((line[q] + (q * step) ** 2) - (line[p] + (p * step) ** 2)) / (2 * step * (q - p));
        if (s > from[k]) break;
        k--;
      }
      if (k < 0) s = -Infinity;
      at[++k] = q;
      from[k] = s;
      from[k + 1] = Infinity;
    }
    if (k < 0) return result.fill(Infinity, 0, n);
    for (let q = 0, j = 0; q < n; q++) {
      while (from[j + 1] < q * step) j++;
      result[q] = ((q - at[j]) * step) ** 2 + line[at[j]];
    }
  };
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) line[y] = out[y * width + x];
    transform(height, sy);
    for (let y = 0; y < height; y++) out[y * width + x] = result[y];
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) line[x] = out[y * width + x];
    transform(width, sx);
    for (let x = 0; x < width; x++) out[y * width + x] = result[x];
  }
  return out;
}

/** The mask grown by a distance in units of spacing, or shrunk by a negative one. */
export function grow(g: Grid, mask: Uint8Array, spacing: [number, number], by: number): Uint8Array {
  const value = by > 0 ? 1 : 0, limit = by * by * (1 + 2e-3), distance = squaredDistance(g, mask, value, spacing);
  return mask.map((_, i) => ((by > 0) === (distance[i] <= limit) ? 1 : 0));
}

/** The mask with a smoother border: a voxel belongs to it if most of the disc of a radius around it does. */
export function smooth(g: Grid, mask: Uint8Array, spacing: [number, number], radius: number): Uint8Array {
  const { width, height } = g, reachY = Math.floor(radius / spacing[0] + 1e-3), reachX = Math.floor(radius / spacing[1] + 1e-3);
  const near: Array<[number, number]> = [];
  for (let y = -reachY; y <= reachY; y++) {
    for (let x = -reachX; x <= reachX; x++) if ((x * spacing[1]) ** 2 + (y * spacing[0]) ** 2 <= radius * radius * (1 + 2e-3)) near.push([x, y]);
  }
  return mask.map((_, i) => {
    const x = i % width, y = (i - x) / width;
    let sum = 0, count = 0;
    for (const [dx, dy] of near) {
      if (x + dx < 0 || y + dy < 0 || x + dx >= width || y + dy >= height) continue;
      count++;
      sum += mask[i + dy * width + dx];
    }
    return 2 * sum > count ? 1 : 0;
  });
}

/**
 * The labels of a slice between two labelled ones, by the mean of their signed distances (Raya, Udupa 1990): t is 0 at a and
 * 1 at b. Where classes overlap, the one whose border is farther away wins. A class that one of the two lacks shrinks
 * towards its own middle and ends half-way.
 */
export function between(g: Grid, a: Uint8Array, b: Uint8Array, spacing: [number, number], t: number): Uint8Array {
  const out = new Uint8Array(a.length), best = new Float64Array(a.length);
  const present = [...new Set([...a, ...b])].filter((v) => v > 0);
  for (const label of present) {
    const da = signedDistance(g, only(a, label), spacing), db = signedDistance(g, only(b, label), spacing);
    const lacks = (d: Float64Array) => d[0] === -Infinity;
    const missing = lacks(da) ? 1 - 2 * t : lacks(db) ? 2 * t - 1 : null;
    const thickness = Math.max(0, ...(lacks(da) ? [maximum(db)] : lacks(db) ? [maximum(da)] : []));
    for (let i = 0; i < out.length; i++) {
      const d = missing === null ? (1 - t) * da[i] + t * db[i]
        : (lacks(da) ? db[i] : da[i]) - thickness * Math.max(0, 1 + missing); // from its own border inwards
      if (d > best[i]) {
        best[i] = d;
        out[i] = label;
      }
    }
  }
  return out;
}

function maximum(values: Float64Array): number {
  let out = -Infinity;
  for (const v of values) if (v > out && v < Infinity) out = v;
  return out;
}
