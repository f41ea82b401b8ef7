// What a person has set up, kept in the browser.

import type { Convention } from "./editor/view";

export interface Settings {
  theme: "system" | "light" | "dark";
  /** Right-drag: window and level, or zoom as in OHIF and 3D Slicer. */
  mouse: "window" | "zoom";
  convention: Convention;
  viewer: boolean;
  brush: number;
  opacity: number;
  smooth: boolean;
}

const defaults: Settings = {
  theme: "system", mouse: "window", convention: "radiological", viewer: true, brush: 9, opacity: 0.3, smooth: false,
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
