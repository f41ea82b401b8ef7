import { useEffect, useState } from "preact/hooks";
import type { Flow } from "../flow";
import { duration } from "../format";
import type { DraftState } from "./drafts";
import { Button, keepFocus } from "./Toolbar";
import { t, type Key } from "../texts";

interface Props { flow: Flow; skip: () => void; viewer: boolean; toggleViewer: () => void }

const draftText: Record<Exclude<DraftState, "browser only">, Key> = { none: "draft.none", pending: "draft.pending", saved: "draft.saved" };

export function Actions({ flow, skip, viewer, toggleViewer }: Props) {
  const { editor, busy } = flow, idle = !editor.task || busy;
  const [primary, hint] = editor.task && editor.isProposal
    ? editor.isEmpty ? [t("actions.acceptEmpty"), t("actions.acceptEmptyHint")] : [t("actions.accept"), t("actions.acceptHint")]
    : [t("actions.save"), t("actions.saveHint")];
  return <footer class="actions">
    <div class="group">
      <Button keys="V" hint={t(viewer ? "actions.planesFold" : "actions.planesOpen")} pressed={viewer} onClick={toggleViewer}>{t("actions.planes")}</Button>
      <Button keys="⇧N" onClick={() => void flow.previous()} disabled={idle}>{t("actions.previous")}</Button>
      <Button keys="N" hint={t("actions.nextHint")} onClick={() => void flow.next()} disabled={busy}>{t("actions.next")}</Button>
    </div>
    <Note flow={flow} />
    <div class="group">
      <Button keys="X" hint={t("actions.skipHint")} onClick={skip} disabled={idle}>{t("actions.skip")}</Button>
      <Button keys="K" hint={t("actions.emptyHint")} onClick={() => void flow.markEmpty()} disabled={idle}>{t("actions.empty")}</Button>
      <Button class="primary" keys="Enter" hint={hint} onClick={() => void flow.submit()} disabled={idle}>{primary}</Button>
    </div>
  </footer>;
}

/** What the person has to know now: a failure, a draft at risk, what happened last, else how the slice stands. */
function Note({ flow }: { flow: Flow }) {
  const { note, editor } = flow, { state } = flow.drafts;
  if (state === "browser only" && note?.kind !== "error") {
    return <div class="note warning" role="status">{t("draft.browserOnly")}</div>;
  }
  if (note) {
    return <div class={`note ${note.kind}`} role={note.kind === "error" ? "alert" : "status"}>
      <span>{note.text}</span> {note.action && <button type="button" class="act" onMouseDown={keepFocus} onClick={() => void note.action!.run()}>{note.action.text}</button>} <button type="button" class="close" aria-label={t("note.dismiss")} onMouseDown={keepFocus} onClick={() => flow.dismiss()}>×</button>
    </div>;
  }
  return <div class="note">{editor.task && state !== "browser only" && <span class="quiet"><Seconds flow={flow} /> · {t(draftText[state])}</span>}</div>;
}

/** Time on this slice, counted while the person is active. */
function Seconds({ flow }: { flow: Flow }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span>{t("note.onSlice", { time: duration(flow.clock.seconds()) })}</span>;
}
