// Shapes between labelled slices, as proposals for those between: nothing counts before a person has saved it. The browser keeps which slices have one;
// the shapes themselves are computed from the labels.

import { between } from "./editor/shapes";
import type { Task } from "./api";

/** Two labelled slices of a case with none between them. */
interface Span { case: string; width: number; height: number; spacing: [number, number]; before: number; after: number; a: Uint8Array; b: Uint8Array; open: Set<number> }

/** Slices of a case that lie between two labelled ones and have a shape. */
export interface Gap { before: number; after: number; open: number[] }

interface Kept { slices: number[]; when: number }

const prefix = "nextslice/shapes/";
/** Shapes that nobody came back to are forgotten after this long. */
const forget = 30 * 24 * 3600 * 1000;

export class Shapes {
  private spans: Span[] = [];
  private readonly resumed = new Set<string>(); // cases

  /** The owner is a person in a project, as of drafts. */
  constructor(private readonly owner: string, private readonly storage: Storage = localStorage) {
    for (const key of Array.from({ length: storage.length }, (_, n) => storage.key(n)!)) {
      if (key.startsWith(prefix) && Date.now() - (parse(storage.getItem(key))?.when ?? 0) > forget) storage.removeItem(key);
    }
  }

  private key(id: string): string {
    return `${prefix}${this.owner}/${id}`;
  }

  /** Keeps which slices of a case have a shape. */
  private keep(id: string): void {
    const slices = this.slices(id), kept: Kept = { slices, when: Date.now() };
    try {
      if (slices.length > 0) this.storage.setItem(this.key(id), JSON.stringify(kept));
      else this.storage.removeItem(this.key(id));
    } catch {
      // storage is full or forbidden: the shapes hold until the page closes
    }
  }

  /** What the browser has kept of a task's case from before the page was loaded, once, between the slices that are labelled now. */
  kept(task: Task): Gap[] {
    if (this.resumed.has(task.case)) return [];
    this.resumed.add(task.case);
    const gaps: Gap[] = [], labelled = task.labelled_slices ?? [];
    for (const k of parse(this.storage.getItem(this.key(task.case)))?.slices ?? []) {
      if (labelled.includes(k)) continue;
      const before = Math.max(-1, ...labelled.filter((l) => l < k)), after = Math.min(...labelled.filter((l) => l > k));
      if (before < 0 || !Number.isFinite(after)) continue;
      const gap = gaps.find((g) => g.before === before);
      if (gap) gap.open.push(k);
      else gaps.push({ before, after, open: [k] });
    }
    return gaps;
  }

  /** Takes up what was kept: a and b are the labels before and after. */
  resume(task: Task, { before, after, open }: Gap, a: Uint8Array, b: Uint8Array): void {
    this.add(task, before, after, a, b, (k) => open.includes(k));
  }

  /** Proposes shapes for the slices between two labelled ones of a task's case; returns how many others than the task's there are. */
  propose(task: Task, before: number, after: number, a: Uint8Array, b: Uint8Array): number {
    this.spans = this.spans.filter((s) => s.case !== task.case || s.after <= before || s.before >= after);
    this.add(task, before, after, a, b, () => true);
    this.keep(task.case);
    return after - before - 2;
  }

  private add(of: Pick<Span, "case" | "width" | "height" | "spacing">, before: number, after: number, a: Uint8Array, b: Uint8Array, wanted: (slice: number) => boolean): void {
    const open = new Set<number>();
    for (let k = before + 1; k < after; k++) if (wanted(k)) open.add(k);
    if (open.size > 0) this.spans.push({ case: of.case, width: of.width, height: of.height, spacing: of.spacing, before, after, a, b, open });
  }

  private span(id: string, slice: number): Span | undefined {
    return this.spans.find((s) => s.case === id && s.open.has(slice));
  }

  /** The two slices that a slice's shape lies between; null where there is no shape. */
  around(id: string, slice: number): { before: number; after: number } | null {
    return this.span(id, slice) ?? null;
  }

  /** The shape on a slice, to be changed by the caller; null where there is none. */
  at(id: string, slice: number): Uint8Array | null {
    const s = this.span(id, slice);
    return s ? between(s, s.a, s.b, s.spacing, (slice - s.before) / (s.after - s.before)) : null;
  }

  /** Slices of a case that have a shape, in their order. */
  slices(id: string): number[] {
    return this.spans.filter((s) => s.case === id).flatMap((s) => [...s.open]).sort((a, b) => a - b);
  }

  /** The slice with a shape that comes after one, or else the nearest before it; null without any. */
  next(id: string, slice: number): number | null {
    const open = this.slices(id);
    return open.find((k) => k > slice) ?? open.filter((k) => k < slice).at(-1) ?? null;
  }

  /** A slice has a label now: shapes beside it are those between it and its neighbours. */
  labelled(task: Task, labels: Uint8Array): void {
    for (const s of this.spans.filter((s) => s.case === task.case && s.before <= task.slice && task.slice <= s.after)) {
      this.spans.splice(this.spans.indexOf(s), 1);
      if (s.before === task.slice) this.add(s, s.before, s.after, labels, s.b, (k) => s.open.has(k));
      else if (s.after === task.slice) this.add(s, s.before, s.after, s.a, labels, (k) => s.open.has(k));
      else {
        this.add(s, s.before, task.slice, s.a, labels, (k) => s.open.has(k));
        this.add(s, task.slice, s.after, labels, s.b, (k) => s.open.has(k));
      }
    }
    this.keep(task.case);
  }

  /** A slice has no shape any more. */
  drop(id: string, slice: number): void {
    if (this.span(id, slice)?.open.delete(slice)) this.keep(id);
  }
}

function parse(text: string | null): Kept | null {
  try {
    const kept = JSON.parse(text ?? "null");
    return kept && Array.isArray(kept.slices) && kept.slices.every(Number.isInteger) ? kept : null;
  } catch {
    return null;
  }
}
