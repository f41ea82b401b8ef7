// The slice's layers as small canvases of one pixel per voxel.

import type { Class } from "../api";
import type { Rect } from "./history";
import { outline } from "./raster";

export interface Window { low: number; high: number }

export class Layer {
  readonly canvas = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D;
  private readonly pixels: ImageData;
  /** Red, green, blue, alpha of one pixel as one number, in the machine's byte order. */
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
      for (let i = y * this.width + rect.x, end = i + rect.width; i < end; i++) this.words[i] = palette[labels[i]];
    }
    this.context.putImageData(this.pixels, 0, 0, rect.x, rect.y, rect.width, rect.height);
  }

  /** Certain is clear, uncertain goes over red to yellow; top is the value of full yellow. */
  uncertainty(values: Float32Array, top: number): void {
    const bytes = this.pixels.data;
    for (let i = 0; i < values.length; i++) {
      const v = Math.min(1, Math.max(0, values[i] / top)), j = 4 * i;
      bytes[j] = 120 + 135 * Math.min(1, 1.6 * v);
      bytes[j + 1] = 230 * Math.max(0, 1.5 * v - 0.4);
      bytes[j + 2] = 60 * (1 - v);
      bytes[j + 3] = 225 * Math.sqrt(v);
    }
    this.context.putImageData(this.pixels, 0, 0);
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

/** The outline of one label along voxel edges, in voxel coordinates. */
export function outlinePath(width: number, height: number, labels: Uint8Array, label: number): Path2D {
  const path = new Path2D();
  outline({ width, height }, labels, label, (x0, y0, x1, y1) => {
    path.moveTo(x0, y0);
    path.lineTo(x1, y1);
  });
  return path;
}
