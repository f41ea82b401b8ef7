// What the server tells by itself.

import { paths, type Training } from "./api";
import { told, type Said } from "./said";
import { t } from "./texts";

interface Happened extends Partial<Training> { type?: string; text?: string; said?: Said[]; model?: number }

/** Follows the server's events until the returned function is called. */
export function follow(training: (t: Partial<Training>) => void, refresh: () => void, warn: (text: string) => void, mention: (text: string) => void): () => void {
  const source = new EventSource(paths.events());
  let soon: ReturnType<typeof setTimeout> | undefined;
  let connected = false;
  source.onmessage = (message) => {
    let event: Happened;
    try {
      event = JSON.parse(message.data);
    } catch {
      return; // a comment to keep the connection open
    }
    const { type, text, said, ...rest } = event;
    if (type === "problem" && text) warn(told(said, text));
    if (type === "model" && rest.model) mention(t("model.inUse", { version: rest.model }));
    if (type === "training") training(rest);
    // many labels may come at once: one refresh for all
    if (type !== "training" || rest.running === false) {
      clearTimeout(soon);
      soon = setTimeout(refresh, 300);
    }
  };
  source.onopen = () => {
    if (connected) refresh(); // events were missed while the server was away
    connected = true;
  };
  return () => {
    clearTimeout(soon);
    source.close();
  };
}
