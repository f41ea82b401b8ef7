import { useEffect, useState } from "preact/hooks";
import type { Flow } from "../flow";
import { duration } from "../format";
import type { DraftState } from "./drafts";
import { Button, keepFocus } from "./Toolbar";

interface Props { flow: Flow; skip: () => void; viewer: boolean; toggleViewer: () => void }

const draftText: Record<Exclude<DraftState, "browser only">, string> = { none: "no changes", pending: "draft in this browser…", saved: "draft saved" };

export function Actions({ flow, skip, viewer, toggleViewer }: Props) {
  const { editor, busy } = flow, idle = !editor.task || busy;
  const [primary, hint] = editor.task && editor.isProposal
    ? editor.isEmpty ? ["Accept: empty", "Save the slice as empty, as the model says, and go on"] : ["Accept as it is", "Save the model's proposal unchanged and go on"]
    : ["Save and next", "Save the mask and go on"];
  return <footer class="actions">
    <div class="group">
      <Button keys="V" hint={viewer ? "Fold the three-plane viewer" : "Open the three-plane viewer"} pressed={viewer} onClick={toggleViewer}>3 planes</Button>
      <Button keys="⇧N" onClick={() => void flow.previous()} disabled={idle}>Previous</Button>
      <Button keys="N" hint="Go on without saving; a draft is kept" onClick={() => void flow.next()} disabled={busy}>Next</Button>
    </div>
    <Note flow={flow} />
    <div class="group">
      <Button keys="X" hint="Skip this slice with a reason" onClick={skip} disabled={idle}>Skip…</Button>
      <Button keys="K" hint="Save as empty: none of the classes is in this slice" onClick={() => void flow.markEmpty()} disabled={idle}>Mark empty</Button>
      <Button class="primary" keys="Enter" hint={hint} onClick={() => void flow.submit()} disabled={idle}>{primary}</Button>
    </div>
  </footer>;
}

/** What the person has to know now: a failure, a draft at risk, what happened last, else how the slice stands. */
function Note({ flow }: { flow: Flow }) {
  const { note, editor } = flow, { state } = flow.drafts;
  if (state === "browser only" && note?.kind !== "error") {
    return <div class="note warning" role="status">The draft is in this browser only: the server does not take it. It is tried again.</div>;
  }
  if (note) {
    return <div class={`note ${note.kind}`} role={note.kind === "error" ? "alert" : "status"}>
      <span>{note.text}</span> {note.action && <button type="button" class="act" onMouseDown={keepFocus} onClick={() => void note.action!.run()}>{note.action.text}</button>} <button type="button" class="close" aria-label="Dismiss" onMouseDown={keepFocus} onClick={() => flow.dismiss()}>×</button>
    </div>;
  }
  return <div class="note">{editor.task && state !== "browser only" && <span class="quiet"><Seconds flow={flow} /> · {draftText[state]}</span>}</div>;
}

/** Time on this slice, counted while the person is active. */
function Seconds({ flow }: { flow: Flow }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span>{duration(flow.clock.seconds())} on this slice</span>;
}
