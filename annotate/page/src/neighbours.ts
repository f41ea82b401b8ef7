// The slices beside the one that is labelled, and the channels of the case: looking at them, and drawing what they have.

import { Ahead } from "./ahead";
import { ApiError, binary, bytesOf, itemOf, paths, type Task } from "./api";
import type { Editor } from "./editor/editor";
import { Shapes } from "./between";
import { change, settings } from "./settings";
import { t } from "./texts";

export abstract class Neighbours {
  protected readonly ahead = new Ahead(bytesOf);
  /** Counts what the person asked to see: what comes late for an older wish is not shown. */
  private wanted = 0;

  /** Shapes are those between labelled slices, for the slices between. */
  constructor(readonly editor: Editor, readonly shapes: Shapes) {}

  /** True between a save, or whatever changes the slice, and the next slice. */
  get busy(): boolean { return this.editor.held; }

  abstract say(kind: "info" | "warning" | "error", text: string): void;
  /** Says what has failed. */
  protected abstract fail(error: unknown): void;
  /** Says what was drawn in place of something else, which is offered back. */
  protected abstract offerUndo(text: string, before: Uint8Array): void;

  /** Shows the neighbour so many slices away from the one that is shown. */
  async scroll(slices: number): Promise<void> {
    const task = this.editor.task;
    if (!task) return;
    const from = this.pending ?? this.editor.context?.slice ?? task.slice;
    await this.look(from + slices);
  }

  /** A neighbour that is on its way to the screen. */
  private pending: number | null = null;

  /** Shows a slice of the case, to look at; the queued slice can be changed again. */
  async look(slice: number): Promise<void> {
    const task = this.editor.task;
    if (!task || this.editor.drawing) return;
    const k = Math.min(task.slices - 1, Math.max(0, slice));
    if (k === task.slice) {
      this.back();
      return;
    }
    const turn = ++this.wanted;
    this.pending = k;
    try {
      const images = await this.imagesOf(task.case, k);
      if (turn !== this.wanted) return; // the person went on
      this.pending = null;
      this.editor.liftPen();
      this.editor.showContext({ slice: k, images, mask: null });
      for (const near of [k + 1, k - 1, k + 2, k - 2]) if (near >= 0 && near < task.slices) this.loadImages(task.case, near);
      const mask = await this.maskOf(task, k, 150, () => turn === this.wanted);
      if (mask && turn === this.wanted && this.editor.context?.slice === k) this.editor.showContext({ slice: k, images, mask });
    } catch (error) {
      this.pending = null;
      this.fail(error);
    }
  }

  /** The images of a slice in the channels that are on the screen. */
  protected async imagesOf(id: string, slice: number): Promise<Array<Float32Array | null>> {
    const shown = this.editor.shownChannels, out: Array<Float32Array | null> = [];
    const all = await Promise.all(shown.map((channel) => this.ahead.get(paths.image(id, slice, channel))));
    shown.forEach((channel, n) => (out[channel] = new Float32Array(all[n].data)));
    return out;
  }

  protected loadImages(id: string, slice: number): void {
    for (const channel of this.editor.shownChannels) this.ahead.load(paths.image(id, slice, channel));
  }

  /**
   * The label of a slice of the case or, where there is none, a shape between labelled ones, or what the model makes of it; null without either. The model is
   * only asked if the slice is still wanted after some milliseconds: who scrolls fast asks for nothing.
   */
  private async maskOf(task: Task, slice: number, after: number, wanted: () => boolean): Promise<{ labels: Uint8Array; of: "label" | "shape" | "model" } | null> {
    const item = itemOf(task.case, slice);
    if (task.labelled_slices?.includes(slice)) {
      const labels = await maskAt(paths.label(item));
      if (labels) return { labels, of: "label" };
    }
    const shape = this.shapes.at(task.case, slice);
    if (shape) return { labels: shape, of: "shape" };
    if (!task.proposal) return null;
    if (after > 0) await new Promise((done) => setTimeout(done, after));
    const labels = wanted() ? await maskAt(paths.proposal(item)) : null;
    return labels && { labels, of: "model" };
  }

  /** Draws what the slice before (-1) or after (1) has: its label, or the model's mask of it. */
  async copyNeighbour(direction: 1 | -1): Promise<void> {
    const { editor } = this, { task } = editor;
    if (!task || !editor.editable()) return;
    const slice = task.slice + direction;
    if (slice < 0 || slice >= task.slices) return this.say("info", t(direction < 0 ? "note.noBefore" : "note.noAfter"));
    try {
      const mask = await this.maskOf(task, slice, 0, () => true);
      if (editor.task !== task || editor.inStroke || !editor.editable()) return;
      if (!mask) return this.say("info", t("note.noMask", { slice: slice + 1 }));
      const drawn = editor.touched && !editor.isEmpty, before = editor.labels.slice(), changed = editor.setMask(mask.labels);
      const text = t(mask.of === "model" ? "note.copiedModel" : "note.copied", { slice: slice + 1 });
      if (changed && drawn) this.offerUndo(text, before);
      else this.say("info", text);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Draws the shape between the nearest labelled slices before and after this one, and proposes shapes for the others between them. */
  async interpolate(): Promise<void> {
    const { editor } = this, { task } = editor;
    if (!task || !editor.editable()) return;
    const labelled = task.labelled_slices ?? [];
    const before = Math.max(-1, ...labelled.filter((k) => k < task.slice)), after = Math.min(...labelled.filter((k) => k > task.slice));
    if (before < 0 || !Number.isFinite(after)) return this.say("info", t("note.notBetween"));
    try {
      const [a, b] = await Promise.all([before, after].map((k) => binary(paths.label(itemOf(task.case, k)))));
      if (editor.task !== task || editor.inStroke || !editor.editable()) return;
      const drawn = editor.touched && !editor.isEmpty, was = editor.labels.slice();
      const others = this.shapes.propose(task, before, after, new Uint8Array(a), new Uint8Array(b));
      const changed = editor.setMask(this.shapes.at(task.case, task.slice)!);
      const text = t(others > 0 ? "note.betweenAll" : "note.between", { before: before + 1, after: after + 1, n: others });
      if (changed && drawn) this.offerUndo(text, was);
      else this.say("info", text);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Takes up the shapes of a task's case from before the page was loaded, between the labels as they are now. */
  protected async resumeShapes(task: Task): Promise<void> {
    for (const gap of this.shapes.kept(task)) {
      const [a, b] = await Promise.all([gap.before, gap.after].map((k) => maskAt(paths.label(itemOf(task.case, k)))));
      if (a && b) this.shapes.resume(task, gap, a, b);
    }
  }

  /** Shows a channel of the case; after the last comes the first. */
  showChannel(channel: number): Promise<void> {
    const count = this.editor.channels;
    if (count < 2) return Promise.resolve();
    if (settings.sideBySide) {
      this.editor.point(channel % count);
      return Promise.resolve();
    }
    return this.showChannels(channel % count);
  }

  /** Shows all channels side by side, or one. */
  toggleSideBySide(): Promise<void> {
    if (this.editor.channels < 2) return Promise.resolve();
    change({ sideBySide: !settings.sideBySide });
    return this.showChannels(this.editor.channel);
  }

  private async showChannels(channel: number): Promise<void> {
    const { editor } = this, task = editor.task!, neighbour = editor.context?.slice ?? null;
    const turn = ++this.wanted, before = editor.channel;
    this.pending = null;
    try {
      editor.channel = channel;
      const [own, beside] = await Promise.all([this.imagesOf(task.case, task.slice), neighbour === null ? null : this.imagesOf(task.case, neighbour)]);
      if (turn !== this.wanted || editor.task !== task) return; // the person went on
      editor.setChannel(channel, own, beside);
    } catch (error) {
      editor.channel = before;
      this.fail(error);
    }
  }

  back(): void {
    this.wanted++;
    this.pending = null;
    if (this.editor.context) this.editor.showContext(null);
  }
}

/** The mask at a path; null if it is not for this person, or there is none. */
async function maskAt(path: string): Promise<Uint8Array | null> {
  try {
    return new Uint8Array(await binary(path));
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 410)) return null;
    throw error;
  }
}
