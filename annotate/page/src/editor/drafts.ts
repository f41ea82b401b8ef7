// Unfinished masks, kept in this browser at once and on the server soon after.

import { api, serverTime } from "../api";
import { decode, encode } from "./rle";

/** base is the newest version of the label that the person knew, 0 for none: it is that of the save which the draft ends in. when it was drawn, and when the server last took a draft of this slice from this browser, is by the server's clock, ms. */
export interface Draft { labels: Uint8Array; seconds: number; onServer: boolean; when: number; sent?: number; base: number }

interface Stored { width: number; height: number; runs: string; seconds: number; onServer: boolean; when: number; sent?: number; base?: number }

export type DraftState = "none" | "pending" | "saved" | "browser only";

/** So much may two clocks differ, ms: the server tells its time in whole seconds, and its answer is on its way for a while. */
const slack = 5000;
/** How long after the last stroke the draft goes to the server. */
const delay = 1000;
/** Drafts of slices that nobody came back to are forgotten after this long. */
const forget = 30 * 24 * 3600 * 1000;
const prefix = "nextslice/draft/", asidePrefix = "nextslice/aside/";
/** Masks of more voxels go to the browser's storage when the person pauses: writing them takes longer than a frame. */
const large = 1 << 20;

/** Whose drafts they are: of one person in one project, whatever either is called. */
export function owner(project: string, person: string): string {
  return `${project}/${person.replaceAll("%", "%25").replaceAll("/", "%2F")}`;
}

/** Whether the server's draft, of such a time, came after a time by the server's clock, ms. */
export function cameAfter(server: string | undefined, when: number): boolean {
  return Date.parse(server ?? "") > when + slack;
}

export class Drafts {
  state: DraftState = "none";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waiting: { item: string; labels: Uint8Array; base: number } | null = null;
  private ending = false;
  private closed = false;
  private later: { run: () => void; timer: ReturnType<typeof setTimeout> } | null = null;
  private sending: Promise<void> = Promise.resolve();

  constructor(private readonly owner: string, private readonly changed: () => void) {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(prefix) && !key.startsWith(asidePrefix)) continue;
      const stored = parse(localStorage.getItem(key));
      if (!stored || Date.now() - stored.when > forget) localStorage.removeItem(key);
    }
  }

  private key(item: string): string {
    return `${prefix}${this.owner}/${item}`;
  }

  /** Keeps a draft: in the browser before it returns, if it is not a large one, and on the server later. It is the mask as it is now, whatever becomes of the array. */
  keep(item: string, width: number, height: number, drawn: Uint8Array, seconds: number, base: number): void {
    const labels = drawn.slice(), when = serverTime();
    const store = () => this.store(item, { width, height, runs: encode(labels), seconds, onServer: false, when, sent: parse(localStorage.getItem(this.key(item)))?.sent, base });
    if (this.later) clearTimeout(this.later.timer);
    this.later = null;
    if (labels.length <= large) store();
    else this.later = { run: store, timer: setTimeout(() => this.storeNow(), delay / 4) };
    this.waiting = { item, labels, base };
    this.flushIn(delay);
    this.set("pending");
  }

  private flushIn(milliseconds: number): void {
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(() => void this.flush(), milliseconds);
  }

  /** Sends no draft any more. What waits stays in this browser, as one that the server does not have. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.storeNow();
  }

  private storeNow(): void {
    const { later } = this;
    this.later = null;
    if (!later) return;
    clearTimeout(later.timer);
    later.run();
  }

  /** Sends what waits to the server. True if nothing is left that only this browser has. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer);
    this.storeNow();
    await this.sending;
    const draft = this.waiting;
    if (!draft) return this.state !== "browser only";
    if (this.ending || this.closed) return false;
    this.waiting = null;
    let done!: () => void;
    this.sending = new Promise((resolve) => (done = resolve));
    try {
      await api.saveDraft(draft.item, draft.labels, draft.base);
      const stored = parse(localStorage.getItem(this.key(draft.item)));
      if (stored) this.store(draft.item, { ...stored, onServer: !this.waiting, sent: serverTime() });
      if (!this.waiting) this.set("saved");
      return true;
    } catch {
      this.waiting ??= draft;
      this.set("browser only");
      this.flushIn(5 * delay);
      return false;
    } finally {
      done();
    }
  }

  /** The draft that this browser keeps of an item, null if it has none that fits. */
  load(item: string, width: number, height: number): Draft | null {
    const stored = parse(localStorage.getItem(this.key(item)));
    if (!stored || stored.width !== width || stored.height !== height) return null;
    const labels = decode(stored.runs, width * height);
    return labels && { labels, seconds: stored.seconds, onServer: stored.onServer, when: stored.when, sent: stored.sent, base: stored.base ?? 0 };
  }

  /**
   * Does what ends the draft of an item: saves, skips or restores it. The draft is forgotten if that succeeds. None is sent meanwhile, and one on
   * its way arrives before: the server would take it for one of the next version.
   */
  async end<T>(item: string, action: () => Promise<T>): Promise<T> {
    clearTimeout(this.timer);
    this.ending = true;
    try {
      await this.sending;
      const done = await action();
      if (this.later) clearTimeout(this.later.timer);
      this.later = null;
      if (this.waiting?.item === item) this.waiting = null;
      this.drop(item);
      this.set("none");
      return done;
    } finally {
      this.ending = false;
      if (this.waiting) this.flushIn(delay);
    }
  }

  /** Forgets the draft that this browser has of an item. */
  drop(item: string): void {
    localStorage.removeItem(this.key(item));
  }

  /** Keeps a drawing that something else has replaced, so that it can be brought back. False if the browser does not take it. */
  keepAside(item: string, width: number, height: number, labels: Uint8Array): boolean {
    try {
      const stored: Stored = { width, height, runs: encode(labels), seconds: 0, onServer: false, when: Date.now() };
      localStorage.setItem(`${asidePrefix}${this.owner}/${item}`, JSON.stringify(stored));
      return true;
    } catch {
      return false; // storage is full or forbidden
    }
  }

  /** The drawing that was kept aside of an item, null if there is none that fits. */
  keptOf(item: string, width: number, height: number): Uint8Array | null {
    const stored = parse(localStorage.getItem(`${asidePrefix}${this.owner}/${item}`));
    return stored && stored.width === width && stored.height === height ? decode(stored.runs, width * height) : null;
  }

  forget(item: string): void {
    localStorage.removeItem(`${asidePrefix}${this.owner}/${item}`);
  }

  /** Tells what is known of a newly opened item's draft. */
  opened(state: DraftState): void {
    this.set(state);
  }

  private store(item: string, stored: Stored): void {
    try {
      localStorage.setItem(this.key(item), JSON.stringify(stored));
    } catch {
      // storage is full or forbidden: the server's draft has to do
    }
  }

  private set(state: DraftState): void {
    if (state === this.state) return;
    this.state = state;
    this.changed();
  }
}

function parse(text: string | null): Stored | null {
  try {
    const stored = JSON.parse(text ?? "null");
    return stored && typeof stored.runs === "string" ? stored : null;
  } catch {
    return null;
  }
}
