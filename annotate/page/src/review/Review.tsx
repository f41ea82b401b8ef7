// The reviewer's page: cases with labels, the labels of one, and what the reviewer says of them.

import { useEffect, useState } from "preact/hooks";
import { api, ApiError, splitItem, type Project, type ReviewedCase, type ReviewedItem, type ReviewStatus } from "../api";
import { itemName, sliceName, upper, when } from "../format";
import { actionName } from "../said";
import { t } from "../texts";
import { Picture } from "./Picture";

const verdicts: ReviewStatus[] = ["accepted", "discuss", "returned", "rejected"];

export function Review({ project, open }: { project: Project; open: string | null }) {
  const [cases, setCases] = useState<ReviewedCase[] | null>(null);
  const [labels, setLabels] = useState<ReviewedItem[]>([]);
  const [chosen, setChosen] = useState<string | null>(null);
  const [problem, setProblem] = useState("");
  const [round, again] = useState(0);

  // the project changes whenever the server tells of something new
  useEffect(() => {
    let gone = false;
    Promise.all([api.reviews(), open === null ? [] : api.caseReviews(open)]).then(([list, items]) => {
      if (gone) return;
      setCases(list ?? []);
      setLabels(items ?? []);
      setProblem("");
    }, (error) => {
      if (!(error instanceof ApiError)) throw error;
      if (!gone) setProblem(error.message);
    });
    return () => { gone = true; };
  }, [project, open, round]);

  const label = labels.find((l) => l.item === chosen) ?? labels.find((l) => l.status === "") ?? labels[0];
  async function judge(status: ReviewStatus, note: string, all: boolean): Promise<boolean> {
    try {
      if (all) await api.reviewCase(open!, status, note);
      else await api.review(label.item, status, note, label.version);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.message);
      return false;
    }
    setChosen(null); // on to the next that waits
    again((n) => n + 1);
    return true;
  }

  return <main class="review" aria-busy={cases === null && !problem}>
    <section class="panel" aria-label={t("review.cases")}>
      <h2>{t("review.cases")}</h2>
      {cases?.length === 0 && <p class="quiet">{t("review.none")}</p>}
      <ul class="list">{cases?.map((c) => <li key={c.case}>
        <a href={`#/review/${encodeURIComponent(c.case)}`} aria-current={c.case === open ? "true" : undefined}>
          <b>{c.case}</b> <span>{t("review.labelled", { labelled: c.labelled, slices: c.slices })}</span> <span class="quiet">{standing(c)}</span>
        </a>
      </li>)}</ul>
    </section>
    <section class="panel" aria-label={t("review.labels")}>
      <h2>{open ?? t("review.labels")}</h2>
      {open === null && <p class="quiet">{t("review.choose")}</p>}
      <ul class="list">{labels.map((l) => <li key={l.item}>
        <button type="button" data-item={l.item} aria-pressed={l === label} onClick={() => setChosen(l.item)}>
          <b>{upper(sliceName(splitItem(l.item).slice))}</b> <span>{l.who || t("review.withData")}</span> <span class={`status ${l.status}`}>{t(`status.${l.status}`)}</span>
        </button>
      </li>)}</ul>
    </section>
    {label && open !== null && splitItem(label.item).case === open && <section class="panel shown" aria-label={t("review.label")}>
      <h2>{itemName(label.item)} <span class="quiet">{t(label.who ? "review.versionBy" : "review.version", { version: label.version, action: actionName(label.action), who: label.who })} {when(label.when)}</span></h2>
      <Picture item={label.item} version={label.version} classes={project.classes} />
      {label.last && <p class="last"><b>{upper(t(`status.${label.last.status}`))}</b> {t("review.last", { who: label.last.who, when: when(label.last.when) })}{label.last.version !== label.version && ` ${t("review.ofVersion", { version: label.last.version })}`}{label.last.note && <>: {label.last.note}</>}</p>}
      <Judge key={label.item} label={label} judge={judge} />
    </section>}
    <p class="problem" role="alert">{problem}</p>
  </main>;
}

/** What stands out in a case: "3 to be reviewed, 1 sent back". */
function standing(c: ReviewedCase): string {
  const counts: Array<[number, string]> = [[c.waiting, t("status.")], [c.returned, t("status.returned")], [c.discuss, t("status.discuss")], [c.rejected, t("status.rejected")], [c.accepted, t("status.accepted")]];
  return counts.filter(([n]) => n > 0).map(([n, name]) => `${n} ${name}`).join(", ");
}

function Judge({ label, judge }: { label: ReviewedItem; judge: (status: ReviewStatus, note: string, all: boolean) => Promise<boolean> }) {
  const [note, setNote] = useState("");
  const [all, setAll] = useState(false);
  const [busy, setBusy] = useState(false);
  async function say(status: ReviewStatus): Promise<void> {
    setBusy(true);
    if (await judge(status, note.trim(), all)) {
      setNote("");
      setAll(false);
    }
    setBusy(false);
  }
  return <div class="judge">
    <label>{t("review.note")}<input value={note} maxLength={1000} onInput={(e) => setNote(e.currentTarget.value)} placeholder={t("review.noteHint")} /></label>
    <label class="check"><input type="checkbox" checked={all} onChange={() => setAll(!all)} /><span>{t("review.all")}</span></label>
    <div class="buttons">
      {verdicts.map((status) => <button key={status} type="button" data-status={status} title={t(`verdict.${status}Hint`)} class={status === "accepted" ? "primary" : undefined}
        disabled={busy || (status === "returned" && note.trim() === "")} onClick={() => void say(status)}>{t(`verdict.${status}`)}</button>)}
      <a href={`#/item/${encodeURIComponent(label.item)}`}>{t("review.open")}</a>
    </div>
  </div>;
}
