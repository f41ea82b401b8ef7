// Shapes between labelled slices, as proposals for those between: nothing counts before a person has saved it.

import { between } from "./editor/shapes";
import type { Task } from "./api";

/** Two labelled slices of a case with none between them. */
interface Span { case: string; width: number; height: number; spacing: [number, number]; before: number; after: number; a: Uint8Array; b: Uint8Array; open: Set<number> }

export class Shapes {
  private spans: Span[] = [];

  /** Proposes shapes for the slices between two labelled ones of a task's case; returns how many others than the task's there are. */
  propose(task: Task, before: number, after: number, a: Uint8Array, b: Uint8Array): number {
    this.spans = this.spans.filter((s) => s.case !== task.case || s.after <= before || s.before >= after);
    this.add({ case: task.case, width: task.width, height: task.height, spacing: task.spacing }, before, after, a, b, () => true);
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
  }

  /** A slice has no shape any more. */
  drop(id: string, slice: number): void {
    this.span(id, slice)?.open.delete(slice);
  }
}
