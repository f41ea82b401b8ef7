// Numbers and times as text.

import { language, t } from "./texts";

export const minus = "\u2212";

/** A number with so many significant digits, "–" for none. */
export function number(v: number | null | undefined, digits = 3): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  const text = Math.abs(v) >= 10 ** digits ? String(Math.round(v)) : String(Number(v.toPrecision(digits)));
  return text.replace("-", minus);
}

/** A Dice value or another one between 0 and 1, with three decimals. */
export function fraction(v: number | null | undefined): string {
  return v === null || v === undefined || !Number.isFinite(v) ? "–" : v.toFixed(3).replace("-", minus);
}

/** Seconds as "8 s", "2 min 05 s", "1 h 20 min". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor(s / 60) % 60).padStart(2, "0")} min`;
}

/** A point in time, short: the hour today and in the next twelve hours, else the date too. */
export function when(text: string, now = new Date()): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const time = at.toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit" });
  const ahead = at.getTime() - now.getTime();
  return at.toDateString() === now.toDateString() || ahead > 0 && ahead < 12 * 3600_000 ? time : `${at.toLocaleDateString(language(), { year: "numeric", month: "2-digit", day: "2-digit" })} ${time}`;
}

/** An item as people name it, as "Case12, slice 18". */
export function itemName(item: string): string {
  const cut = item.lastIndexOf("/");
  return cut < 0 ? item : t("item", { case: item.slice(0, cut), slice: Number(item.slice(cut + 1)) + 1 });
}

/** A slice as the page counts them, from 1; items, files and the API count from 0. */
export function sliceName(slice: number): string {
  return t("slice", { slice: slice + 1 });
}

export function upper(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

/** A class as people name it. What the server calls background and unsure has a name in each language. */
export function className(value: number, classes: Array<{ value: number; name: string }>): string {
  const name = classes.find((c) => c.value === value)?.name;
  if (value === 0 && (name === undefined || name === "background")) return t("class.background");
  if (value === 255 && name === "unsure") return t("class.unsure");
  return name ?? t("class.unnamed", { value });
}
