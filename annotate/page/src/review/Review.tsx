// The reviewer's page: cases with labels, the labels of one, and what the reviewer says of them.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, splitItem, type Project, type ReviewedCase, type ReviewedItem, type ReviewStatus } from "../api";
import { itemName, sliceName, upper, when } from "../format";
import { actionName } from "../said";
import { t } from "../texts";
import { Picture, shownAs } from "./Picture";

const verdicts: ReviewStatus[] = ["accepted", "discuss", "returned", "rejected"];

/** The label to be shown first: one that waits. */
const first = (labels: ReviewedItem[]): ReviewedItem | null => labels.find((l) => l.status === "") ?? labels[0] ?? null;

/**
 * A verdict counts for what was shown: none is taken while the label's picture is not on the screen; the label stays there, in its version, until the reviewer
 * goes on, whatever others save; and one for all labels is of the versions that were listed when the case was opened, or have been on the screen since.
 */
export function Review({ project, open }: { project: Project; open: string | null }) {
  const [cases, setCases] = useState<ReviewedCase[] | null>(null);
  const [labels, setLabels] = useState<ReviewedItem[]>([]);
  const [label, setLabel] = useState<ReviewedItem | null>(null);
  const [problem, setProblem] = useState(""); // of the lists
  const [refused, setRefused] = useState(""); // of the last verdict
  const after = useRef<"stay" | "next" | "again">("stay"); // what the next lists bring to the screen
  const seen = useRef<{ of: string | null; versions: Record<string, number> }>({ of: null, versions: {} });
  const [round, again] = useState(0);
  const [drawn, setDrawn] = useState(""); // the picture on the screen

  // the project changes whenever the server tells of something new
  useEffect(() => {
    let gone = false;
    Promise.all([api.reviews(), open === null ? [] : api.caseReviews(open)]).then(([list, items]) => {
      if (gone) return;
      setCases(list ?? []);
      setLabels(items ?? []);
      setProblem("");
      if (seen.current.of !== open) seen.current = { of: open, versions: Object.fromEntries((items ?? []).map((l) => [l.item, l.version])) };
      const go = after.current;
      after.current = "stay";
      setLabel((shown) => {
        const now = (items ?? []).find((l) => l.item === shown?.item);
        if (go === "next" || !shown || !now) return first(items ?? []);
        return go === "again" || now.version === shown.version ? now : shown;
      });
    }, (error) => {
      if (!(error instanceof ApiError)) throw error;
      if (!gone) setProblem(error.message);
    });
    return () => { gone = true; };
  }, [project, open, round]);

  useEffect(() => {
    if (label) seen.current.versions[label.item] = label.version;
  }, [label]);

  function choose(l: ReviewedItem): void {
    setRefused("");
    setLabel(l);
  }
  async function judge(shown: ReviewedItem, status: ReviewStatus, note: string, all: boolean): Promise<boolean> {
    if (drawn !== shownAs(shown.item, shown.version)) return false;
    let done = true;
    setRefused("");
    try {
      if (all) await api.reviewCase(open!, status, note, seen.current.versions);
      else await api.review(shown.item, status, note, shown.version);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setRefused(error.message);
      done = false;
    }
    after.current = done ? "next" : "again"; // the label as it is by now, with the note as it was
    again((n) => n + 1);
    return done;
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
        <button type="button" data-item={l.item} aria-pressed={l.item === label?.item} onClick={() => choose(l)}>
          <b>{upper(sliceName(splitItem(l.item).slice))}</b> <span>{l.who || t("review.withData")}</span> <span class={`status ${l.status}`}>{t(`status.${l.status}`)}</span>
        </button>
      </li>)}</ul>
    </section>
    {label && open !== null && splitItem(label.item).case === open && <section class="panel shown" aria-label={t("review.label")}>
      <h2>{itemName(label.item)} <span class="quiet">{t(label.who ? "review.versionBy" : "review.version", { version: label.version, action: actionName(label.action), who: label.who })} {when(label.when)}</span></h2>
      <Picture item={label.item} version={label.version} classes={project.classes} seen={setDrawn} />
      {label.last && <p class="last"><b>{upper(t(`status.${label.last.status}`))}</b> {t("review.last", { who: label.last.who, when: when(label.last.when) })}{label.last.version !== label.version && ` ${t("review.ofVersion", { version: label.last.version })}`}{label.last.note && <>: {label.last.note}</>}</p>}
      <Judge key={label.item} label={label} seen={drawn === shownAs(label.item, label.version)} judge={(status, note, all) => judge(label, status, note, all)} />
    </section>}
    <p class="problem" role="alert">{refused || problem}</p>
  </main>;
}

/** What stands out in a case: "3 to be reviewed, 1 sent back". */
function standing(c: ReviewedCase): string {
  const counts: Array<[number, string]> = [[c.waiting, t("status.")], [c.returned, t("status.returned")], [c.discuss, t("status.discuss")], [c.rejected, t("status.rejected")], [c.accepted, t("status.accepted")]];
  return counts.filter(([n]) => n > 0).map(([n, name]) => `${n} ${name}`).join(", ");
}

function Judge({ label, seen, judge }: { label: ReviewedItem; seen: boolean; judge: (status: ReviewStatus, note: string, all: boolean) => Promise<boolean> }) {
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
        disabled={busy || !seen || (status === "returned" && note.trim() === "")} onClick={() => void say(status)}>{t(`verdict.${status}`)}</button>)}
      <a href={`#/item/${encodeURIComponent(label.item)}`}>{t("review.open")}</a>
    </div>
  </div>;
}
