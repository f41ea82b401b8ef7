// The state of the slice editor and everything that can be done to it. What is shown
// is in display.ts, drawing on the screen in scene.ts, the mouse in pointer.ts, keys in keys.ts.

import type { Class, Task } from "../api";
import { change, settings } from "../settings";
import { clamp, Display } from "./display";
import { palette, unsure, type Window } from "./layers";
import { Mask, same } from "./mask";
import { practise } from "./practice";
import { capsule, floodFill, grown, polygon, union, type Rect } from "./raster";
import * as shapes from "./shapes";
import { Hints, type Kind } from "./strokes";
import { className } from "../format";
import { t, type Key } from "../texts";

export type Tool = "brush" | "eraser" | "polygon" | "fill" | "hint" | "window";

export interface SliceData {
  /** By channel; null for those that are not on the screen. */
  images: Array<Float32Array | null>;
  labels: Uint8Array;
  proposal: Uint8Array | null;
  /** Nats. */
  uncertainty: Float32Array | null;
}

/** Another mask of the slice whose outline is shown too, and what it is. */
export interface Compared { name: string; version?: number; labels: Uint8Array; color: string; dash: number[] }

/** How a class is changed as a whole. */
export type Reshape = "fill holes" | "largest part" | "grow" | "shrink" | "smooth";

const reshapes: Record<Reshape, Key> = { "fill holes": "tools.holes", "largest part": "tools.largest", grow: "tools.grow", shrink: "tools.shrink", smooth: "tools.smooth" };

export const largestBrush = 99;

export class Editor extends Display {
  readonly palette: Uint32Array;

  mask = new Mask(1, 1, new Uint8Array(1), null);
  uncertainty: Float32Array | null = null;
  compared: Compared[] = [];

  hints = new Hints(this.mask);
  /** Hints say what does not belong. */
  excluding = false;
  /** What a network makes of a class on the slice, if there is one; set by whoever opens slices. */
  chancesOf: (label: number) => Promise<Uint8Array | null> = () => Promise.resolve(null);

  tool: Tool = "brush";
  label = 1;
  /** Diameter in voxels of the finer spacing. */
  brush = settings.brush;
  /** The brush only paints voxels within so much of the value under it where the stroke began; null paints all. */
  range: number | null = null;
  /** Nothing is painted over a class but the background. */
  onBackground = false;
  /** Classes that nothing changes. */
  readonly locked = new Set<number>();
  /** Corners of the polygon that is being drawn, in voxel coordinates. */
  corners: Array<[number, number]> = [];
  /** True once the mask differs from the one that was opened or last saved. */
  touched = false;
  /** A save, or another slice, is on its way: until then nothing changes the mask, for it would be in neither. */
  held = false;

  private took = false; // an outlined proposal was taken
  private penAt: [number, number] | null = null;
  private within: Window | null = null; // of the stroke under way
  /** The person changed the mask. */
  edited: () => void = () => {};
  constructor(readonly classes: Class[], project = "") {
    super(project);
    this.palette = palette(classes);
    this.label = classes.find((c) => c.value > 0)?.value ?? 1;
  }

  /** The mouse is over a voxel, or over none. */
  hover(voxel: [number, number] | null): void {
    const c = this.cursor;
    if (this.penAt || c === voxel || (c && voxel && c[0] === voxel[0] && c[1] === voxel[1])) return;
    this.cursor = voxel;
    this.draw({ kind: "pointer" });
    this.pointed();
  }

  open(task: Task, data: SliceData, touched: boolean): void {
    const sameCase = this.task?.case === task.case && this.task.width === task.width && this.task.height === task.height;
    this.task = task;
    this.images = data.images;
    this.mask = new Mask(task.width, task.height, data.labels, data.proposal);
    this.hints = new Hints(this.mask);
    this.excluding = false;
    this.uncertainty = data.uncertainty;
    this.context = null;
    this.compared = [];
    this.corners = [];
    this.penAt = null;
    this.cursor = null;
    this.took = false;
    this.touched = touched;
    this.channel = Math.min(this.channel, this.channels - 1);
    if (!sameCase) {
      this.windows = Array.from({ length: this.channels }, (_, n) => this.kept.first(task, n));
      this.view.fitted = true;
    }
    this.view.columns = task.width;
    this.view.rows = task.height;
    this.view.spacing = task.spacing;
    this.turn();
    if (this.tool === "hint") this.prepareHints();
    this.notify({ kind: "slice" });
  }

  /** Shows no slice. */
  close(): void {
    this.task = null;
    this.touched = false;
    this.compared = [];
    this.notify({ kind: "slice" });
  }

  compare(others: Compared[]): void {
    this.compared = others;
    this.notify();
  }

  get labels(): Uint8Array { return this.mask.labels; }
  get proposal(): Uint8Array | null { return this.mask.proposal; }

  // --- strokes and other edits

  get canUndo(): boolean { return this.mask.canUndo || this.corners.length > 0; }
  get canRedo(): boolean { return this.mask.canRedo; }
  get inStroke(): boolean { return this.mask.inEdit; }
  /** True while the mouse, a pen or a finger draws a stroke or a hint. */
  get drawing(): boolean { return (this.inStroke && !this.penDown) || (this.hints.current !== null && !this.settling); }
  get isEmpty(): boolean { return this.mask.isEmpty; }
  /** Number of voxels with each label. */
  get counts(): Int32Array { return this.mask.counts; }

  /** True if the mask is the model's, and the person can see that it is what would be saved. */
  get isProposal(): boolean {
    return this.mask.isProposal && (!this.task?.outline || this.took);
  }

  /** True if the mask may be changed now; says why if not. */
  editable(): boolean {
    if (!this.task || this.held) return false;
    if (this.context) this.refused(t("note.neighbour"));
    return !this.context;
  }

  /** Whether a voxel may be given a label, by the locks. */
  private may(old: number, label: number): boolean {
    if (this.locked.has(old)) return false;
    return !this.onBackground || label === 0 || old === 0 || old === label;
  }

  /** Gives a voxel a label if it may have it. */
  private put(i: number, label: number): void {
    if (this.may(this.labels[i], label)) this.labels[i] = label;
  }

  beginStroke(x?: number, y?: number): void {
    this.mask.begin();
    this.within = null;
    const value = x === undefined || y === undefined ? NaN : this.shownImage()[y * this.task!.width + x];
    if (this.range !== null && Number.isFinite(value)) this.within = { low: value - this.range, high: value + this.range };
  }

  /** Paints with the brush from voxel a to voxel b, within a stroke: it belongs to the mask that it began on, and goes on on no other. */
  stroke(ax: number, ay: number, bx: number, by: number, label: number): void {
    if (!this.inStroke) return;
    const { width, height, spacing } = this.task!, { within } = this, image = this.shownImage();
    capsule({ width, height }, spacing, ax, ay, bx, by, this.brush, (x, y) => {
      const i = y * width + x;
      if (!within || (image[i] >= within.low && image[i] <= within.high)) this.put(i, label);
    });
    const reach = Math.ceil(this.brush / 2);
    const rect = grown({ x: Math.min(ax, bx), y: Math.min(ay, by), width: Math.abs(ax - bx) + 1, height: Math.abs(ay - by) + 1 }, reach, { width, height });
    if (rect.width <= 0 || rect.height <= 0) return;
    this.mask.touch(rect);
    this.draw({ kind: "labels", rect });
  }

  /** Ends the edit; returns whether the mask changed. */
  endStroke(): boolean {
    const rect = this.mask.end();
    if (rect) this.afterEdit(rect);
    return rect !== null;
  }

  /** Takes back the stroke under way. */
  cancelStroke(): void {
    if (!this.inStroke) return;
    this.penAt = null;
    const rect = this.mask.cancel();
    if (rect) this.notify({ kind: "labels", rect });
  }

  /** An edit of its own; change returns where it changed something. */
  private edit(change: () => Rect | null): boolean {
    if (!this.editable()) return false;
    this.liftPen();
    if (this.inStroke) return false;
    this.mask.begin();
    const rect = change();
    if (rect) this.mask.touch(rect);
    return this.endStroke();
  }

  private afterEdit(rect: Rect): void {
    this.touched = true;
    this.notify({ kind: "labels", rect });
    this.edited();
  }

  undo(): void {
    if (this.inStroke || !this.editable()) return;
    if (this.corners.length > 0) {
      this.corners.pop();
      this.notify();
      return;
    }
    const rect = this.mask.undo();
    if (rect) this.afterEdit(rect);
  }

  redo(): void {
    if (this.inStroke || !this.editable()) return;
    const rect = this.mask.redo();
    if (rect) this.afterEdit(rect);
  }

  fillAt(x: number, y: number, label: number): void {
    const { width, height } = this.task!;
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    if (!this.may(this.labels[y * width + x], label)) return this.refused(t("note.lockedThere"));
    this.edit(() => floodFill({ width, height }, this.labels, x, y, label));
  }

  addCorner(x: number, y: number): void {
    if (!this.editable()) return;
    this.corners.push([x, y]);
    this.notify();
  }

  /** Takes back corners that were set last. */
  dropCorners(count = Infinity): void {
    this.corners.splice(Math.max(0, this.corners.length - count));
    this.notify();
  }

  /** Fills the polygon with a label and starts a new one. */
  closePolygon(label: number): void {
    const corners = this.corners;
    this.corners = [];
    const { width, height } = this.task!;
    if (corners.length < 3) this.notify();
    else {
      this.edit(() => {
        let rect: Rect | null = null;
        polygon({ width, height }, corners, (x, y) => {
          this.put(y * width + x, label);
          rect = union(rect, { x, y, width: 1, height: 1 });
        });
        return rect;
      });
    }
    this.draw({ kind: "view" });
  }

  clear(): boolean {
    return this.setMask(new Uint8Array(this.labels.length));
  }

  /** Replaces the mask, but for what is locked. */
  setMask(labels: Uint8Array): boolean {
    return this.edit(() => {
      const { labels: own } = this;
      if (this.locked.size === 0) own.set(labels);
      else for (let i = 0; i < own.length; i++) if (!this.locked.has(own[i]) && !this.locked.has(labels[i])) own[i] = labels[i];
      return this.mask.whole;
    });
  }

  /**
   * Puts a mask in the place of the drawing as a whole, as undo does, also where classes are locked: one that is given back, or that is taken as it was saved.
   * True if it is there now.
   */
  give(labels: Uint8Array): boolean {
    this.edit(() => {
      this.labels.set(labels);
      return this.mask.whole;
    });
    return same(this.labels, labels);
  }

  /** Replaces the mask by the model's proposal. */
  useProposal(): boolean {
    if (!this.proposal) {
      this.refused(t("note.noProposal"));
      return false;
    }
    if (!this.editable()) return false;
    this.took = true;
    const changed = this.setMask(this.proposal);
    this.notify();
    return changed;
  }

  /** Changes the class that is drawn with as a whole. It takes from the background only. */
  reshape(how: Reshape): void {
    const { label, task } = this;
    if (!task || !this.editable()) return;
    const name = this.nameOf(label);
    if (this.counts[label] === 0) return this.refused(t("note.noClass", { class: name }));
    if (this.locked.has(label)) return this.refused(t("note.locked", { class: name }));
    const changed = this.edit(() => {
      const { width, height, spacing } = task, finest = Math.min(...spacing), grid = { width, height }, mask = shapes.only(this.labels, label);
      const after = how === "fill holes" ? shapes.fillHoles(grid, mask) : how === "largest part" ? shapes.largestPart(grid, mask)
        : how === "smooth" ? shapes.smooth(grid, mask, spacing, 2 * finest) : shapes.grow(grid, mask, spacing, how === "grow" ? finest : -finest);
      for (let i = 0; i < after.length; i++) {
        if (mask[i] && !after[i]) this.labels[i] = 0;
        else if (after[i] && this.labels[i] === 0) this.labels[i] = label;
      }
      return this.mask.whole;
    });
    if (!changed) this.refused(t("note.unchanged", { tool: t(reshapes[how]), class: name }));
  }

  // --- hints

  /** Gets what the next hint will want. */
  private prepareHints(): void {
    if (!this.task) return;
    practise();
    void this.chancesOf(this.label);
  }

  /** True where the model's mask is in the drawing: its chances count, too. */
  private get drawsFromProposal(): boolean {
    return this.proposal !== null && (!this.task?.outline || this.took);
  }

  /** Begins to point at voxels that belong to the class, or do not. */
  beginHint(x: number, y: number, kind: Kind): boolean {
    if (!this.editable() || this.inStroke || this.hints.current) return false;
    if (this.locked.has(this.label)) {
      this.refused(t("note.locked", { class: this.nameOf(this.label) }));
      return false;
    }
    this.hints.begin(this.label, kind);
    this.hintTo(x, y, x, y);
    return true;
  }

  hintTo(ax: number, ay: number, bx: number, by: number): void {
    this.hints.draw(ax, ay, bx, by, this.task!.spacing);
    this.draw({ kind: "pointer" });
  }

  cancelHint(): void {
    this.hints.current = null;
    this.draw({ kind: "pointer" });
  }

  /** Ends when the mask of the last hint is drawn; null if it is. */
  settling: Promise<void> | null = null;

  /** Draws the class anew by all hints. */
  endHint(): Promise<void> {
    const { hints } = this;
    return (this.settling = this.drawByHints().finally(() => (this.settling = hints.current = null)));
  }

  private async drawByHints(): Promise<void> {
    const { hints, task, label } = this, hint = hints.current;
    if (!hint || !task) return;
    const chances = this.drawsFromProposal ? await this.chancesOf(label) : null;
    if (this.hints !== hints || hints.current !== hint) return; // another slice by now
    if (!this.editable() || this.inStroke) return this.cancelHint();
    const from = performance.now();
    const belongs = hints.result({ image: this.images[this.channel] ?? this.shownImage(), window: this.window, spacing: task.spacing, proposal: this.drawsFromProposal ? this.proposal : null, chances });
    performance.measure("hint", { start: from }); // for the browser's performance timeline, and the tests
    const changed = this.edit(() => {
      const { labels } = this;
      for (let i = 0; i < labels.length; i++) {
        if (belongs[i]) this.put(i, label);
        else if (labels[i] === label) this.put(i, 0);
      }
      return this.mask.whole;
    });
    hints.done();
    if (!changed) this.notify(); // or else what has changed is drawn, and no more
  }

  private nameOf(label: number): string {
    return className(label, this.classes);
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
    if (!this.editable() || this.tool === "window") return;
    if (!this.cursor) this.moveCursor(0, 0);
    const [x, y] = this.cursor!;
    if (this.tool === "fill") this.fillAt(x, y, this.label);
    else if (this.tool === "hint") {
      if (this.beginHint(x, y, this.excluding ? 2 : 1)) void this.endHint();
    } else if (this.tool === "polygon") this.addCorner(x + 0.5, y + 0.5);
    else if (this.penAt) this.liftPen();
    else if (!this.inStroke) {
      this.beginStroke(x, y);
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

  /** Chooses a tool. Corners of a polygon wait until it is taken up again. */
  setTool(tool: Tool): void {
    this.liftPen();
    if (tool !== "hint") this.excluding = false;
    else this.prepareHints();
    this.tool = tool;
    this.notify();
  }

  /** Takes up hints; again: what does not belong, and back. */
  pointOut(): void {
    if (this.tool === "hint") this.exclude(!this.excluding);
    else this.setTool("hint");
  }

  exclude(excluding: boolean): void {
    this.excluding = excluding;
    this.notify();
  }

  setLabel(label: number): void {
    if (!this.classes.some((c) => c.value === label && label > 0)) return;
    this.liftPen();
    this.label = label;
    if (this.tool === "eraser") this.tool = "brush";
    if (this.tool === "hint") this.prepareHints();
    this.notify();
  }

  /** Chooses the class after or before the one that is drawn with. */
  stepLabel(direction: 1 | -1): void {
    const values = this.classes.map((c) => c.value).filter((v) => v > 0);
    this.setLabel(values[(values.indexOf(this.label) + direction + values.length) % values.length]);
  }

  get hasUnsure(): boolean { return this.classes.some((c) => c.value === unsure); }

  /** Paints unsure from now on: voxels whose class the person cannot tell. */
  paintUnsure(): void {
    if (this.hasUnsure) this.setLabel(unsure);
    else this.refused(t("note.noUnsure"));
  }

  /** Draws with the class under the cursor from now on. */
  pick(): void {
    if (!this.cursor || !this.task) return;
    const [x, y] = this.cursor, { width, height } = this.task;
    const label = x >= 0 && y >= 0 && x < width && y < height ? this.labels[y * width + x] : 0;
    if (label > 0) this.setLabel(label);
  }

  toggleLock(label = this.label): void {
    if (!this.locked.delete(label)) this.locked.add(label);
    this.notify();
  }

  toggleOnBackground(): void {
    this.onBackground = !this.onBackground;
    this.notify();
  }

  /** Turns the brush for like values on or off; it begins with a tenth of the window. */
  toggleRange(): void {
    this.range = this.range === null ? (this.window.high - this.window.low) / 10 : null;
    this.notify();
  }

  /** Makes the brush for like values take more or less, by a tenth. */
  stepRange(direction: 1 | -1): void {
    if (this.range === null) return;
    this.range *= direction > 0 ? 1.1 : 1 / 1.1;
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

  toggle(what: "showMask" | "showProposal" | "showUncertainty" | "invert"): void {
    this[what] = !this[what];
    if (what === "showProposal" && this.showProposal && !this.proposal) this.refused(t("note.noProposal"));
    if (what === "showUncertainty" && this.showUncertainty && !this.uncertainty) this.refused(t("note.noUncertainty"));
    this.notify({ kind: what === "invert" ? "slice" : "view" });
  }

  /** The proposal's outline is shown: on demand, and where the proposal is nothing more than that. */
  get outlined(): boolean {
    return this.proposal !== null && (this.showProposal || (this.task?.outline === true && !this.isProposal));
  }

}

