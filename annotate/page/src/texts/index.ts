// The page's texts in the person's language.

import { change, settings } from "../settings";
import { de } from "./de";
import { en, type Key, type Table } from "./en";
import { es } from "./es";
import { fr } from "./fr";

export type { Key } from "./en";

export const languages = { en, de, fr, es } satisfies Record<string, Table>;

export type Language = keyof typeof languages;

function known(name: string): name is Language {
  return Object.hasOwn(languages, name);
}

/** The first of the browser's languages that the page knows. */
export function preferred(names: readonly string[]): Language {
  return names.map((n) => n.toLowerCase().split("-")[0]).find(known) ?? "en";
}

let current: Language = "en", rules = new Intl.PluralRules(current);
const listeners = new Set<() => void>();

export function language(): Language { return current; }

/** Calls a listener when another language is chosen; returns how to end that. */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function use(name: Language): void {
  current = name;
  rules = new Intl.PluralRules(name);
  document.documentElement.lang = name;
}

/** Begins with the language that was chosen before, or else that of the browser. */
export function startLanguage(): void {
  use(known(settings.language) ? settings.language : preferred(navigator.languages));
}

/** Takes another language and keeps it. */
export function chooseLanguage(name: Language): void {
  change({ language: name });
  use(name);
  listeners.forEach((l) => l());
}

/** The text of a key with values put in; of two texts n says which. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const message: string | readonly string[] | undefined = languages[current][key];
  if (message === undefined) return key; // what only a newer server knows
  const text = typeof message === "string" ? message : message[rules.select(Number(values.n)) === "one" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}
