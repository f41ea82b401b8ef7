// What the server says, in the person's language.

import { itemName } from "./format";
import { language, languages, t, type Key } from "./texts";

/** What the server says, as a code with values. */
export interface Said { code?: string; values?: Record<string, string | number> }

/** A message of the server in the person's language; of a code that the page does not know, the server's own English sentence. */
export function said(message: Said | null | undefined, sentence: string): string {
  const key = `error.${message?.code}`;
  if (!Object.hasOwn(languages[language()], key)) return sentence;
  const values = { ...message!.values };
  if (typeof values.item === "string" && /\/\d{3,}$/.test(values.item)) values.item = itemName(values.item);
  if (typeof values.dice === "number") values.dice = values.dice.toFixed(2);
  return t(key as Key, values);
}
