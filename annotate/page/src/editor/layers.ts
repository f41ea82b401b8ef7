// The slice's layers as small canvases of one pixel per voxel.

import type { Class } from "../api";
import { outline, type Rect } from "./raster";

export interface Window { low: number; high: number }

/** The label of voxels whose class a person cannot tell: the server's annotate.Unsure. */
export const unsure = 255;

/** Opaque white and black of the hatch of unsure voxels, in the machine's byte order. */
const hatch = new Uint32Array(new Uint8Array([255, 255, 255, 255, 20, 20, 20, 255]).buffer);

/** Red, green, blue, alpha of a labelled voxel as one number: unsure is hatched, along diagonals of the voxel grid. */
function word(label: number, x: number, y: number, palette: Uint32Array): number {
  return label === unsure ? hatch[(x + y) >> 1 & 1] : palette[label];
}

export class Layer {
  readonly canvas = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D;
  private readonly pixels: ImageData;
  private readonly words: Uint32Array;

  constructor(readonly width: number, readonly height: number) {
    this.canvas.width = width;
    this.canvas.height = height;
    this.context = this.canvas.getContext("2d")!;
    this.pixels = this.context.createImageData(width, height);
    this.words = new Uint32Array(this.pixels.data.buffer);
  }

  /** Grey values: low is black, high is white, NaN is black. */
  image(values: Float32Array, window: Window, invert: boolean): void {
    const factor = 255 / Math.max(window.high - window.low, 1e-12);
    const bytes = this.pixels.data;
    for (let i = 0; i < values.length; i++) {
      const v = (values[i] - window.low) * factor; // the array clamps and rounds
      const j = 4 * i;
      bytes[j] = bytes[j + 1] = bytes[j + 2] = invert ? 255 - v : v;
      bytes[j + 3] = 255;
    }
    this.context.putImageData(this.pixels, 0, 0);
  }

  /** One colour per label, background clear; only the voxels of rect are drawn anew. */
  labels(labels: Uint8Array, palette: Uint32Array, rect: Rect = { x: 0, y: 0, width: this.width, height: this.height }): void {
    for (let y = rect.y; y < rect.y + rect.height; y++) {
      for (let x = rect.x, i = y * this.width + x; x < rect.x + rect.width; x++, i++) this.words[i] = word(labels[i], x, y, palette);
    }
    this.context.putImageData(this.pixels, 0, 0, rect.x, rect.y, rect.width, rect.height);
  }

  /** Certain is clear, uncertain goes from blue over violet to white; below a third of top, the value of white, all is clear. */
  uncertainty(values: Float32Array, top: number): void {
    const bytes = this.pixels.data;
    for (let i = 0; i < values.length; i++) {
      const v = Math.min(1, Math.max(0, (values[i] / top - 1 / 3) * 1.5)), j = 4 * i;
      bytes[j] = 60 + 195 * v;
      bytes[j + 1] = 70 + 185 * v * v;
      bytes[j + 2] = 255;
      bytes[j + 3] = v > 0 ? 90 + 165 * v : 0;
    }
    this.context.putImageData(this.pixels, 0, 0);
  }
}

/** A part of a mask as a canvas of its own: what a stroke changes is drawn without a copy of the slice. */
export class Patch {
  readonly canvas = document.createElement("canvas");
  private readonly context = this.canvas.getContext("2d")!;

  draw(labels: Uint8Array, width: number, palette: Uint32Array, rect: Rect): void {
    if (this.canvas.width < rect.width || this.canvas.height < rect.height) {
      this.canvas.width = Math.max(this.canvas.width, rect.width);
      this.canvas.height = Math.max(this.canvas.height, rect.height);
    }
    const pixels = this.context.createImageData(rect.width, rect.height), words = new Uint32Array(pixels.data.buffer);
    for (let y = 0; y < rect.height; y++) {
      const from = (rect.y + y) * width + rect.x;
      for (let x = 0; x < rect.width; x++) words[y * rect.width + x] = word(labels[from + x], rect.x + x, rect.y + y, palette);
    }
    this.context.putImageData(pixels, 0, 0);
  }
}

/** Colours of labels as Layer.labels wants them; labels that are no class stand out in magenta. */
export function palette(classes: Class[]): Uint32Array {
  const out = new Uint32Array(256);
  const bytes = new Uint8Array(out.buffer);
  for (let label = 1; label < 256; label++) bytes.set([255, 0, 255, 255], 4 * label);
  for (const c of classes) {
    if (c.value === 0) continue;
    const [r, g, b] = rgb(c.color);
    bytes.set([r, g, b, 255], 4 * c.value);
  }
  return out;
}

/** Red, green and blue of "#rrggbb". */
export function rgb(color: string): [number, number, number] {
  const n = parseInt(color.slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

const tile = 128;

interface Tile { part: Rect; paths: Array<{ label: number; path: Path2D }>; placed: Array<{ label: number; path: Path2D }> | null }

/** The outlines of a mask's labels along voxel edges, kept in tiles: an edit costs the tiles that it touches. */
export class Outlines {
  private readonly tiles: Array<Tile | null>;
  private readonly columns: number;
  private key = "";

  constructor(private readonly width: number, private readonly height: number, private readonly labels: Uint8Array) {
    this.columns = Math.ceil(width / tile);
    this.tiles = new Array(this.columns * Math.ceil(height / tile)).fill(null);
  }

  /** The voxels of a rectangle have changed: edges at its border belong to the tiles beside it. */
  invalidate(r: Rect): void {
    this.each({ x: r.x, y: r.y, width: r.width + 1, height: r.height + 1 }, (i) => (this.tiles[i] = null));
  }

  /** Calls draw with the outlines of each label in the tiles of a rectangle, placed by a matrix. */
  draw(r: Rect, matrix: DOMMatrix, draw: (label: number, path: Path2D) => void): void {
    const key = matrix.toString();
    if (key !== this.key) {
      this.key = key;
      for (const t of this.tiles) if (t) t.placed = null;
    }
    this.each(r, (i) => {
      const t = (this.tiles[i] ??= this.trace(i));
      t.placed ??= t.paths.map(({ label, path }) => {
        const placed = new Path2D();
        placed.addPath(path, matrix);
        return { label, path: placed };
      });
      for (const { label, path } of t.placed) draw(label, path);
    });
  }

  private each(r: Rect, act: (index: number) => void): void {
    const rows = this.tiles.length / this.columns;
    for (let y = Math.max(0, Math.floor(r.y / tile)); y <= Math.min(rows - 1, Math.floor((r.y + r.height - 1) / tile)); y++) {
      for (let x = Math.max(0, Math.floor(r.x / tile)); x <= Math.min(this.columns - 1, Math.floor((r.x + r.width - 1) / tile)); x++) act(y * this.columns + x);
    }
  }

  private trace(index: number): Tile {
    const { width, height, labels } = this, x = index % this.columns * tile, y = Math.floor(index / this.columns) * tile;
    const part = { x, y, width: Math.min(tile, width - x), height: Math.min(tile, height - y) };
    // also the labels just before the tile: their right and lower edges lie in it
    const present = new Set<number>();
    for (let v = Math.max(0, y - 1); v < y + part.height; v++) {
      for (let i = v * width + Math.max(0, x - 1), end = v * width + x + part.width; i < end; i++) if (labels[i] > 0) present.add(labels[i]);
    }
    const paths = [...present].sort((a, b) => a - b).map((label) => {
      const path = new Path2D();
      outline({ width, height }, labels, label, (x0, y0, x1, y1) => {
        path.moveTo(x0, y0);
        path.lineTo(x1, y1);
      }, part);
      return { label, path };
    });
    return { part, paths, placed: null };
  }
}
