// The server's API as the page uses it. See docs/reference/openapi.json.

import type { Letters } from "./editor/view";
import { said, type Said } from "./said";
import { t } from "./texts";

export interface Class { value: number; name: string; color: string }

export interface Training { running: boolean; phase: string; step: number; steps: number; epoch: number; epochs: number; loss: number; seconds_left: number }

export interface Project {
  /** Its identity: what the browser keeps for the project is kept under it. */
  id: string;
  name: string;
  classes: Class[];
  axis: number;
  items: number;
  labelled: number;
  skipped: number;
  queue: number;
  /** Items whose two readings differ: an adjudicator decides. */
  disputed: number;
  people: Array<{ name: string; role: string; labelled: number; minutes: number }> | null;
  model: { version: number; validation_dice: number | null; labelled: number } | null;
  training: Training | null;
  stop: { suggested: boolean; reason: string; said?: Said[] | null } | null;
  strategy: string;
  query_size: number;
  /** Labels that are missing until the first training; null once there is a model, or if none is trained. */
  until_model?: number | null;
  /** What people should know of the data. */
  warnings?: string[] | null;
  /** What is wrong and lasts, such as a disk that is full. */
  problems: string[] | null;
  /** Both as codes. */
  warnings_said?: Said[] | null;
  problems_said?: Said[] | null;
}

export interface CaseState {
  case: string;
  use: "training" | "validation";
  slices: number;
  labelled: number;
  skipped: number;
  waiting: number;
  proposed: number;
  done: boolean;
  next: number | null;
  problem?: string;
  problem_why?: Said | null;
}

export type ReviewStatus = "accepted" | "rejected" | "discuss" | "returned";

/** How far the review of a case is. */
export interface ReviewedCase { case: string; slices: number; labelled: number; waiting: number; accepted: number; rejected: number; discuss: number; returned: number }

export interface ReviewNote { version: number; who: string; when: string; status: ReviewStatus; note: string }

/** A label with its newest review, which may be of an earlier version; status is that of the label as it is now. */
export interface ReviewedItem { item: string; version: number; who: string; when: string; action: string; status: ReviewStatus | ""; last: ReviewNote | null }

export interface DraftEntry { item: string; person: string; when: string }

export interface Lease { person: string; until: string }

export interface Task {
  item: string;
  case: string;
  slice: number;
  slices: number;
  height: number;
  width: number;
  /** Voxel size [row, column]. */
  spacing: [number, number];
  unit: string;
  orientation: Letters;
  /** "CT", "MR" … as the file's header has it; "" where it does not say. */
  modality: string;
  /** Windows of the file's header. */
  presets?: Array<{ name: string; low: number; high: number }> | null;
  position_mm: number;
  /** From this slice to the next. */
  step_mm: number;
  window: { low: number; high: number };
  /** The channels of the case, if the project reads several. */
  channels?: Array<{ name: string; window: { low: number; high: number } }> | null;
  score: number | null;
  rank: number | null;
  /** Why it is in the queue: "" outside the queue. */
  purpose: "training" | "validation" | "reading" | "correction" | "adjudication" | "";
  proposal: boolean;
  /** The proposal is shown as an outline only: its model has not been shown to be good enough to draw with. */
  outline?: boolean;
  /** Why there is no proposal, or only an outline of it. */
  proposal_note?: string;
  /** The same as a code. */
  proposal_why?: Said | null;
  uncertainty: boolean;
  /** Newest saved version, null if the slice is not labelled. */
  label: number | null;
  draft: boolean;
  /** The newest version of the label that the person knew when they drew the draft, 0 for none. */
  draft_base?: number;
  lease: Lease | null;
  /** Unfinished masks of the slice. */
  drafts?: Array<{ person: string; when: string }> | null;
  /** Version of the model that made the proposal. */
  model: number | null;
  skipped: boolean;
  /** The newest review of the slice. */
  review?: ReviewNote | null;
  /** Slices of the same case. */
  labelled_slices: number[] | null;
  queued_slices: number[] | null;
}

export interface Version {
  version: number;
  who: string;
  when: string;
  seconds: number;
  action: string;
  proposal: number | null;
  dice_to_proposal: number | null;
  /** 1 or 2 for one of two independent readings, else 0. */
  reading: number;
  /** Dice of two readings. */
  agreement: number | null;
}

export interface QueueEntry {
  item: string;
  /** Place in the queue from 1, 0 for what is done. */
  rank: number;
  score: number | null;
  state: "waiting" | "leased" | "disputed" | "done" | "skipped" | "withdrawn";
  purpose: "training" | "validation" | "reading" | "correction";
  person: string | null;
  until: string | null;
}

export interface Saved { version: number; labelled: boolean; agreement: number | null; next?: Task | null }

export interface Curves {
  cycles: Array<{ cycle: number; labelled: number; minutes: number; validation_dice: number | null; proposal_dice: number | null }> | null;
  labels: Array<{ n: number; item: string; dice_to_proposal: number | null; seconds: number }> | null;
  /** The validation labels behind the Dice of every model. */
  judged?: { labels: number; foreground: number; cases: number };
  forecast: { next_labels: number; gain: number | null; text: string; said?: Said[] | null } | null;
}

export interface Model { version: number; cycle: number; labelled: number; validation_dice: number | null; in_use: boolean; reason: string; said?: Said[] | null; when: string }

/** One line of the audit log; what and said are action and detail as codes. */
export interface LogEntry { when: string; person: string; action: string; item: string; detail: string; what?: Said | null; said?: Said[] | null }

export class ApiError extends Error {
  /** code is what is wrong, for programs. */
  constructor(readonly status: number, message: string, readonly code = "") {
    super(message);
  }
}

export const root = "/api/v1";

let meant = "";

/**
 * Says which project and which person the page belongs to, once: for another one it is loaded anew. Every request names both, so that a server of
 * another project at this address, or one that takes us for somebody else, refuses it.
 */
export function belong(project: string, person: string): void {
  meant = new URLSearchParams({ for_project: project, for_person: person }).toString();
}

/** The address of a path of the API. */
export function address(path: string): string {
  return root + path + (meant && (path.includes("?") ? "&" : "?") + meant);
}

/** Called when the server no longer knows who we are. */
export const onLoggedOut: { call: () => void } = { call: () => {} };

/** Called when another project, or another person, answers to what this page asks; text says which. */
export const onForeign: { call: (text: string) => void } = { call: () => {} };

let ahead = 0;

/** The time by the server's clock, ms: what several computers have drawn is compared by it. */
export const serverTime = (): number => Date.now() + ahead;

async function send(method: string, path: string, body?: BodyInit | null, type?: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address(path), { method, body, headers: type ? { "Content-Type": type } : undefined });
  } catch {
    throw new ApiError(0, t("fault.noServer"));
  }
  const date = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isFinite(date)) ahead = date - Date.now();
  if (response.ok) return response;
  let text = response.statusText || t("fault.status", { status: response.status }), code = "";
  try {
    const problem = await response.json();
    code = String(problem.code ?? "");
    text = said(problem, problem.detail || problem.title || text);
  } catch {
    // not a problem document: the status says enough
  }
  if (response.status === 401 && path !== "/login" && path !== "/me") onLoggedOut.call();
  if (code === "other-project" || code === "other-person") onForeign.call(text);
  throw new ApiError(response.status, text, code);
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body === undefined ? null : JSON.stringify(body), body === undefined ? undefined : "application/json");
  return response.status === 204 ? (undefined as T) : response.json();
}

const bytes = "application/octet-stream";
const itemPath = (item: string) => `/items/${encodeURIComponent(item)}`;
const casePath = (id: string) => `/cases/${encodeURIComponent(id)}`;

/** The id of a slice of a case. */
export function itemOf(id: string, slice: number): string {
  return `${id}/${String(slice).padStart(3, "0")}`;
}

/** The case and the slice index that an item's id names. */
export function splitItem(item: string): { case: string; slice: number } {
  const cut = item.lastIndexOf("/");
  return { case: item.slice(0, cut), slice: Number(item.slice(cut + 1)) };
}

export const paths = {
  image: (id: string, slice: number, channel = 0) => `${casePath(id)}/slices/${slice}/image${channel > 0 ? `?channel=${channel}` : ""}`,
  proposal: (item: string) => `${itemPath(item)}/proposal`,
  uncertainty: (item: string) => `${itemPath(item)}/uncertainty`,
  chances: (item: string, label: number) => `${itemPath(item)}/chances?class=${label}`,
  label: (item: string) => `${itemPath(item)}/label`,
  draft: (item: string) => `${itemPath(item)}/draft`,
  /** The labels, or the model's masks, of the preview's voxels. */
  volume: (id: string, what: "label" | "proposal") => address(`${casePath(id)}/${what}.nii.gz?preview=true`),
  /** A small picture of a channel of a case, of eight bits. */
  preview: (id: string, channel: number) => address(`${casePath(id)}/image.nii.gz?preview=true&channel=${channel}`),
  version: (item: string, version: number) => `${itemPath(item)}/versions/${version}/mask`,
  /** rest is what slices without a label hold. */
  export: (format: string, partial: boolean, accepted: boolean, rest: "background" | "ignore" | "prediction") =>
    `/export?format=${format}&partial=${partial}&review=${accepted ? "accepted" : "all"}&fill=${rest === "prediction"}&ignore=${rest === "ignore"}`,
  events: () => address("/events"),
};

/** Raw bytes, and the version of the model that they are from, if they are from one. */
export interface Bytes { data: ArrayBuffer; model: number | null }

export async function bytesOf(path: string): Promise<Bytes> {
  const response = await send("GET", path), model = response.headers.get("X-Model");
  return { data: await response.arrayBuffer(), model: model === null ? null : Number(model) };
}

export async function binary(path: string): Promise<ArrayBuffer> {
  return (await bytesOf(path)).data;
}

/** What the server sends as a file, with the name it gives it. */
export async function file(path: string): Promise<{ name: string; data: Blob }> {
  const response = await send("GET", path);
  const name = /filename="?([^";]+)/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  return { name: name ?? "labels", data: await response.blob() };
}

export const api = {
  login: (name: string, token: string) => json<{ name: string }>("POST", "/login", token ? { name, token } : { name }),
  me: () => json<{ name: string }>("GET", "/me"),
  logout: () => json<void>("POST", "/logout"),
  project: () => json<Project>("GET", "/project"),
  next: (after?: string) => json<Task | undefined>("POST", "/next", after ? { after } : {}),
  task: (item: string) => json<Task>("GET", `/tasks/${encodeURIComponent(item)}`),
  /** base is the newest version of the label that the person knows, 0 for none. */
  saveDraft: async (item: string, labels: Uint8Array, base: number) => {
    await send("PUT", `${paths.draft(item)}?base=${base}`, labels.slice(), bytes);
  },
  /** base likewise: a newer label is not replaced; null skips that check. */
  saveLabel: async (item: string, labels: Uint8Array, seconds: number, action: string, proposal: number | null, base: number | null) => {
    const query = new URLSearchParams({ seconds: seconds.toFixed(1), action });
    if (proposal !== null) query.set("proposal", String(proposal));
    if (base !== null) query.set("base", String(base));
    const response = await send("PUT", `${paths.label(item)}?${query}`, labels.slice(), bytes);
    return response.json() as Promise<Saved>;
  },
  skip: (item: string, reason: string, seconds: number) => json<void>("POST", `${itemPath(item)}/skip`, { reason, seconds }),
  hold: (item: string) => json<Lease>("POST", `${itemPath(item)}/hold`),
  release: (item: string) => json<void>("POST", `${itemPath(item)}/release`),
  /** As the page closes: the browser sends it all the same. */
  releaseAtOnce: (item: string) => void fetch(address(`${itemPath(item)}/release`), { method: "POST", keepalive: true }).catch(() => {}),
  versions: (item: string) => json<Version[] | null>("GET", `${itemPath(item)}/versions`),
  read2: (item: string) => json<void>("POST", `${itemPath(item)}/read2`),
  /** base is the newest version that the person knows, 0 for none: a newer label is not replaced. */
  restore: (item: string, version: number, base: number) => json<void>("POST", `${itemPath(item)}/versions/${version}/restore?base=${base}`),
  reviews: () => json<ReviewedCase[] | null>("GET", "/reviews"),
  caseReviews: (id: string) => json<ReviewedItem[] | null>("GET", `${casePath(id)}/reviews`),
  /** version is the one that the reviewer saw: another label by now is a conflict. */
  review: (item: string, status: ReviewStatus, note: string, version: number) => json<void>("POST", `${itemPath(item)}/review`, { status, note, version }),
  /** versions are those that the reviewer saw, by item: what has another label by now, or a review, is left as it is. */
  reviewCase: (id: string, status: ReviewStatus, note: string, versions: Record<string, number>) => json<{ labels: number }>("POST", `${casePath(id)}/review`, { status, note, versions }),
  cases: () => json<CaseState[] | null>("GET", "/cases"),
  drafts: () => json<DraftEntry[] | null>("GET", "/drafts"),
  queue: () => json<QueueEntry[] | null>("GET", "/queue"),
  history: (limit: number) => json<LogEntry[] | null>("GET", `/history?limit=${limit}`),
  curves: () => json<Curves>("GET", "/curves"),
  models: () => json<Model[] | null>("GET", "/models"),
};
