// Windows: which values are black and which are white, per channel, and what is kept of them from case to case.

import type { Task } from "../api";
import { t, type Key } from "../texts";
import type { Window } from "./layers";

/** The name says where a window comes from, in one language: it is kept. */
export interface Shown extends Window { name: string }

const names: Record<string, Key> = {
  auto: "window.auto", manual: "window.manual", "in view": "window.inView", file: "window.file",
  "soft tissue": "window.softTissue", lung: "window.lung", bone: "window.bone", brain: "window.brain", liver: "window.liver",
};

/** A window's name as people read it; those of files are as the files have them. */
export function windowName(name: string): string {
  const nth = /^file (\d+)$/.exec(name)?.[1];
  return names[name] ? t(names[name]) : nth ? t("window.fileN", { n: nth }) : name;
}

/** Windows for CT, in Hounsfield units. */
export const ctWindows: Shown[] = [
  ["soft tissue", 400, 40], ["lung", 1500, -600], ["bone", 2500, 480], ["brain", 80, 40], ["liver", 150, 30],
].map(([name, width, level]) => ({ name: name as string, low: (level as number) - (width as number) / 2, high: (level as number) + (width as number) / 2 }));

/** A window that is wide enough to show. */
export function proper({ low, high }: Window): Window {
  return { low, high: Math.max(high, low + Math.max(1e-6, Math.abs(low) * 1e-6)) };
}

export function automatic({ low, high }: Window): Shown {
  return high > low ? { low, high, name: "auto" } : { low: low - 0.5, high: low + 0.5, name: "auto" };
}

/** The window from the 1st to the 99th percentile of values, of at most some ten thousand of them; null if they are all alike. */
export function fitting(values: Iterable<number>): Window | null {
  const sorted = [...values].filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const at = (p: number) => sorted[Math.round(p * (sorted.length - 1))];
  const [low, high] = at(0.01) < at(0.99) ? [at(0.01), at(0.99)] : [at(0), at(1)];
  return low < high ? { low, high } : null;
}

/** CT values mean the same in every case; those of other images only beside their own automatic window. */
export function isCT(task: Task, channel: number): boolean {
  const window = task.channels?.[channel]?.window ?? task.window;
  return task.modality ? task.modality === "CT" : window.low < -150 && window.high > 0 && window.low >= -1100;
}

interface Kept extends Shown { relative: boolean }

/** What a person has set, by project, modality and channel. */
export class Windows {
  private readonly kept: Record<string, Kept>;

  constructor(private readonly key: string) {
    this.kept = read(key);
  }

  private name(task: Task, channel: number): string {
    return `${isCT(task, channel) ? "CT" : task.modality}/${task.channels?.[channel]?.name ?? ""}`;
  }

  /** The window that a case is shown with first. */
  first(task: Task, channel: number): Shown {
    const auto = automatic(task.channels?.[channel]?.window ?? task.window), kept = this.kept[this.name(task, channel)];
    if (!kept || kept.name === "auto") return auto;
    if (!kept.relative) return { low: kept.low, high: kept.high, name: kept.name };
    const width = auto.high - auto.low;
    return { low: auto.low + kept.low * width, high: auto.low + kept.high * width, name: kept.name };
  }

  keep(task: Task, channel: number, { low, high, name }: Shown): void {
    const relative = !isCT(task, channel), auto = automatic(task.channels?.[channel]?.window ?? task.window), width = auto.high - auto.low;
    this.kept[this.name(task, channel)] = relative ? { low: (low - auto.low) / width, high: (high - auto.low) / width, name, relative } : { low, high, name, relative };
    try {
      localStorage.setItem(this.key, JSON.stringify(this.kept));
    } catch {
      // a full or forbidden storage: it holds until the page closes
    }
  }
}

function read(key: string): Record<string, Kept> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}") ?? {};
  } catch {
    return {};
  }
}
