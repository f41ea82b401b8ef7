import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { itemName } from "../format";
import type { Flow } from "../flow";
import { en } from "../texts/en";
import { skipReasons as reasons } from "../said";
import { t } from "../texts";

export function Skip({ dialog, flow }: { dialog: RefObject<HTMLDialogElement>; flow: Flow }) {
  const [reason, setReason] = useState<typeof reasons[number]>(reasons[0]);
  const [text, setText] = useState("");
  const other = reason === "skip.other";
  function submit(e: Event): void {
    e.preventDefault();
    dialog.current?.close();
    void flow.skip(other ? text.trim() : text.trim() ? `${en[reason]}: ${text.trim()}` : en[reason]);
    setReason(reasons[0]);
    setText("");
  }
  return <dialog ref={dialog} class="skip" aria-label={t("skip")}>
    <form onSubmit={submit}>
      <h1>{t("skip.title", { item: itemName(flow.editor.task?.item ?? "") })}</h1>
      <fieldset>
        <legend>{t("skip.why")}</legend>
        {reasons.map((r, i) => <label key={r} class="check"><input type="radio" name="reason" value={r} checked={reason === r} autofocus={i === 0} onChange={() => setReason(r)} /><span>{t(r)}</span></label>)}
      </fieldset>
      <label>{t("skip.note")}<input value={text} maxLength={200} required={other} onInput={(e) => setText(e.currentTarget.value)} placeholder={other ? "" : t("skip.optional")} /></label>
      <div class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>{t("skip.cancel")} <kbd>{t("key.Escape")}</kbd></button>
        <button class="primary">{t("skip.do")} <kbd>Enter</kbd></button>
      </div>
    </form>
  </dialog>;
}
