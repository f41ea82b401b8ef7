// From one slice to the next: opening, saving, skipping, drafts, loading ahead.

import { api, ApiError, binary, itemOf, paths, splitItem, type Project, type QueueEntry, type Saved, type Task } from "./api";
import { Clock } from "./editor/clock";
import { cameAfter, Drafts, owner } from "./editor/drafts";
import type { Editor } from "./editor/editor";
import { same } from "./editor/mask";
import { fraction, itemName } from "./format";
import { Shapes } from "./between";
import { Neighbours } from "./neighbours";
import { parseRoute } from "./route";
import { settings } from "./settings";
import { t, type Key } from "./texts";

export type Status =
  | { kind: "loading" } | { kind: "ready" }
  | { kind: "finished" } // the queue has nothing for this person
  | { kind: "failed"; text: string };

/** A short word to the person, and what they can do about it. */
export interface Note { kind: "info" | "warning" | "error"; text: string; id: number; action?: { text: string; run: () => unknown } }

/** The two readings of a slice that an adjudicator decides between. */
export interface Readings { first: Uint8Array; second: Uint8Array; names: [string, string] }

export type Choice = "first" | "second" | "union" | "common";

/** Keys that save or clear, and verdicts, do nothing for so long after a slice has come, milliseconds: nobody has seen it. */
export const deafFor = 400;

export class Flow extends Neighbours {
  status: Status = { kind: "loading" };
  note: Note | null = null;
  queue: QueueEntry[] = [];
  /** Of the slice that is open, for an adjudicator. */
  readings: Readings | null = null;
  readonly clock = new Clock();
  readonly drafts: Drafts;
  private visited: string[] = [];
  private listeners = new Set<() => void>();
  /** When the person asked for another slice. */
  private asked = 0;
  /** The newest version of the open slice's label that the person knows, 0 for none: a save replaces no newer one, and a draft remembers it. */
  private base = 0;
  private openedAt = -Infinity;
  private holding: ReturnType<typeof setInterval> | undefined;
  private closed = false;

  constructor(project: Project, readonly person: string, editor: Editor) {
    super(editor, new Shapes(owner(project.id, person)));
    this.drafts = new Drafts(owner(project.id, person), () => this.tell());
    editor.edited = () => this.keep();
    editor.refused = (text) => this.say("info", text);
    editor.chancesOf = (label) => this.chancesOf(label);
  }

  /** What the model makes of a class on the slice; null without one. */
  private async chancesOf(label: number): Promise<Uint8Array | null> {
    const { task } = this.editor;
    if (!task?.proposal) return null;
    try {
      const { data } = await this.ahead.get(modelPath(paths.chances(task.item, label), task.model));
      return data.byteLength === task.width * task.height ? new Uint8Array(data) : null;
    } catch (error) {
      if (error instanceof ApiError) return null; // the image alone has to do
      throw error;
    }
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    this.listeners.forEach((l) => l());
  }

  say(kind: Note["kind"], text: string, action?: Note["action"]): void {
    this.note = { kind, text, id: (this.note?.id ?? 0) + 1, action };
    this.tell();
  }

  /** True while a slice has only just come: what saves or clears it waits until the person can have seen it. */
  get deaf(): boolean {
    return performance.now() - this.openedAt < deafFor;
  }

  /** True if nothing is under way that changes the slice, and no stroke: it belongs to the mask that it began on, and is saved as a whole. */
  private free(): boolean {
    if (this.editor.drawing) this.say("info", t("note.stroke"));
    return !this.busy && !this.editor.drawing;
  }

  /** True if what saves or clears the slice may be done now: it is on the screen, and was long enough to be seen. */
  private seen(what: Key): boolean {
    const e = this.editor;
    if (!e.task || !this.free() || this.deaf) return false;
    if (!e.context) return true;
    this.back();
    this.say("info", t("note.back", { slice: e.task.slice + 1, what: t(what) }));
    return false;
  }

  /** Something to know that must not take the place of what the person has to read. */
  mention(text: string): void {
    if (!this.note) this.say("info", text);
  }

  dismiss(): void {
    this.note = null;
    this.tell();
  }

  /** Runs one change of slice at a time, in which nobody draws; what fails is said and changes nothing. */
  private async exclusive(action: () => Promise<void>): Promise<void> {
    if (this.editor.settling) await this.editor.settling;
    if (!this.free()) return;
    this.editor.liftPen();
    this.editor.held = true;
    this.asked = performance.now();
    this.tell();
    try {
      await action();
    } catch (error) {
      this.fail(error);
    } finally {
      this.editor.held = false;
      this.tell();
    }
  }

  protected fail(error: unknown): void {
    if (!(error instanceof ApiError)) {
      this.say("error", t("fault.page", { text: error instanceof Error ? error.message : String(error) }));
      throw error;
    }
    if (error.status === 401) return; // the login page comes
    if (this.editor.task) {
      const kept = this.editor.touched ? ` ${t("fault.kept")}` : "";
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
        this.say("info", t("note.first"));
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
    if (e.settling) return e.settling.then(() => this.submit());
    if (!this.seen("note.toSave")) return Promise.resolve();
    if (e.corners.length > 0) {
      e.closePolygon(e.label);
      return Promise.resolve();
    }
    e.liftPen();
    if (this.readings && e.isEmpty && !e.touched) {
      this.say("info", t("note.decide"));
      return Promise.resolve();
    }
    if (e.isEmpty && !e.isProposal) {
      const take = e.outlined ? ` ${t("note.orOutline")}` : "";
      this.say("info", t("note.nothing") + take);
      return Promise.resolve();
    }
    return this.save(e.isProposal ? "accepted" : "edited");
  }

  /** Saves the slice as one that shows none of the classes. What was drawn on it is kept in this browser. */
  markEmpty(): Promise<void> {
    return this.seen("note.toEmpty") ? this.save("empty") : Promise.resolve();
  }

  /** What was drawn on the slice; null where nothing is, or only the model's mask. */
  private drawn(): Uint8Array | null {
    const e = this.editor;
    return e.touched && !e.isEmpty && !e.isProposal ? e.labels.slice() : null;
  }

  /** Clears the mask; a note offers it back. */
  clear(): void {
    const e = this.editor;
    if (!this.seen("note.toClear")) return;
    const before = e.labels.slice(), drawn = this.drawn();
    if (e.clear()) this.offerUndo(t("note.cleared"), before, drawn !== null);
  }

  /** Begins again from the model's mask; a note offers back what was drawn. */
  useProposal(): void {
    const drawn = this.drawn();
    if (this.seen("note.toPropose") && this.editor.useProposal() && drawn) this.offerUndo(t("note.replaced"), drawn);
  }

  /** True if the slice may be skipped now: one with a label would keep it. */
  get maySkip(): boolean {
    const { task } = this.editor;
    if (!this.seen("note.toSkip")) return false;
    if (task!.label !== null) this.say("info", t("error.labelled", { item: itemName(task!.item) }));
    return task!.label === null;
  }

  /** Offers back what was there before; what a person has drawn is kept in this browser until then. */
  protected offerUndo(text: string, before: Uint8Array, drawn = true): void {
    const task = this.editor.task!;
    if (drawn) this.drafts.keepAside(task.item, task.width, task.height, before);
    this.say("info", text, { text: t("note.bringBack"), run: () => {
      if (this.editor.task !== task || !this.free() || !this.editor.give(before)) return;
      if (drawn) this.drafts.forget(task.item);
      this.dismiss();
    } });
  }

  /** Opens a slice and draws what was kept of it; what is drawn there by now is kept in turn. */
  async bringBack(item: string): Promise<void> {
    if (this.editor.task?.item !== item) await this.open(item);
    const { task } = this.editor, kept = task?.item === item ? this.drafts.keptOf(item, task.width, task.height) : null;
    if (!task || !kept || !this.free()) return;
    const drawn = this.drawn();
    if (!this.editor.give(kept)) return;
    if (drawn && !same(drawn, kept)) this.drafts.keepAside(item, task.width, task.height, drawn);
    else this.drafts.forget(item);
    this.say("info", t("note.isBack"));
  }

  /** Takes a reading, what both have, or what either has, into the drawing. */
  choose(choice: Choice): void {
    const r = this.readings;
    if (!r || !this.seen("note.toTake")) return;
    const { first: a, second: b } = r;
    const takes = { first: a, second: b, union: a.map((v, i) => v || b[i]), common: a.map((v, i) => (v === b[i] ? v : 0)) };
    const drawn = this.drawn(), own = drawn && !Object.values(takes).some((take) => same(take, drawn));
    if (!this.editor.give(takes[choice])) return;
    this.editor.touched = true;
    if (drawn && own) this.offerUndo(t("note.replacedTaken"), drawn);
    this.tell();
  }

  /** Saves the mask, or an empty one in its place: what was drawn is then kept aside. */
  private save(action: string): Promise<void> {
    return this.exclusive(async () => {
      const e = this.editor, task = e.task!;
      const proposal = task.proposal ? task.model : null;
      const drawn = action === "empty" && !e.isEmpty && !e.isProposal ? e.labels.slice() : null;
      const labels = action === "empty" ? new Uint8Array(e.labels.length) : e.labels.slice();
      // a second reader begins without the first reading
      const base = task.purpose === "reading" || task.purpose === "adjudication" ? null : this.base;
      let reply: Saved;
      try {
        reply = await this.drafts.end(task.item, () => api.saveLabel(task.item, labels, this.clock.seconds(), action, proposal, base));
      } catch (error) {
        await this.showUnseen(error, task, "note.outlined");
        return;
      }
      e.touched = false;
      if (reply.labelled) task.label = this.base = reply.version;
      if (drawn) this.drafts.keepAside(task.item, task.width, task.height, drawn);
      this.shapes.labelled(task, labels);
      await this.show(await this.shape(task) ?? reply.next ?? await api.next(task.item));
      this.say("info", told(task.item, action, reply), drawn ? { text: t("note.bringDrawing"), run: () => this.bringBack(task.item) } : undefined);
    });
  }

  /** The next slice of the case with a shape between labelled ones that the person has asked for. */
  private async shape(task: Task): Promise<Task | null> {
    const next = this.shapes.next(task.case, task.slice);
    return next === null ? null : api.task(itemOf(task.case, next));
  }

  skip(reason: string): Promise<void> {
    return this.exclusive(async () => {
      const { editor } = this, task = editor.task!, drawn = editor.touched && !editor.isEmpty ? editor.labels.slice() : null;
      await this.drafts.end(task.item, () => api.skip(task.item, reason, this.clock.seconds()));
      if (drawn) this.drafts.keepAside(task.item, task.width, task.height, drawn);
      this.shapes.drop(task.case, task.slice);
      await this.show(await this.shape(task) ?? await api.next(task.item));
      this.say("info", t("note.skipped", { item: itemName(task.item) }), drawn ? { text: t("note.bringDrawing"), run: () => this.bringBack(task.item) } : undefined);
    });
  }

  restore(version: number): Promise<void> {
    return this.exclusive(async () => {
      const { editor } = this, task = editor.task!, drawn = editor.touched && !editor.isEmpty ? editor.labels.slice() : null;
      try {
        await this.drafts.end(task.item, () => api.restore(task.item, version, task.label ?? 0));
      } catch (error) {
        await this.showUnseen(error, task, "note.outlinedRestore");
        return;
      }
      if (drawn) this.drafts.keepAside(task.item, task.width, task.height, drawn);
      await this.show(await api.task(task.item), true);
      this.say("info", t("note.restored", { version, item: itemName(task.item) }), drawn ? { text: t("note.bringDrawing"), run: () => this.bringBack(task.item) } : undefined);
    });
  }

  /** Opens the neighbour that is shown, to label it. */
  editNeighbour(): Promise<void> {
    const { task, context } = this.editor;
    return task && context ? this.open(itemOf(task.case, context.slice)) : Promise.resolve();
  }

  /** True if closing the page now could lose something. */
  get unsafe(): boolean {
    const { drafts, editor } = this;
    if (this.closed) return false; // nothing more is sent: what was drawn is in this browser
    return editor.inStroke || (editor.touched && (drafts.state === "pending" || drafts.state === "browser only"));
  }

  private keep(): void {
    const { task, labels } = this.editor;
    if (this.note?.kind === "info" && !this.note.action) this.dismiss();
    if (task) this.drafts.keep(task.item, task.width, task.height, labels, this.clock.seconds(), this.base);
  }

  /** Shows the label that a request would have replaced unseen, with what to do: asked for once more, it is replaced. Other errors go on. */
  private async showUnseen(error: unknown, task: Task, what: Key): Promise<void> {
    if (!(error instanceof ApiError) || error.code !== "saved-meanwhile") throw error;
    const now = await api.task(task.item);
    if (now.label === null) throw error;
    await this.showNewer(now.label, `${error.message} ${t(what)}`);
    this.base = now.label;
  }

  /** Shows a label that was saved since the drawing began as an outline beside it, and offers to take it. */
  private async showNewer(version: number, text: string): Promise<void> {
    const task = this.editor.task!, labels = new Uint8Array(await binary(paths.version(task.item, version)));
    task.label = version;
    this.editor.compare([{ name: t("versions.name", { version }), version, labels, color: "#ffe14d", dash: [2, 3] }]);
    this.say("warning", text, { text: t("note.take", { version }), run: () => {
      if (this.editor.task !== task || !this.seen("note.toTake")) return;
      const drawn = this.drawn(), { base } = this;
      this.base = version; // of the draft that taking it makes
      if (!this.editor.give(labels)) {
        this.base = base;
        return;
      }
      if (drawn) this.offerUndo(t("note.replacedTaken"), drawn);
      else this.dismiss();
    } });
  }

  private async leave(): Promise<void> {
    const { task, touched } = this.editor;
    clearInterval(this.holding);
    if (!task) return;
    if (touched) await this.drafts.flush();
    else if (task.lease?.person === this.person) await api.release(task.item); // others may have it
  }

  /** The page closes: others may have the slice at once, unless something is drawn on it. */
  closing(): void {
    const { task, touched } = this.editor;
    if (task && !touched && !this.closed && task.lease?.person === this.person) api.releaseAtOnce(task.item);
  }

  /** Ends what goes on by itself, before the page is loaded anew for another person or project. */
  close(): void {
    this.closed = true;
    clearInterval(this.holding);
    this.drafts.close();
  }

  /** Keeps the slice for this person while they work on it. */
  private hold(task: Task): void {
    clearInterval(this.holding);
    if (task.lease && task.lease.person !== this.person) return;
    if (!task.lease) void api.hold(task.item).then((lease) => {
      task.lease = lease;
      this.tell();
    }, () => {}); // somebody else was quicker: saving says so
    this.holding = setInterval(() => {
      if (!document.hidden && this.clock.idle < 60) void api.hold(task.item).catch(() => {});
    }, 120_000);
  }

  private async show(task: Task | null | undefined, fresh = false): Promise<void> {
    this.back();
    if (!task) {
      clearInterval(this.holding);
      this.readings = null;
      this.editor.close();
      this.drafts.opened("none");
      this.status = { kind: "finished" };
      this.address("#/");
      void this.refreshQueue();
      return;
    }
    const size = task.width * task.height;
    const own = fresh ? null : this.drafts.load(task.item, task.width, task.height);
    const unsent = own && !own.onServer ? own : null;
    const get = (path: string) => this.ahead.get(path);
    const readings = task.purpose === "adjudication" && !unsent && !task.draft ? await this.readingsOf(task.item) : null;
    if (this.editor.task?.case !== task.case) this.editor.channel = Math.min(this.editor.channel, Math.max(0, (task.channels?.length ?? 1) - 1));
    const channels = settings.sideBySide && (task.channels?.length ?? 0) > 1 ? task.channels!.map((_, n) => n) : [this.editor.channel];
    // masks that people change are never taken from what was loaded ahead
    const [loaded, proposed, uncertainty, stored] = await Promise.all([
      Promise.all(channels.map((channel) => get(paths.image(task!.case, task!.slice, channel)))),
      task.proposal ? get(modelPath(paths.proposal(task.item), task.model)) : null,
      task.uncertainty ? get(modelPath(paths.uncertainty(task.item), task.model)) : null,
      readings ? null : task.draft ? binary(paths.draft(task.item)) : unsent ? null : task.label !== null ? binary(paths.label(task.item)) : null,
    ]);
    // a new model may have come between the task and its proposal
    const proposal = proposed && proposed.data;
    if (proposed) task = { ...task, model: proposed.model ?? task.model };
    const images: Array<Float32Array | null> = [];
    channels.forEach((channel, n) => (images[channel] = new Float32Array(loaded[n].data)));
    for (const [what, data, want] of [...loaded.map((l) => ["what.image", l.data, 4 * size] as const), ["what.proposal", proposal, size], ["what.uncertainty", uncertainty?.data, 4 * size], ["what.mask", stored, size]] as const) {
      if (data && data.byteLength !== want) throw new ApiError(0, t("fault.bytes", { what: t(what), item: itemName(task.item), bytes: data.byteLength, want }));
    }
    await this.resumeShapes(task);
    if (task.label !== null || task.skipped) this.shapes.drop(task.case, task.slice);
    const shape = readings ? null : this.shapes.at(task.case, task.slice);
    const begun = shape ?? (proposal && !task.outline && !readings ? new Uint8Array(proposal.slice(0)) : new Uint8Array(size));
    // of two drafts the one that was drawn last is shown, and the other is kept, unless it is only what this browser sent before it drew on
    const server = unsent && task.draft && stored ? new Uint8Array(stored) : null;
    const came = task.drafts?.find((d) => d.person === this.person)?.when;
    const mine = unsent && server && cameAfter(came, unsent.when) ? null : unsent;
    const elsewhere = unsent?.sent === undefined || cameAfter(came, unsent.sent);
    const other = unsent && server && elsewhere && !same(unsent.labels, server) ? (mine ? server : unsent.labels) : null;
    const kept = other && this.drafts.keepAside(task.item, task.width, task.height, other);
    if (unsent && !mine && kept !== false) this.drafts.drop(task.item);
    const drawn = mine ? mine.labels : stored ? new Uint8Array(stored) : begun;
    const draft = mine !== null || task.draft;
    this.base = mine ? mine.base : task.draft ? task.draft_base ?? 0 : task.label ?? 0;
    this.readings = readings;
    this.editor.open(task, { images, labels: drawn, proposal: proposal && new Uint8Array(proposal), uncertainty: uncertainty && new Float32Array(uncertainty.data) }, draft);
    this.openedAt = performance.now();
    setTimeout(() => this.tell(), deafFor + 1);
    this.hold(task);
    this.clock.reset(own?.seconds ?? 0);
    this.drafts.opened(draft ? (mine ? "browser only" : "saved") : "none");
    if (mine) this.keep(); // goes on to the server
    if (!this.visited.includes(task.item)) this.visited.push(task.item);
    this.status = { kind: "ready" };
    this.address(`#/item/${encodeURIComponent(task.item)}`);
    const others = task.drafts?.filter((d) => d.person !== this.person) ?? [];
    if (readings) {
      this.editor.compare([
        { name: t("reading.name", { letter: "A", who: readings.names[0] }), labels: readings.first, color: "#ffe14d", dash: [] },
        { name: t("reading.name", { letter: "B", who: readings.names[1] }), labels: readings.second, color: "#7fd4ff", dash: [6, 4] },
      ]);
      this.say("info", t("note.readDifferently", { a: readings.names[0], b: readings.names[1] }));
    } else if (task.lease && task.lease.person !== this.person) this.say("warning", t("note.working", { who: task.lease.person }));
    else if (task.label !== null && task.label > this.base) await this.showNewer(task.label, t("note.newer", { version: task.label }));
    else if (kept) this.say("info", t("note.twoDrafts"), { text: t("note.bringDrawing"), run: () => this.bringBack(task!.item) });
    else if (others.length > 0) this.say("warning", t("note.began", { who: others.map((d) => d.person).reduce((a, b) => t("note.and", { a, b })) }));
    else if (task.purpose === "correction" && task.review) this.say("warning", t("note.sentBack", { who: task.review.who, note: task.review.note }));
    else if (draft) this.say("info", t("note.draftBack"));
    else if (this.note?.kind !== "error") this.note = null;
    performance.measure("open", { start: this.asked }); // for the browser's performance timeline, and the tests
    this.tell();
    void this.loadAhead(task);
  }

  /** Writes where we are into the address bar, unless the person is on another page by now. */
  private address(hash: string): void {
    if (parseRoute(location.hash).page === "editor") history.replaceState(null, "", hash);
  }

  /** The server told of a change: if we were waiting for slices, look whether there are any. */
  async wake(): Promise<void> {
    await this.refreshQueue();
    if (this.status.kind === "finished" && this.queue.some((q) => q.state === "waiting" || q.state === "disputed")) await this.next();
  }

  /** Shows the outline of an earlier version beside the mask, or hides it. */
  async compare(version: number | null): Promise<void> {
    const task = this.editor.task!;
    if (version === null) return this.editor.compare([]);
    try {
      const labels = new Uint8Array(await binary(paths.version(task.item, version)));
      if (this.editor.task?.item === task.item) this.editor.compare([{ name: t("versions.name", { version }), version, labels, color: "#ffe14d", dash: [2, 3] }]);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Asks for an independent second label by somebody else. */
  readAgain(): Promise<void> {
    return this.exclusive(async () => {
      const { item } = this.editor.task!;
      await api.read2(item);
      this.say("info", t("note.read2", { item: itemName(item) }));
    });
  }

  private async readingsOf(item: string): Promise<Readings | null> {
    const all = ((await api.versions(item)) ?? []).sort((a, b) => b.version - a.version);
    const first = all.find((v) => v.reading === 1) ?? all.find((v) => v.reading === 0), second = all.find((v) => v.reading === 2);
    if (!first || !second) return null;
    const [one, two] = await Promise.all([first, second].map((v) => binary(paths.version(item, v.version))));
    return { first: new Uint8Array(one), second: new Uint8Array(two), names: [first.who, second.who] };
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
    for (const near of [task.slice - 1, task.slice + 1]) if (near >= 0 && near < task.slices) this.loadImages(task.case, near);
    await this.refreshQueue();
    const coming = this.queue.filter((q) => q.item !== task.item && q.rank > 0 && (q.state === "waiting" || (q.state === "leased" && q.person === this.person)));
    for (const entry of coming.sort((a, b) => a.rank - b.rank).slice(0, 2)) {
      const { case: id, slice } = splitItem(entry.item);
      this.loadImages(id, slice);
      if (entry.purpose === "validation") continue; // shown without a proposal
      if (task.proposal) this.ahead.load(modelPath(paths.proposal(entry.item), task.model));
      if (task.uncertainty) this.ahead.load(modelPath(paths.uncertainty(entry.item), task.model));
    }
  }
}

/** What to tell a person about a saved mask. */
function told(item: string, action: string, saved: Saved): string {
  const values = { item: itemName(item), dice: fraction(saved.agreement), version: saved.version };
  if (saved.agreement !== null && saved.agreement !== undefined) {
    return t(saved.labelled ? "note.agree" : "note.differ", values);
  }
  if (!saved.labelled) return t("note.reading", values);
  return t(action === "empty" ? "note.savedEmpty" : action === "accepted" ? "note.savedAccepted" : "note.savedDrawn", values);
}

/** A path whose content changes with the model, made different for each. */
function modelPath(path: string, model: number | null): string {
  return model === null ? path : `${path}${path.includes("?") ? "&" : "?"}model=${model}`;
}
