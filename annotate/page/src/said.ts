// What the server says, in the person's language.

import { fraction, itemName, number } from "./format";
import { language, languages, t, type Key } from "./texts";
import { en } from "./texts/en";

/** What the server says, as a code with values. */
export interface Said { code?: string; values?: Record<string, string | number> | null }

function known(key: string): key is Key {
  return Object.hasOwn(languages[language()], key);
}

/** What was done to a label, as the server names it. */
export function actionName(action: string): string {
  const key = `action.${action}`;
  return known(key) ? t(key) : action;
}

/** Why a slice is skipped. The server keeps the English text, before what the person adds, so that reasons can be counted. */
export const skipReasons = ["skip.border", "skip.artefact", "skip.outside", "skip.kind", "skip.other"] as const satisfies Key[];

/** A reason as the server has it, in the person's language; what a person has written themselves stays as it is. */
export function skipReason(stored: string): string {
  const key = skipReasons.find((k) => stored === en[k] || stored.startsWith(`${en[k]}: `));
  return key ? t(key) + stored.slice(en[key].length) : stored;
}

/** A value as it stands in a sentence: names that the server has for things become words. */
function shown(name: string, value: string | number): string | number {
  if (name === "item" && typeof value === "string" && /\/\d{3,}$/.test(value)) return itemName(value);
  if (name === "action") return actionName(String(value));
  if (name === "status") return known(`status.${value}`) ? t(`status.${value}` as Key) : value;
  if (name === "use") return known(`queue.${value}`) ? t(`queue.${value}` as Key) : value;
  if (typeof value !== "number") return value;
  if (name === "gain") return `${value >= 0 ? "+" : ""}${fraction(value)}`;
  if (["dice", "before", "rise", "agreement"].includes(name)) return fraction(value);
  return Number.isInteger(value) ? value : number(value);
}

/** The key of a message's sentence: of an error, or of what is told else. null for a code that the page does not know. */
function keyOf(message: Said | null | undefined): Key | null {
  return [`error.${message?.code}`, `told.${message?.code}`].find(known) ?? null;
}

/** A message of the server in the person's language; of a code that the page does not know, the server's own English sentence. */
export function said(message: Said | null | undefined, sentence: string): string {
  const key = keyOf(message);
  if (key === null) return sentence;
  const values = Object.fromEntries(Object.entries(message!.values ?? {}).map(([name, value]) => [name, shown(name, value)]));
  if (key.startsWith("error.") && typeof message!.values?.dice === "number") values.dice = message!.values.dice.toFixed(2);
  return t(key, values);
}

/** Sentences of the server's, one after another; if the page does not know one of them, or there are none, the server's own English text. */
export function told(messages: Said[] | null | undefined, text: string, between = " "): string {
  if (!messages?.length || messages.some((m) => keyOf(m) === null)) return text;
  return messages.map((m) => said(m, "")).join(between);
}

/** Texts of the server's, each with its code. */
export function saidEach(messages: Said[] | null | undefined, texts: string[] | null | undefined): string[] {
  return (texts ?? []).map((text, i) => said(messages?.[i], text));
}
