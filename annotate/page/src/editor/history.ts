// Undo and redo: the changed rectangle of each edit, before and after.

import type { Rect } from "./raster";

interface Edit extends Rect { id: number; before: Uint8Array; after: Uint8Array }

export class History {
  private edits: Edit[] = [];
  /** Edits [0, done) are in effect; the rest can be redone. */
  private done = 0;
  private recorded = 0;
  /** The newest of the edits that are forgotten. */
  private forgotten = 0;

  constructor(private readonly width: number, private readonly limit = 200) {}

  get canUndo(): boolean { return this.done > 0; }
  get canRedo(): boolean { return this.done < this.edits.length; }

  /** The last edit in effect; 0 is none. */
  get last(): number { return this.done > 0 ? this.edits[this.done - 1].id : this.forgotten; }

  /** Whether an edit is in effect, and not undone. */
  has(edit: number): boolean {
    return edit <= this.forgotten || this.edits.slice(0, this.done).some((e) => e.id === edit);
  }

  /** Records the change from before to after, two masks of the whole slice that differ within a rectangle at most; returns what changed, or null. */
  record(before: Uint8Array, after: Uint8Array, within?: Rect): Rect | null {
    const rect = changed(before, after, this.width, within);
    if (!rect) return null;
    this.edits.length = this.done;
    this.edits.push({ ...rect, id: ++this.recorded, before: cut(before, this.width, rect), after: cut(after, this.width, rect) });
    if (this.edits.length > this.limit) this.forgotten = this.edits.shift()!.id;
    this.done = this.edits.length;
    return rect;
  }

  undo(labels: Uint8Array): Rect | null {
    if (!this.canUndo) return null;
    const edit = this.edits[--this.done];
    paste(labels, this.width, edit, edit.before);
    return edit;
  }

  redo(labels: Uint8Array): Rect | null {
    if (!this.canRedo) return null;
    const edit = this.edits[this.done++];
    paste(labels, this.width, edit, edit.after);
    return edit;
  }
}

/** The smallest rectangle that holds all differences of two masks within a rectangle, null if there are none. */
export function changed(a: Uint8Array, b: Uint8Array, width: number, within: Rect = { x: 0, y: 0, width, height: a.length / width }): Rect | null {
  let x0 = width, x1 = -1, y0 = -1, y1 = -1;
  for (let y = within.y; y < within.y + within.height; y++) {
    for (let x = within.x, i = y * width + x; x < within.x + within.width; x++, i++) {
      if (a[i] === b[i]) continue;
      if (y0 < 0) y0 = y;
      y1 = y;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
    }
  }
  return x1 < 0 ? null : { x: x0, y: y0, width: x1 - x0 + 1, height: y1 - y0 + 1 };
}

function cut(labels: Uint8Array, width: number, r: Rect): Uint8Array {
  const out = new Uint8Array(r.width * r.height);
  for (let y = 0; y < r.height; y++) {
    const from = (r.y + y) * width + r.x;
    out.set(labels.subarray(from, from + r.width), y * r.width);
  }
  return out;
}

function paste(labels: Uint8Array, width: number, r: Rect, patch: Uint8Array): void {
  for (let y = 0; y < r.height; y++) {
    labels.set(patch.subarray(y * r.width, (y + 1) * r.width), (r.y + y) * width + r.x);
  }
}
