import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { itemName } from "../format";
import type { Flow } from "../flow";

const reasons = ["Not sure where the border is", "Artefact or poor image quality", "Structure cut off or outside the slice", "Wrong kind of image", "Other"];

export function Skip({ dialog, flow }: { dialog: RefObject<HTMLDialogElement>; flow: Flow }) {
  const [reason, setReason] = useState(reasons[0]);
  const [text, setText] = useState("");
  const other = reason === "Other";
  function submit(e: Event): void {
    e.preventDefault();
    dialog.current?.close();
    void flow.skip(other ? text.trim() : text.trim() ? `${reason}: ${text.trim()}` : reason);
    setReason(reasons[0]);
    setText("");
  }
  return <dialog ref={dialog} class="skip" aria-label="Skip this slice">
    <form onSubmit={submit}>
      <h1>Skip {itemName(flow.editor.task?.item ?? "")}</h1>
      <fieldset>
        <legend>Why?</legend>
        {reasons.map((r, i) => <label key={r} class="check"><input type="radio" name="reason" value={r} checked={reason === r} autofocus={i === 0} onChange={() => setReason(r)} /><span>{r}</span></label>)}
      </fieldset>
      <label>Note<input value={text} maxLength={200} required={other} onInput={(e) => setText(e.currentTarget.value)} placeholder={other ? "" : "optional"} /></label>
      <div class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>Cancel <kbd>Esc</kbd></button>
        <button class="primary">Skip <kbd>Enter</kbd></button>
      </div>
    </form>
  </dialog>;
}
