// What a person has set up, kept in the browser.

import type { Convention } from "./editor/view";

export interface Settings {
  theme: "system" | "light" | "dark";
  /** Of the texts; "" is that of the browser. */
  language: string;
  /** Right-drag: window and level, or zoom as in OHIF and 3D Slicer. */
  mouse: "window" | "zoom";
  convention: Convention;
  /** Whether the three-plane viewer is open; null: where a graphics card draws it. */
  viewer: boolean | null;
  brush: number;
  opacity: number;
  uncertaintyOpacity: number;
  smooth: boolean;
  /** All channels of a case at once. */
  sideBySide: boolean;
}

const defaults: Settings = {
  theme: "system", language: "", mouse: "window", convention: "radiological", viewer: null, brush: 9, opacity: 0.3, uncertaintyOpacity: 0.8, smooth: true, sideBySide: true,
};
const key = "nextslice/settings";

function load(): Settings {
  try {
    return { ...defaults, ...JSON.parse(localStorage.getItem(key) ?? "{}") };
  } catch {
    return { ...defaults };
  }
}

export const settings: Settings = load();

export function change(values: Partial<Settings>): void {
  Object.assign(settings, values);
  try {
    localStorage.setItem(key, JSON.stringify(settings));
  } catch {
    // a full or forbidden storage: the setting holds until the page closes
  }
}

export function applyTheme(): void {
  const dark = settings.theme === "dark" || (settings.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
