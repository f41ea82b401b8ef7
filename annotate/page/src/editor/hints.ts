// From what a person has pointed at, the image and what a network makes of it, to the voxels of a class.

import { cheapest, never, type Prices } from "./cut";
import type { Window } from "./layers";
import type { Grid, Rect } from "./raster";

export interface Pointed extends Grid {
  image: Float32Array;
  /** What is black and what is white on the screen: differences beyond it are not seen and do not count. */
  window: Window;
  spacing: [number, number];
  /** 1: belongs, 2: does not, 0: nobody has said. */
  hints: Uint8Array;
  /** A network's chances of the class, from 0 to 255; null without one. */
  chances: Uint8Array | null;
}

/** The share of a slice's side around which a hint counts, where the voxels are like those that it points at. */
const reach = 0.25;
/** Chances that a network is believed: it is never wholly sure. Without one, what nobody has pointed at rather does not belong. */
const surest = 0.97, without = 0.35;
/** What parting two like neighbours costs, beside the price of a voxel on the wrong side. */
const weight = 4;
/** How much unlike a voxel may be, in the spread of grey values, before a hint no longer reaches across it. */
const alike = 2;

/** A part of more voxels is looked at through blocks of n × n of them: it is shown as coarsely on a screen. */
const many = 600 * 600;

/** The voxels that belong, as 1. */
export function belonging(p: Pointed): Uint8Array {
  const out = new Uint8Array(p.width * p.height), part = around(p);
  if (!part) return out;
  const n = Math.ceil(Math.sqrt(part.width * part.height / many)), here = reduced(p, part, n), found = cheapest(priced(here));
  for (let y = 0; y < part.height; y++) {
    const row = (part.y + y) * p.width + part.x;
    if (n === 1) {
      out.set(found.subarray(y * part.width, (y + 1) * part.width), row);
      continue;
    }
    // between the middles of four blocks a voxel is on the side on which most of the weight is
    const v = Math.max(0, (y + 0.5) / n - 0.5), top = Math.floor(v), bottom = Math.min(here.height - 1, top + 1), t = v - top;
    for (let x = 0, i = row; x < part.width; x++, i++) {
      if (p.hints[i] > 0) {
        out[i] = p.hints[i] === 1 ? 1 : 0;
        continue;
      }
      const u = Math.max(0, (x + 0.5) / n - 0.5), left = Math.floor(u), right = Math.min(here.width - 1, left + 1), s = u - left;
      const upper = (1 - s) * found[top * here.width + left] + s * found[top * here.width + right], lower = (1 - s) * found[bottom * here.width + left] + s * found[bottom * here.width + right];
      out[i] = (1 - t) * upper + t * lower >= 0.5 ? 1 : 0;
    }
  }
  return out;
}

/** The part of a slice that can change: where hints are and where the network sees something, with room around. */
function around({ width, height, hints, chances }: Pointed): Rect | null {
  let x0 = width, x1 = -1, y0 = height, y1 = -1;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (hints[i] !== 1 && (!chances || chances[i] < 64)) continue;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      y1 = y;
    }
  }
  if (x1 < 0) return null;
  const room = Math.ceil(reach * Math.min(width, height));
  x0 = Math.max(0, x0 - room);
  y0 = Math.max(0, y0 - room);
  return { x: x0, y: y0, width: Math.min(width, x1 + 1 + room) - x0, height: Math.min(height, y1 + 1 + room) - y0 };
}

/** A part of the slice, with grey values from 0 to 1. */
interface Part extends Grid { grey: Float32Array; hints: Uint8Array; chances: Uint8Array | null; spacing: [number, number]; radius: number }

/** A part of the slice, of which a voxel is n × n: their mean, and the hint that most of them with one have. */
function reduced(p: Pointed, r: Rect, n: number): Part {
  const width = Math.ceil(r.width / n), height = Math.ceil(r.height / n), size = width * height;
  const grey = new Float32Array(size), hints = new Uint8Array(size), chances = p.chances && new Uint8Array(size);
  const scale = 1 / Math.max(p.window.high - p.window.low, 1e-12);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      let sum = 0, chance = 0, count = 0, belong = 0, not = 0;
      for (let v = r.y + y * n, bottom = Math.min(v + n, r.y + r.height); v < bottom; v++) {
        for (let from = v * p.width + r.x + x * n, end = from + Math.min(n, r.width - x * n); from < end; from++) {
          const g = (p.image[from] - p.window.low) * scale;
          sum += g > 1 ? 1 : g > 0 ? g : 0; // NaN too
          if (p.hints[from] === 1) belong++;
          else if (p.hints[from] === 2) not++;
          if (p.chances) chance += p.chances[from];
          count++;
        }
      }
      grey[i] = sum / count;
      if (belong + not > 0) hints[i] = belong >= not ? 1 : 2;
      if (chances) chances[i] = Math.round(chance / count);
    }
  }
  return { width, height, grey, hints, chances, spacing: p.spacing, radius: Math.max(4, reach * Math.min(p.width, p.height) / n) };
}

function priced(p: Part): Prices {
  const { width, height, grey, hints, chances } = p, n = width * height;
  const usual = roughness(p), plain = smoothed(p);
  const like = pointedAt(hints, plain, 1, usual), unlike = pointedAt(hints, plain, 2, usual);
  const yes = nearness(p, plain, 1, like), no = nearness(p, plain, 2, unlike);
  const prices: Prices = { width, height, belongs: new Float32Array(n), not: new Float32Array(n), joins: [new Float32Array(n), new Float32Array(n), new Float32Array(n), new Float32Array(n)] };
  const price = (i: number, chance: number) => {
    const c = Math.min(surest, Math.max(1 - surest, chance));
    prices.belongs[i] = -Math.log(c);
    prices.not[i] = -Math.log(1 - c);
  };
  const known = Float32Array.from({ length: 256 }, (_, v) => (chances ? 1 - surest + (2 * surest - 1) * v / 255 : without));
  const far = { belongs: known.map((c) => -Math.log(c)), not: known.map((c) => -Math.log(1 - c)) }; // of hints
  for (let i = 0; i < n; i++) {
    if (hints[i] > 0) {
      (hints[i] === 1 ? prices.not : prices.belongs)[i] = never;
      continue;
    }
    const value = chances ? chances[i] : 0;
    if (yes[i] === 0 && no[i] === 0) {
      prices.belongs[i] = far.belongs[value];
      prices.not[i] = far.not[value];
      continue;
    }
    const a = yes[i] * yes[i], b = no[i] * no[i], rest = 1 - Math.max(yes[i], no[i]);
    price(i, (a + rest * (chances ? known[value] : looks(plain[i], yes[i], like, unlike))) / (a + b + rest));
  }
  const [sy, sx] = p.spacing, finest = Math.min(sy, sx), off = [1, width, width + 1, width - 1];
  const length = [sx, sy, Math.hypot(sx, sy), Math.hypot(sx, sy)].map((d) => finest / d);
  const parted = Float32Array.from({ length: 1025 }, (_, d) => weight / 2 * Math.exp(-((d / 1024) ** 2) / (2 * usual * usual))); // by difference
  for (let k = 0; k < 4; k++) {
    const join = prices.joins[k], by = parted.map((v) => v * length[k]);
    for (let i = 0, other = off[k]; other < n; i++, other++) join[i] = by[(Math.abs(grey[other] - grey[i]) * 1024 + 0.5) | 0];
  }
  return prices;
}

/** The chance of a voxel to belong by its grey value, as far as hints reach; where they do not, it rather does not belong. */
function looks(grey: number, near: number, like: Values, unlike: Values): number {
  const a = bell(grey, like), b = unlike.count > 0 ? bell(grey, unlike) + 0.05 : 0.25, reached = Math.sqrt(near);
  return without + reached * (0.9 * a / (a + b) - without);
}

/** Grey values of voxels that were pointed at. */
interface Values { mean: number; spread: number; count: number }

function bell(grey: number, { mean, spread }: Values): number {
  return Math.exp(-(((grey - mean) / spread) ** 2) / 2);
}

function pointedAt(hints: Uint8Array, plain: Float32Array, kind: number, usual: number): Values {
  let sum = 0, squares = 0, count = 0;
  for (let i = 0; i < hints.length; i++) if (hints[i] === kind) { sum += plain[i]; squares += plain[i] * plain[i]; count++; }
  const mean = count > 0 ? sum / count : 0;
  return { mean, count, spread: Math.max(usual, count > 0 ? Math.sqrt(Math.max(0, squares / count - mean * mean)) : 0) };
}

/** By how much neighbours mostly differ: the root of the mean square, at least a grey step of a screen. */
function roughness({ width, grey }: Part): number {
  let sum = 0, count = 0;
  for (let i = 1; i < grey.length; i++) {
    if (i % width === 0) continue;
    const d = grey[i] - grey[i - 1];
    if (d !== 0) { sum += d * d; count++; }
  }
  return Math.max(1 / 128, count > 0 ? Math.sqrt(sum / count) : 0);
}

/** The mean of 3 × 3 voxels around each. */
function smoothed({ width, height, grey }: Part): Float32Array {
  const rows = new Float32Array(grey.length), out = new Float32Array(grey.length);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) rows[i] = (grey[x > 0 ? i - 1 : i] + grey[i] + grey[x + 1 < width ? i + 1 : i]) / 3;
  }
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) out[i] = (rows[y > 0 ? i - width : i] + rows[i] + rows[y + 1 < height ? i + width : i]) / 3;
  }
  return out;
}

/**
 * How near each voxel is to a hint of a kind, from 1 at the hint to 0 far away: exp(-d), where d is the shortest way to a hint, in
 * units of the radius and longer through voxels that are unlike those that were pointed at (as in Criminisi and others 2008, "GeoS").
 */
function nearness(p: Part, plain: Float32Array, kind: number, { mean, spread: usual, count }: Values): Float32Array {
  const { width, height, hints, radius } = p, n = plain.length, out = new Float32Array(n);
  if (count === 0) return out;
  const spread = usual * alike, [sy, sx] = p.spacing, finest = Math.min(sy, sx), most = 2.5;
  // with a margin of a voxel that no way leads into
  const W = width + 2, size = W * (height + 2), off = [1, -1, W, -W, W + 1, -W - 1, W - 1, 1 - W];
  const length = [sx, sx, sy, sy, ...Array<number>(4).fill(Math.hypot(sx, sy))].map((d) => d / finest / radius);
  const way = new Float32Array(size), longer = new Float64Array(size), seen = new Float32Array(size).fill(-1);
  // Dijkstra with a bucket for each hundredth: ways differ by more than that. A bucket is a list of entries, each of a voxel.
  const first = new Int32Array(Math.ceil(most * 100) + 1).fill(-1), last = new Int32Array(first.length);
  let entries = 0, voxel = new Int32Array(n), next = new Int32Array(n);
  const push = (b: number, i: number) => {
    if (entries === voxel.length) {
      voxel = enlarged(voxel);
      next = enlarged(next);
    }
    voxel[entries] = i;
    next[entries] = -1;
    if (first[b] < 0) first[b] = entries;
    else next[last[b]] = entries;
    last[b] = entries++;
  };
  for (let y = 0, j = 0; y < height; y++) {
    for (let x = 0, i = (y + 1) * W + 1; x < width; x++, i++, j++) {
      const unlike = (plain[j] - mean) / spread;
      longer[i] = 1 + 4 * unlike * unlike;
      if (hints[j] === kind) push(0, i);
      else way[i] = most;
    }
  }
  for (let b = 0; b < first.length; b++) {
    for (let e = first[b]; e >= 0; e = next[e]) {
      const i = voxel[e], d = way[i];
      if (seen[i] === d) continue; // has been here, or a shorter way was found
      seen[i] = d;
      for (let k = 0; k < 8; k++) {
        const j = i + off[k], to = d + length[k] * longer[j];
        if (to >= way[j]) continue;
        way[j] = to;
        push((to * 100) | 0, j);
      }
    }
  }
  for (let y = 0, j = 0; y < height; y++) {
    for (let x = 0, i = (y + 1) * W + 1; x < width; x++, i++, j++) if (way[i] < most) out[j] = Math.exp(-way[i]);
  }
  return out;
}

function enlarged(list: Int32Array): Int32Array<ArrayBuffer> {
  const out = new Int32Array(2 * list.length);
  out.set(list);
  return out;
}
