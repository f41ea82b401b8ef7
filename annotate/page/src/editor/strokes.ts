// Hints: what a person has pointed at on a slice, as belonging to a class or not, and the masks that came of it.

import { belonging } from "./hints";
import type { Window } from "./layers";
import type { Mask } from "./mask";
import { capsule } from "./raster";

/** 1: belongs, 2: does not. */
export type Kind = 1 | 2;

export interface Hint {
  label: number;
  kind: Kind;
  /** Along which it was drawn, in voxels. */
  points: Array<[x: number, y: number]>;
  voxels: Set<number>;
  /** The edit that came of it; it counts as long as that is not undone. */
  edit: number;
  /** The class as it was afterwards, and what people had drawn of it by hand until then: a kind, or 0. */
  after: Uint8Array;
  byHand: Uint8Array;
}

/** What is known of a slice besides the hints. */
export interface Known {
  image: Float32Array;
  window: Window;
  spacing: [number, number];
  /** The proposal that the drawing began with, if it did. */
  proposal: Uint8Array | null;
  /** A network's chances of the class. */
  chances: Uint8Array | null;
}

export class Hints {
  private drawn: Hint[] = [];
  /** The one that is being drawn, or whose mask is being computed. */
  current: Hint | null = null;

  constructor(private readonly mask: Mask) {}

  /** Those that count, the oldest first. */
  get active(): Hint[] {
    return this.drawn.filter((h) => this.mask.has(h.edit));
  }

  begin(label: number, kind: Kind): void {
    this.current = { label, kind, points: [], voxels: new Set(), edit: 0, after: new Uint8Array(0), byHand: new Uint8Array(0) };
  }

  /** Points at the voxels of a line; wide is its width. */
  draw(ax: number, ay: number, bx: number, by: number, spacing: [number, number]): void {
    const { width, height } = this.mask, hint = this.current;
    if (!hint) return;
    const wide = Math.min(7, Math.max(1, Math.round(Math.min(width, height) / 128)));
    capsule({ width, height }, spacing, ax, ay, bx, by, wide, (x, y) => hint.voxels.add(y * width + x));
    hint.points.push([bx + 0.5, by + 0.5]);
  }

  /** The voxels that belong to the class of the current hint, by it and by those before. */
  result(known: Known): Uint8Array {
    const { labels, width, height } = this.mask, hint = this.current!, { label } = hint, n = labels.length;
    const before = this.active.filter((h) => h.label === label), last = before[before.length - 1];
    // what differs from what was suggested, a person has drawn: it stays as it is
    const byHand = last ? last.byHand.slice() : new Uint8Array(n);
    for (let i = 0; i < n; i++) {
      const suggested = last ? last.after[i] === 1 : known.proposal !== null && known.proposal[i] === label, is = labels[i] === label;
      if (is !== suggested) byHand[i] = is ? 1 : 2;
    }
    const hints = byHand.slice();
    if (!known.chances) for (let i = 0; i < n; i++) if (labels[i] > 0 && labels[i] !== label) hints[i] = 2;
    for (const h of [...before, hint]) for (const i of h.voxels) hints[i] = h.kind;
    hint.byHand = byHand;
    return belonging({ width, height, image: known.image, window: known.window, spacing: known.spacing, hints, chances: known.chances });
  }

  /** The mask is now as the current hint has it. */
  done(): void {
    const hint = this.current!, { labels } = this.mask;
    hint.edit = this.mask.last;
    hint.after = labels.map((v) => (v === hint.label ? 1 : 0));
    this.drawn = [...this.active, hint];
    this.current = null;
  }
}
