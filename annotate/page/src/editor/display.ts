// What is shown of a slice: its channels, their windows, where it is on the screen, a neighbour in its place.

import type { Task } from "../api";
import { change, settings } from "../settings";
import type { Window } from "./layers";
import type { Rect } from "./raster";
import { placement, View } from "./view";
import { t } from "../texts";
import { automatic, ctWindows, fitting, isCT, proper, Windows, type Shown } from "./windows";

/** A neighbouring slice that is shown, to look at only. */
export interface Context {
  slice: number;
  images: Array<Float32Array | null>;
  /** Its label, or what the model makes of it, once that is known. */
  mask: { labels: Uint8Array; of: "label" | "shape" | "model" } | null;
}

/** A part of the canvas that shows one channel, in CSS pixels. */
export interface Panel { channel: number; x: number; y: number; width: number; height: number }

/** What changed: pixels of the mask, the image, what is drawn around them, or only what follows the pointer. */
export type Change = { kind: "slice" } | { kind: "labels"; rect: Rect } | { kind: "view" } | { kind: "pointer" };

const none = new Float32Array(1);

export class Display {
  readonly view = new View();
  task: Task | null = null;
  images: Array<Float32Array | null> = [];
  context: Context | null = null;

  /** The channel that is shown or, of several side by side, the one that the window's controls are for. */
  channel = 0;
  /** Where each channel is on the canvas. */
  panels: Panel[] = [];
  /** By channel. */
  windows: Shown[] = [{ low: 0, high: 1, name: "auto" }];

  invert = false;
  showMask = true;
  showProposal = false;
  showUncertainty = false;
  opacity = settings.opacity;
  /** The voxel under the mouse or the keyboard's cursor. */
  cursor: [number, number] | null = null;

  protected kept: Windows;
  private listeners = new Set<() => void>();
  private telling = 0;
  /** Draws at once, without waiting for the next frame. */
  draw: (change: Change) => void = () => {};
  /** The cursor moved to another voxel. */
  pointed: () => void = () => {};
  /** Something that the person tried is not possible now; the text says why. */
  refused: (text: string) => void = () => {};

  constructor(project: string) {
    this.kept = new Windows(`nextslice/windows/${project}`);
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Redraws, and tells the controls with the next frame. */
  protected notify(what: Change = { kind: "view" }): void {
    this.draw(what);
    if (what.kind !== "view") this.pointed();
    this.telling ||= requestAnimationFrame(() => {
      this.telling = 0;
      this.listeners.forEach((l) => l());
    });
  }

  // --- channels, windows and where the slice is on the screen

  get channels(): number { return Math.max(1, this.task?.channels?.length ?? 1); }

  /** Channels that are on the screen. */
  get shownChannels(): number[] {
    return settings.sideBySide && this.channels > 1 ? Array.from({ length: this.channels }, (_, n) => n) : [this.channel];
  }

  /** Lays the channels out on a canvas of so many CSS pixels, each as large as can be. */
  layout(width: number, height: number): void {
    const shown = this.shownChannels, [w, h] = this.view.extent();
    let best = { columns: 1, scale: 0 };
    for (let columns = 1; columns <= shown.length; columns++) {
      const rows = Math.ceil(shown.length / columns), scale = Math.min(width / columns / w, height / rows / h);
      if (scale > best.scale * 1.001) best = { columns, scale };
    }
    const rows = Math.ceil(shown.length / best.columns), each = [Math.floor(width / best.columns), Math.floor(height / rows)];
    this.panels = shown.map((channel, n) => ({ channel, x: n % best.columns * each[0], y: Math.floor(n / best.columns) * each[1], width: each[0], height: each[1] }));
    this.view.resize(each[0], each[1]);
  }

  /** Shows another channel, or all of them: images are those of the slice, and of the neighbour in view if there is one. */
  setChannel(channel: number, images: Array<Float32Array | null>, neighbour: Array<Float32Array | null> | null): void {
    this.channel = channel;
    this.images = images;
    if (this.context && neighbour) this.context = { ...this.context, images: neighbour };
    this.notify({ kind: "slice" });
  }

  /** The window's controls are for the channel of a panel from now on. */
  point(channel: number): void {
    if (this.channel === channel) return;
    this.channel = channel;
    this.notify();
  }

  /** The image of a channel: of the slice, or of the neighbour that is shown. */
  shownImage(channel = this.channel): Float32Array {
    return (this.context ? this.context.images[channel] : this.images[channel]) ?? none;
  }

  get window(): Shown { return this.windows[this.channel] ?? automatic({ low: 0, high: 1 }); }

  get isCT(): boolean { return this.task !== null && isCT(this.task, this.channel); }

  setWindow(window: Window, name = "manual"): void {
    this.windows[this.channel] = { ...proper(window), name };
    if (this.task) this.kept.keep(this.task, this.channel, this.windows[this.channel]);
    this.notify({ kind: "slice" });
  }

  /** Changes width by a factor, and level by a fraction of the width. */
  dragWindow(width: number, level: number): void {
    const { low, high } = this.window, w = (high - low) * width, l = (low + high) / 2 + level * (high - low);
    this.setWindow({ low: l - w / 2, high: l + w / 2 });
  }

  autoWindow(): void {
    if (!this.task) return;
    this.setWindow(automatic(this.task.channels?.[this.channel]?.window ?? this.task.window), "auto");
  }

  /** The window that fits the voxels that are on the screen. */
  fitWindow(): void {
    if (!this.task) return;
    const { view } = this, { width, height } = this.task, image = this.shownImage();
    const corners = [view.toVoxel(0, 0), view.toVoxel(view.screenWidth, view.screenHeight)];
    const [x0, x1] = corners.map((p) => clamp(Math.floor(p[0]), 0, width - 1)).sort((a, b) => a - b);
    const [y0, y1] = corners.map((p) => clamp(Math.floor(p[1]), 0, height - 1)).sort((a, b) => a - b);
    const step = Math.max(1, Math.ceil(Math.sqrt((x1 - x0 + 1) * (y1 - y0 + 1) / 40000))), values: number[] = [];
    for (let y = y0; y <= y1; y += step) for (let x = x0; x <= x1; x += step) values.push(image[y * width + x]);
    const window = fitting(values);
    if (window) this.setWindow(window, "in view");
    else this.refused(t("window.none"));
  }

  /** The windows that W goes through: those of the file's header, then those for CT. */
  get presets(): Shown[] {
    const own = (this.task?.presets ?? []).map((p, n) => ({ low: p.low, high: p.high, name: p.name || (n > 0 ? `file ${n + 1}` : "file") }));
    return this.isCT ? [...own, ...ctWindows] : own;
  }

  /** The next of the presets, after the last the automatic one. */
  cycleWindow(): void {
    const all = this.presets, next = all[all.findIndex((w) => w.name === this.window.name) + 1];
    if (next) this.setWindow(next, next.name);
    else this.autoWindow();
  }

  /** Shows the slice the way the person's convention has it. */
  turn(): void {
    if (!this.task) return;
    this.view.place = placement(this.task.orientation, settings.convention);
    if (this.view.fitted) this.view.fit();
  }

  setConvention(convention: "radiological" | "neurological"): void {
    change({ convention });
    this.view.fitted = true;
    this.turn();
    this.notify();
  }

  moveView(action: (view: View) => void): void {
    action(this.view);
    this.notify();
  }

  showContext(context: Context | null): void {
    this.context = this.task && context && context.slice !== this.task.slice ? context : null;
    this.notify({ kind: "slice" });
  }

  setOpacity(opacity: number): void {
    this.opacity = clamp(Math.round(opacity * 100) / 100, 0, 1);
    change({ opacity: this.opacity });
    this.notify();
  }

  setUncertaintyOpacity(opacity: number): void {
    change({ uncertaintyOpacity: clamp(opacity, 0, 1) });
    this.notify();
  }

  setSmooth(smooth: boolean): void {
    change({ smooth });
    this.notify();
  }
}

export function clamp(v: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, v));
}
