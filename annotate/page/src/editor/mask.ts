// The mask that is being drawn: its voxels, undo and redo, and what the controls show of it, kept up to date at the cost of
// what an edit changes, not of the slice.

import { History } from "./history";
import { union, type Rect } from "./raster";

/** Whether two masks of a slice are one. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}

export class Mask {
  /** Number of voxels with each label. */
  readonly counts = new Int32Array(256);
  private readonly before: Uint8Array; // as it was when the edit under way began
  private readonly history: History;
  private dirty: Rect | null = null; // what the edit under way may have changed
  private editing = false;
  private different = 0; // voxels that are not as proposed

  constructor(readonly width: number, readonly height: number, readonly labels: Uint8Array, readonly proposal: Uint8Array | null) {
    this.before = labels.slice();
    this.history = new History(width);
    for (const v of labels) this.counts[v]++;
    if (proposal) for (let i = 0; i < labels.length; i++) if (labels[i] !== proposal[i]) this.different++;
  }

  get canUndo(): boolean { return this.history.canUndo; }
  get canRedo(): boolean { return this.history.canRedo; }
  /** The last edit in effect, 0 for none. */
  get last(): number { return this.history.last; }
  /** Whether an edit is in effect, and not undone. */
  has(edit: number): boolean { return this.history.has(edit); }
  get inEdit(): boolean { return this.editing; }
  get isProposal(): boolean { return this.proposal !== null && this.different === 0; }
  get isEmpty(): boolean { return this.counts[0] === this.labels.length; }
  get whole(): Rect { return { x: 0, y: 0, width: this.width, height: this.height }; }

  /** Begins an edit that undo takes back as one. */
  begin(): void {
    this.editing = true;
    this.dirty = null;
  }

  /** Tells that voxels within a rectangle may have changed. */
  touch(rect: Rect): void {
    this.dirty = union(this.dirty, rect);
  }

  /** Ends the edit; returns what changed, null for nothing. */
  end(): Rect | null {
    this.editing = false;
    const rect = this.dirty && this.history.record(this.before, this.labels, this.dirty);
    this.dirty = null;
    if (rect) this.settle(rect);
    return rect;
  }

  /** Takes back the edit under way; returns where. */
  cancel(): Rect | null {
    const rect = this.dirty;
    if (rect) {
      for (let y = rect.y; y < rect.y + rect.height; y++) {
        const from = y * this.width + rect.x;
        this.labels.set(this.before.subarray(from, from + rect.width), from);
      }
    }
    this.editing = false;
    this.dirty = null;
    return rect;
  }

  undo(): Rect | null { return this.moved(this.history.undo(this.labels)); }
  redo(): Rect | null { return this.moved(this.history.redo(this.labels)); }

  private moved(rect: Rect | null): Rect | null {
    if (rect) this.settle(rect);
    return rect;
  }

  /** Brings counts and the copy in line with the voxels of a rectangle. */
  private settle(rect: Rect): void {
    const { width, labels, before, counts, proposal } = this;
    for (let y = rect.y; y < rect.y + rect.height; y++) {
      for (let i = y * width + rect.x, end = i + rect.width; i < end; i++) {
        if (labels[i] === before[i]) continue;
        counts[before[i]]--;
        counts[labels[i]]++;
        if (proposal) this.different += Number(labels[i] !== proposal[i]) - Number(before[i] !== proposal[i]);
        before[i] = labels[i];
      }
    }
  }
}
