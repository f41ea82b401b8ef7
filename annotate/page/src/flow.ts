// From one slice to the next: opening, saving, skipping, drafts, loading ahead.

import { api, ApiError, binary, bytesOf, paths, splitItem, type Project, type QueueEntry, type Saved, type Task } from "./api";
import { Clock } from "./editor/clock";
import { Drafts } from "./editor/drafts";
import type { Editor } from "./editor/editor";
import { Ahead } from "./ahead";
import { fraction } from "./format";

export type Status =
  | { kind: "loading" } | { kind: "ready" }
  | { kind: "finished" } // the queue has nothing for this person
  | { kind: "failed"; text: string };

/** A short word to the person. */
export interface Note { kind: "info" | "warning" | "error"; text: string; id: number }

export class Flow {
  status: Status = { kind: "loading" };
  note: Note | null = null;
  queue: QueueEntry[] = [];
  busy = false;
  readonly clock = new Clock();
  readonly drafts: Drafts;
  private readonly ahead = new Ahead(bytesOf);
  private visited: string[] = [];
  private listeners = new Set<() => void>();
  private wanted = 0;
  /** When the person asked for another slice. */
  private asked = 0;
  private saved: { item: string; version: number } | null = null;

  constructor(project: Project, private readonly person: string, readonly editor: Editor) {
    this.drafts = new Drafts(`${project.name}/${person}`, () => this.tell());
    editor.edited = () => this.keep();
    editor.refused = (text) => this.say("info", text);
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    this.listeners.forEach((l) => l());
  }

  say(kind: Note["kind"], text: string): void {
    this.note = { kind, text, id: (this.note?.id ?? 0) + 1 };
    this.tell();
  }

  /** Something to know that must not take the place of what the person has to read. */
  mention(text: string): void {
    if (!this.note) this.say("info", text);
  }

  dismiss(): void {
    this.note = null;
    this.tell();
  }

  /** Runs one change of slice at a time; what fails is said and changes nothing. */
  private async exclusive(action: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.asked = performance.now();
    this.tell();
    try {
      await action();
    } catch (error) {
      this.fail(error);
    } finally {
      this.busy = false;
      this.tell();
    }
  }

  private fail(error: unknown): void {
    if (!(error instanceof ApiError)) {
      this.say("error", `The page has a fault: ${error instanceof Error ? error.message : error}`);
      throw error;
    }
    if (error.status === 401) return; // the login page comes
    if (this.editor.task) {
      const kept = this.editor.touched ? " Your mask is kept as a draft." : "";
      this.say("error", error.message + kept);
    } else {
      this.status = { kind: "failed", text: error.message };
    }
  }

  /** Opens the item of the address bar, or the next of the queue. */
  start(item: string | null): Promise<void> {
    return this.exclusive(async () => {
      const task = item ? await api.task(item) : await api.next();
      await this.show(task);
    });
  }

  open(item: string): Promise<void> {
    return this.exclusive(async () => {
      await this.leave();
      await this.show(await api.task(item));
    });
  }

  next(): Promise<void> {
    return this.exclusive(async () => {
      const from = this.editor.task?.item;
      const at = from ? this.visited.indexOf(from) : -1;
      await this.leave();
      if (at >= 0 && at + 1 < this.visited.length) await this.show(await api.task(this.visited[at + 1]));
      else await this.show(await api.next(from));
    });
  }

  previous(): Promise<void> {
    return this.exclusive(async () => {
      const from = this.editor.task?.item;
      const at = from ? this.visited.indexOf(from) : this.visited.length;
      if (at <= 0) {
        this.say("info", "This is the first slice that you opened.");
        return;
      }
      await this.leave();
      await this.show(await api.task(this.visited[at - 1]));
    });
  }

  /**
   * Saves the mask and opens the next slice. An untouched proposal is accepted; an
   * empty mask that nobody drew and no model proposed has to be marked as empty.
   */
  submit(): Promise<void> {
    const e = this.editor;
    if (!e.task || this.busy) return Promise.resolve();
    if (e.context) this.back();
    if (e.corners.length > 0) {
      e.closePolygon(e.label);
      return Promise.resolve();
    }
    e.liftPen();
    if (e.isEmpty && !e.isProposal) {
      this.say("info", "Nothing is drawn. Press K if the slice is empty, so that it is not saved by accident.");
      return Promise.resolve();
    }
    return this.save(e.isProposal ? "accepted" : "edited");
  }

  /** Saves the slice as one that shows none of the classes. */
  markEmpty(): Promise<void> {
    if (!this.editor.task || this.busy) return Promise.resolve();
    this.back();
    this.editor.liftPen();
    this.editor.clear();
    return this.save("empty");
  }

  private save(action: string): Promise<void> {
    return this.exclusive(async () => {
      const e = this.editor, task = e.task!;
      const proposal = task.proposal ? task.model : null;
      const labels = e.labels.slice();
      // a second reader begins without the first reading
      const base = task.purpose === "reading" || task.purpose === "adjudication" ? null : task.label ?? 0;
      const reply = await api.saveLabel(task.item, labels, this.clock.seconds(), action, proposal, base);
      e.touched = false;
      await this.drafts.drop(task.item);
      this.saved = { item: task.item, version: reply.version };
      await this.show(reply.next ?? await api.next(task.item));
      this.say("info", told(task.item, action, reply));
    });
  }

  get lastSaved(): { item: string; version: number } | null {
    return this.saved;
  }

  skip(reason: string): Promise<void> {
    return this.exclusive(async () => {
      const task = this.editor.task!;
      await api.skip(task.item, reason, this.clock.seconds());
      await this.drafts.drop(task.item);
      await this.show(await api.next(task.item));
      this.say("info", `${task.item} skipped.`);
    });
  }

  restore(version: number): Promise<void> {
    return this.exclusive(async () => {
      const task = this.editor.task!;
      await api.restore(task.item, version);
      await this.drafts.drop(task.item);
      await this.show(await api.task(task.item), true);
      this.say("info", `Version ${version} of ${task.item} restored.`);
    });
  }

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
    if (!task) return;
    const k = Math.min(task.slices - 1, Math.max(0, slice));
    if (k === task.slice) {
      this.back();
      return;
    }
    const turn = ++this.wanted;
    this.pending = k;
    try {
      const { data } = await this.ahead.get(paths.image(task.case, k, this.editor.channel));
      if (turn !== this.wanted) return; // the person went on
      this.pending = null;
      this.editor.liftPen();
      this.editor.showContext(k, new Float32Array(data));
      for (const near of [k + 1, k - 1, k + 2, k - 2]) this.ahead.load(near >= 0 && near < task.slices ? paths.image(task.case, near, this.editor.channel) : null);
    } catch (error) {
      this.pending = null;
      this.fail(error);
    }
  }

  /** Shows a channel of the case; after the last comes the first. */
  async showChannel(channel: number): Promise<void> {
    const { editor } = this, task = editor.task, count = task?.channels?.length ?? 0;
    if (!task || count < 2) return;
    const next = channel % count, neighbour = editor.context?.slice ?? null;
    const turn = ++this.wanted;
    this.pending = null;
    try {
      const [own, beside] = await Promise.all([
        this.ahead.get(paths.image(task.case, task.slice, next)),
        neighbour === null ? null : this.ahead.get(paths.image(task.case, neighbour, next)),
      ]);
      if (turn !== this.wanted || editor.task !== task) return; // the person went on
      editor.setChannel(next, new Float32Array(own.data), beside && new Float32Array(beside.data));
    } catch (error) {
      this.fail(error);
    }
  }

  back(): void {
    this.wanted++;
    this.pending = null;
    if (this.editor.context) this.editor.showContext(-1, null);
  }

  /** True if closing the page now could lose something. */
  get unsafe(): boolean {
    const { drafts, editor } = this;
    return editor.inStroke || (editor.touched && (drafts.state === "pending" || drafts.state === "browser only"));
  }

  private keep(): void {
    const { task, labels } = this.editor;
    if (this.note?.kind === "info") this.dismiss();
    if (task) this.drafts.keep(task.item, task.width, task.height, labels, this.clock.seconds());
  }

  private async leave(): Promise<void> {
    this.editor.liftPen();
    const { task, touched } = this.editor;
    if (!task) return;
    if (touched) await this.drafts.flush();
    else if (task.lease?.person === this.person) await api.release(task.item); // others may have it
  }

  private async show(task: Task | null | undefined, fresh = false): Promise<void> {
    this.back();
    if (!task) {
      this.editor.close();
      this.drafts.opened("none");
      this.status = { kind: "finished" };
      this.address("#/");
      void this.refreshQueue();
      return;
    }
    const size = task.width * task.height;
    const own = fresh ? null : this.drafts.load(task.item, task.width, task.height);
    const mine = own && !own.onServer ? own : null; // newer than the server's
    const get = (path: string) => this.ahead.get(path);
    const readings = task.purpose === "adjudication" && !mine && !task.draft ? await this.readings(task.item) : null;
    // masks that people change are never taken from what was loaded ahead
    const [image, proposed, uncertainty, stored] = await Promise.all([
      get(paths.image(task.case, task.slice, this.editor.channel)),
      task.proposal ? get(modelPath(paths.proposal(task.item), task.model)) : null,
      task.uncertainty ? get(modelPath(paths.uncertainty(task.item), task.model)) : null,
      mine ? null : readings ? readings.first : task.draft ? binary(paths.draft(task.item)) : task.label !== null ? binary(paths.label(task.item)) : null,
    ]);
    // a new model may have come between the task and its proposal
    const proposal = proposed && proposed.data;
    if (proposed) task = { ...task, model: proposed.model ?? task.model };
    for (const [what, data, want] of [["image", image.data, 4 * size], ["proposal", proposal, size], ["uncertainty map", uncertainty?.data, 4 * size], ["mask", stored, size]] as const) {
      if (data && data.byteLength !== want) throw new ApiError(0, `The ${what} of ${task.item} has ${data.byteLength} bytes, not ${want}.`);
    }
    const drawn = mine ? mine.labels : stored ? new Uint8Array(stored) : proposal ? new Uint8Array(proposal.slice(0)) : new Uint8Array(size);
    const draft = mine !== null || task.draft;
    this.editor.open(task, {
      image: new Float32Array(image.data),
      labels: drawn,
      proposal: proposal && new Uint8Array(proposal),
      uncertainty: uncertainty && new Float32Array(uncertainty.data),
    }, draft);
    this.clock.reset(own?.seconds ?? 0);
    this.drafts.opened(draft ? (mine ? "browser only" : "saved") : "none");
    if (mine) this.keep(); // goes on to the server
    if (!this.visited.includes(task.item)) this.visited.push(task.item);
    this.status = { kind: "ready" };
    this.address(`#/item/${encodeURIComponent(task.item)}`);
    if (readings) {
      this.editor.compare({ name: "second reading", labels: readings.second });
      this.say("info", "Two people read this slice differently. The first reading is drawn, the second is dotted: decide.");
    } else if (draft) this.say("info", "Your draft of this slice is back.");
    else if (this.note?.kind !== "error") this.note = null;
    performance.measure("open", { start: this.asked }); // for the browser's performance timeline, and the tests
    this.tell();
    void this.loadAhead(task);
  }

  /** Writes where we are into the address bar, unless the person is on another page by now. */
  private address(hash: string): void {
    if (location.hash !== "#/dashboard") history.replaceState(null, "", hash);
  }

  /** The server told of a change: if we were waiting for slices, look whether there are any. */
  async wake(): Promise<void> {
    await this.refreshQueue();
    if (this.status.kind === "finished" && this.queue.some((q) => q.state === "waiting" || q.state === "disputed")) await this.next();
  }

  /** Shows the outline of an earlier version beside the mask, or hides it. */
  async compare(version: number | null): Promise<void> {
    const task = this.editor.task!;
    if (version === null) return this.editor.compare(null);
    try {
      const labels = new Uint8Array(await binary(paths.version(task.item, version)));
      if (this.editor.task === task) this.editor.compare({ name: `version ${version}`, labels });
    } catch (error) {
      this.fail(error);
    }
  }

  /** Asks for an independent second label by somebody else. */
  readAgain(): Promise<void> {
    return this.exclusive(async () => {
      const { item } = this.editor.task!;
      await api.read2(item);
      this.say("info", `Somebody else will be asked to label ${item} too.`);
    });
  }

  /** The two readings that an adjudicator decides between. */
  private async readings(item: string): Promise<{ first: ArrayBuffer; second: Uint8Array } | null> {
    const all = ((await api.versions(item)) ?? []).sort((a, b) => b.version - a.version);
    const first = all.find((v) => v.reading === 1) ?? all.find((v) => v.reading === 0), second = all.find((v) => v.reading === 2);
    if (!first || !second) return null;
    const [one, two] = await Promise.all([first, second].map((v) => binary(paths.version(item, v.version))));
    return { first: one, second: new Uint8Array(two) };
  }

  async refreshQueue(): Promise<void> {
    try {
      this.queue = (await api.queue()) ?? [];
      this.tell();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Loads what comes next: the neighbours, and the slices that the queue gives out next. */
  private async loadAhead(task: Task): Promise<void> {
    for (const near of [task.slice - 1, task.slice + 1]) {
      if (near >= 0 && near < task.slices) this.ahead.load(paths.image(task.case, near, this.editor.channel));
    }
    await this.refreshQueue();
    const coming = this.queue.filter((q) => q.item !== task.item && q.rank > 0 && (q.state === "waiting" || (q.state === "leased" && q.person === this.person)));
    for (const entry of coming.sort((a, b) => a.rank - b.rank).slice(0, 2)) {
      const { case: id, slice } = splitItem(entry.item);
      this.ahead.load(paths.image(id, slice, this.editor.channel));
      if (entry.purpose === "validation") continue; // shown without a proposal
      if (task.proposal) this.ahead.load(modelPath(paths.proposal(entry.item), task.model));
      if (task.uncertainty) this.ahead.load(modelPath(paths.uncertainty(entry.item), task.model));
    }
  }
}

/** What to tell a person about a saved mask. */
function told(item: string, action: string, saved: Saved): string {
  const agreement = saved.agreement === null || saved.agreement === undefined ? "" : ` The two readings agree with Dice ${fraction(saved.agreement)}.`;
  if (!saved.labelled) return `${item} saved as a reading.${agreement || " Somebody else reads it too."}`;
  return `${item} saved as ${action}, version ${saved.version}.${agreement}`;
}

/** A path whose content changes with the model, made different for each. */
function modelPath(path: string, model: number | null): string {
  return model === null ? path : `${path}?model=${model}`;
}
