// The state of the slice editor and everything that can be done to it. Drawing on
// the screen is in scene.ts, the mouse in pointer.ts, keys in keys.ts.

import type { Class, Task } from "../api";
import { change, settings } from "../settings";
import { History, type Rect } from "./history";
import { palette, type Window } from "./layers";
import { capsule, floodFill, polygon } from "./raster";
import { placement, View } from "./view";

export type Tool = "brush" | "eraser" | "polygon" | "fill";

export interface SliceData {
  image: Float32Array;
  labels: Uint8Array;
  proposal: Uint8Array | null;
  /** Nats. */
  uncertainty: Float32Array | null;
}

/** What changed: pixels of the mask, the image, or only what is drawn around them. */
export type Change = { kind: "slice" } | { kind: "labels"; rect: Rect } | { kind: "view" };

/** Windows for CT, in Hounsfield units: width and level. */
const ctWindows = [
  { name: "soft tissue", width: 400, level: 40 },
  { name: "lung", width: 1500, level: -600 },
  { name: "bone", width: 2500, level: 480 },
  { name: "brain", width: 80, level: 40 },
];

export const largestBrush = 99;

export class Editor {
  readonly view = new View();
  readonly palette: Uint32Array;

  task: Task | null = null;
  image: Float32Array = new Float32Array(1);
  labels: Uint8Array = new Uint8Array(1);
  proposal: Uint8Array | null = null;
  uncertainty: Float32Array | null = null;
  /** Another mask of the slice whose outline is shown too, and what it is. */
  compared: { name: string; labels: Uint8Array } | null = null;
  /** The channel that is shown, where the project reads several of each case. */
  channel = 0;
  /** A neighbouring slice that is shown, to look at only. */
  context: { slice: number; image: Float32Array } | null = null;

  tool: Tool = "brush";
  label = 1;
  /** Diameter in voxels of the finer spacing. */
  brush = settings.brush;
  window: Window = { low: 0, high: 1 };
  windowName = "auto";
  invert = false;
  showMask = true;
  showProposal = false;
  showUncertainty = false;
  opacity = settings.opacity;
  /** Corners of the polygon that is being drawn, in voxel coordinates. */
  corners: Array<[number, number]> = [];
  /** The voxel under the mouse or the keyboard's cursor. */
  cursor: [number, number] | null = null;
  /** True once the mask differs from the one that was opened or last saved. */
  touched = false;

  private history = new History(1);
  private unchanged: Uint8Array | null = null;
  private penAt: [number, number] | null = null;
  private listeners = new Set<() => void>();
  private telling = 0;
  /** Draws at once, without waiting for the next frame. */
  draw: (change: Change) => void = () => {};
  /** A mask was changed by the person. */
  edited: () => void = () => {};
  /** The cursor moved to another voxel. */
  pointed: () => void = () => {};
  /** Something that the person tried is not possible now; the text says why. */
  refused: (text: string) => void = () => {};

  constructor(readonly classes: Class[]) {
    this.palette = palette(classes);
    this.label = classes.find((c) => c.value > 0)?.value ?? 1;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Redraws, and tells the controls with the next frame. */
  private notify(what: Change = { kind: "view" }): void {
    this.draw(what);
    if (what.kind !== "view") this.pointed();
    this.telling ||= requestAnimationFrame(() => {
      this.telling = 0;
      this.listeners.forEach((l) => l());
    });
  }

  /** The mouse is over a voxel, or over none. */
  hover(voxel: [number, number] | null): void {
    const c = this.cursor;
    if (this.penAt || c === voxel || (c && voxel && c[0] === voxel[0] && c[1] === voxel[1])) return;
    this.cursor = voxel;
    this.draw({ kind: "view" });
    this.pointed();
  }

  open(task: Task, data: SliceData, touched: boolean): void {
    const sameCase = this.task?.case === task.case && this.task.width === task.width && this.task.height === task.height;
    this.task = task;
    this.image = data.image;
    this.labels = data.labels;
    this.proposal = data.proposal;
    this.uncertainty = data.uncertainty;
    this.history = new History(task.width);
    this.unchanged = null;
    this.context = null;
    this.compared = null;
    this.corners = [];
    this.penAt = null;
    this.cursor = null;
    this.touched = touched;
    if (!sameCase) {
      this.autoWindow(false);
      this.view.fitted = true;
    }
    this.view.columns = task.width;
    this.view.rows = task.height;
    this.view.spacing = task.spacing;
    this.turn();
    this.notify({ kind: "slice" });
  }

  /** Shows no slice. */
  close(): void {
    this.task = null;
    this.touched = false;
    this.compared = null;
    this.notify({ kind: "slice" });
  }

  compare(other: { name: string; labels: Uint8Array } | null): void {
    this.compared = other;
    this.notify();
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

  get isCT(): boolean {
    return this.task !== null && this.firstWindow.low < -150 && this.image.some((v) => v < -500);
  }

  /** What the case is shown with first. */
  private get firstWindow(): Window {
    return this.task!.channels?.[this.channel]?.window ?? this.task!.window;
  }

  /** Shows another channel: of the slice, and of the neighbour in view if there is one. */
  setChannel(channel: number, image: Float32Array, neighbour: Float32Array | null): void {
    this.channel = channel;
    this.image = image;
    if (this.context && neighbour) this.context = { ...this.context, image: neighbour };
    this.autoWindow();
  }

  /** The image that is shown: the slice's own or a neighbour's. */
  get shownImage(): Float32Array {
    return this.context ? this.context.image : this.image;
  }

  showContext(slice: number, image: Float32Array | null): void {
    this.context = this.task && image && slice !== this.task.slice ? { slice, image } : null;
    this.notify({ kind: "slice" });
  }

  // --- strokes and other edits

  get canUndo(): boolean { return this.history.canUndo; }
  get canRedo(): boolean { return this.history.canRedo; }

  /** True if the mask may be changed now; says why if not. */
  editable(): boolean {
    if (!this.task) return false;
    if (this.context) this.refused("This is a neighbouring slice, to look at only. Press Q to return to the queued slice.");
    return !this.context;
  }

  /** Starts an edit that undo takes back as one. */
  beginStroke(): void {
    this.unchanged = this.labels.slice();
  }

  /** Paints with the brush from voxel a to voxel b, within a stroke. */
  stroke(ax: number, ay: number, bx: number, by: number, label: number): void {
    const { width, height, spacing } = this.task!;
    const labels = this.labels;
    capsule({ width, height }, spacing, ax, ay, bx, by, this.brush, (x, y) => (labels[y * width + x] = label));
    const reach = Math.ceil(this.brush / 2);
    const x0 = clamp(Math.min(ax, bx) - reach, 0, width - 1), x1 = clamp(Math.max(ax, bx) + reach, 0, width - 1);
    const y0 = clamp(Math.min(ay, by) - reach, 0, height - 1), y1 = clamp(Math.max(ay, by) + reach, 0, height - 1);
    this.draw({ kind: "labels", rect: { x: x0, y: y0, width: x1 - x0 + 1, height: y1 - y0 + 1 } });
  }

  /** Ends the edit; returns whether the mask changed. */
  endStroke(): boolean {
    const before = this.unchanged;
    this.unchanged = null;
    const rect = before && this.history.record(before, this.labels);
    if (!rect) return false;
    this.afterEdit(rect);
    return true;
  }

  get inStroke(): boolean { return this.unchanged !== null; }

  /** Takes back the stroke under way. */
  cancelStroke(): void {
    if (!this.unchanged) return;
    this.labels.set(this.unchanged);
    this.unchanged = null;
    this.notify({ kind: "labels", rect: this.whole() });
  }

  private edit(change: () => void): void {
    if (!this.editable() || this.inStroke) return;
    this.beginStroke();
    change();
    this.endStroke();
  }

  private afterEdit(rect: Rect): void {
    this.touched = true;
    this.notify({ kind: "labels", rect });
    this.edited();
  }

  private whole(): Rect {
    return { x: 0, y: 0, width: this.task!.width, height: this.task!.height };
  }

  undo(): void {
    if (this.inStroke || !this.editable()) return;
    if (this.corners.length > 0) {
      this.corners.pop();
      this.notify();
      return;
    }
    const rect = this.history.undo(this.labels);
    if (rect) this.afterEdit(rect);
  }

  redo(): void {
    if (this.inStroke || !this.editable()) return;
    const rect = this.history.redo(this.labels);
    if (rect) this.afterEdit(rect);
  }

  fillAt(x: number, y: number, label: number): void {
    const { width, height } = this.task!;
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    this.edit(() => floodFill({ width, height }, this.labels, x, y, label));
  }

  addCorner(x: number, y: number): void {
    if (!this.editable()) return;
    this.corners.push([x, y]);
    this.notify();
  }

  /** Fills the polygon with a label and starts a new one. */
  closePolygon(label: number): void {
    const corners = this.corners;
    this.corners = [];
    const { width, height } = this.task!;
    if (corners.length < 3) this.notify();
    else this.edit(() => polygon({ width, height }, corners, (x, y) => (this.labels[y * width + x] = label)));
    this.draw({ kind: "view" });
  }

  clear(): void {
    this.edit(() => this.labels.fill(0));
  }

  /** Replaces the mask by the model's proposal. */
  useProposal(): void {
    if (!this.proposal) this.refused("There is no proposal for this slice.");
    else this.edit(() => this.labels.set(this.proposal!));
  }

  get isProposal(): boolean {
    return this.proposal !== null && this.labels.every((v, i) => v === this.proposal![i]);
  }

  get isEmpty(): boolean {
    return this.labels.every((v) => v === 0);
  }

  /** Number of voxels with each label. */
  counts(): number[] {
    const out = new Array<number>(256).fill(0);
    for (const v of this.labels) out[v]++;
    return out;
  }

  // --- the keyboard's pen

  /** Moves the cursor by columns and rows of the screen; with the pen down it paints. */
  moveCursor(right: number, down: number): void {
    if (!this.task) return;
    const { width, height } = this.task, m = this.view.place;
    const dx = m.flipX ? -right : right, dy = m.flipY ? -down : down;
    const [cx, cy] = this.cursor ?? [width >> 1, height >> 1];
    const next: [number, number] = [clamp(cx + (m.transposed ? dy : dx), 0, width - 1), clamp(cy + (m.transposed ? dx : dy), 0, height - 1)];
    this.cursor = next;
    if (this.penAt && this.inStroke) {
      this.stroke(...this.penAt, ...next, this.tool === "eraser" ? 0 : this.label);
      this.penAt = next;
    }
    this.pointed();
    this.notify();
  }

  /** Uses the tool at the cursor: lowers or lifts the brush, sets a corner, fills. */
  pen(): void {
    if (!this.editable()) return;
    if (!this.cursor) this.moveCursor(0, 0);
    const [x, y] = this.cursor!;
    if (this.tool === "fill") this.fillAt(x, y, this.label);
    else if (this.tool === "polygon") this.addCorner(x + 0.5, y + 0.5);
    else if (this.penAt) this.liftPen();
    else if (!this.inStroke) {
      this.beginStroke();
      this.stroke(x, y, x, y, this.tool === "eraser" ? 0 : this.label);
      this.penAt = [x, y];
      this.notify();
    }
  }

  get penDown(): boolean { return this.penAt !== null; }

  liftPen(): void {
    if (!this.penAt) return;
    this.penAt = null;
    if (!this.endStroke()) this.notify();
  }

  // --- tools and display

  setTool(tool: Tool): void {
    this.liftPen();
    this.tool = tool;
    if (tool !== "polygon") this.corners = [];
    this.notify();
  }

  setLabel(label: number): void {
    if (!this.classes.some((c) => c.value === label && label > 0)) return;
    this.liftPen();
    this.label = label;
    if (this.tool === "eraser") this.tool = "brush";
    this.notify();
  }

  setBrush(diameter: number): void {
    this.brush = clamp(Math.round(diameter), 1, largestBrush);
    change({ brush: this.brush });
    this.notify();
  }

  /** One step larger or smaller: a voxel, or a tenth of a large brush. */
  stepBrush(direction: 1 | -1): void {
    this.setBrush(this.brush + direction * Math.max(1, Math.round(this.brush / 10)));
  }

  setOpacity(opacity: number): void {
    this.opacity = clamp(Math.round(opacity * 100) / 100, 0, 1);
    change({ opacity: this.opacity });
    this.notify();
  }

  toggle(what: "showMask" | "showProposal" | "showUncertainty" | "invert"): void {
    this[what] = !this[what];
    if (what === "showProposal" && this.showProposal && !this.proposal) this.refused("There is no proposal for this slice.");
    if (what === "showUncertainty" && this.showUncertainty && !this.uncertainty) this.refused("There is no uncertainty map for this slice.");
    this.notify({ kind: what === "invert" ? "slice" : "view" });
  }

  setSmooth(smooth: boolean): void {
    change({ smooth });
    this.notify();
  }

  setWindow(window: Window, name = "manual"): void {
    const least = Math.max(1e-6, Math.abs(window.low) * 1e-6);
    this.window = { low: window.low, high: Math.max(window.high, window.low + least) };
    this.windowName = name;
    this.notify({ kind: "slice" });
  }

  /** Changes width by a factor, and level by a fraction of the width. */
  dragWindow(width: number, level: number): void {
    const { low, high } = this.window, w = (high - low) * width, l = (low + high) / 2 + level * (high - low);
    this.setWindow({ low: l - w / 2, high: l + w / 2 });
  }

  autoWindow(tell = true): void {
    const { low, high } = this.firstWindow;
    this.windowName = "auto";
    this.window = high > low ? { low, high } : { low: low - 0.5, high: low + 0.5 };
    if (tell) this.notify({ kind: "slice" });
  }

  /** The next of the CT windows, or the automatic one where the image is no CT. */
  cycleWindow(): void {
    const at = ctWindows.findIndex((w) => w.name === this.windowName);
    const next = this.isCT ? ctWindows[at + 1] : undefined;
    if (next) this.setWindow({ low: next.level - next.width / 2, high: next.level + next.width / 2 }, next.name);
    else this.autoWindow();
  }

  moveView(action: (view: View) => void): void {
    action(this.view);
    this.notify();
  }
}

function clamp(v: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, v));
}
