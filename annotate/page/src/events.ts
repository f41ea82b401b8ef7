// What the server tells by itself.

import { paths, type Training } from "./api";
import { told, type Said } from "./said";
import { t } from "./texts";

interface Happened extends Partial<Training> { type?: string; text?: string; said?: Said[]; model?: number }

export interface Listener {
  training: (t: Partial<Training>) => void;
  /** Asks the server for all that may have changed; false if it does not answer. */
  refresh: () => Promise<boolean>;
  warn: (text: string) => void;
  mention: (text: string) => void;
  /** Whether what the page shows is as the server has it; not while the server is away. */
  heard: (heard: boolean) => void;
}

/** After a failure the server is asked again after so long, ms. */
const pause = 5000;

/** Follows the server's events until the returned function is called, also after it was away. */
export function follow(to: Listener): () => void {
  let source: EventSource, ended = false, missed = false;
  let soon: ReturnType<typeof setTimeout> | undefined, again: ReturnType<typeof setTimeout> | undefined;
  const refresh = (after: number) => {
    clearTimeout(soon);
    soon = setTimeout(async () => {
      const asked = soon, answered = await to.refresh();
      if (ended || asked !== soon) return; // it is asked once more
      if (!answered || source.readyState === EventSource.OPEN) to.heard(answered);
      if (!answered) refresh(pause);
    }, after);
  };
  const connect = () => {
    source = new EventSource(paths.events());
    source.onmessage = (message) => {
      let event: Happened;
      try {
        event = JSON.parse(message.data);
      } catch {
        return; // a comment to keep the connection open
      }
      const { type, text, said, ...rest } = event;
      if (type === "problem" && text) to.warn(told(said, text));
      if (type === "model" && rest.model) to.mention(t("model.inUse", { version: rest.model }));
      if (type === "training") to.training(rest);
      // many labels may come at once: one refresh for all
      if (type !== "training" || rest.running === false) refresh(300);
    };
    source.onopen = () => {
      if (missed) refresh(0); // events were missed while the server was away
      missed = false;
    };
    source.onerror = () => {
      missed = true;
      to.heard(false);
      if (source.readyState !== EventSource.CLOSED) return; // the browser connects again
      // it does not after an answer that is no stream, such as a proxy's 502
      refresh(0); // says why, if we are logged out or this is another project
      clearTimeout(again);
      again = setTimeout(connect, pause);
    };
  };
  connect();
  return () => {
    ended = true;
    clearTimeout(soon);
    clearTimeout(again);
    source.close();
  };
}
