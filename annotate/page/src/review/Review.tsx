// The reviewer's page: cases with labels, the labels of one, and what the reviewer says of them.

import { useEffect, useState } from "preact/hooks";
import { api, ApiError, splitItem, type Project, type ReviewedCase, type ReviewedItem, type ReviewStatus } from "../api";
import { itemName, sliceName, upper, when } from "../format";
import { Picture } from "./Picture";

const names: Record<ReviewStatus | "", string> = { "": "to be reviewed", accepted: "accepted", rejected: "rejected", discuss: "to be discussed", returned: "sent back" };

const verdicts: Array<[ReviewStatus, string, string]> = [
  ["accepted", "Accept", "The label is good"], ["discuss", "Discuss", "To be discussed with others"],
  ["returned", "Send back", "The slice is asked for again, with the note"], ["rejected", "Reject", "The label is not learnt from"],
];

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
    <section class="panel" aria-label="Cases">
      <h2>Cases</h2>
      {cases?.length === 0 && <p class="quiet">Nothing is labelled yet.</p>}
      <ul class="list">{cases?.map((c) => <li key={c.case}>
        <a href={`#/review/${encodeURIComponent(c.case)}`} aria-current={c.case === open ? "true" : undefined}>
          <b>{c.case}</b> <span>{c.labelled} of {c.slices} labelled</span> <span class="quiet">{standing(c)}</span>
        </a>
      </li>)}</ul>
    </section>
    <section class="panel" aria-label="Labels">
      <h2>{open ?? "Labels"}</h2>
      {open === null && <p class="quiet">Choose a case.</p>}
      <ul class="list">{labels.map((l) => <li key={l.item}>
        <button type="button" data-item={l.item} aria-pressed={l === label} onClick={() => setChosen(l.item)}>
          <b>{upper(sliceName(splitItem(l.item).slice))}</b> <span>{l.who || "with the data"}</span> <span class={`status ${l.status}`}>{names[l.status]}</span>
        </button>
      </li>)}</ul>
    </section>
    {label && open !== null && splitItem(label.item).case === open && <section class="panel shown" aria-label="Label">
      <h2>{itemName(label.item)} <span class="quiet">version {label.version}, {label.action} {label.who && `by ${label.who} `}{when(label.when)}</span></h2>
      <Picture item={label.item} version={label.version} classes={project.classes} />
      {label.last && <p class="last"><b>{upper(names[label.last.status])}</b> by {label.last.who}, {when(label.last.when)}{label.last.version !== label.version && ` (version ${label.last.version})`}{label.last.note && <>: {label.last.note}</>}</p>}
      <Judge key={label.item} label={label} judge={judge} />
    </section>}
    <p class="problem" role="alert">{problem}</p>
  </main>;
}

/** What stands out in a case: "3 to be reviewed, 1 sent back". */
function standing(c: ReviewedCase): string {
  const counts: Array<[number, string]> = [[c.waiting, names[""]], [c.returned, names.returned], [c.discuss, names.discuss], [c.rejected, names.rejected], [c.accepted, names.accepted]];
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
    <label>Note<input value={note} maxLength={1000} onInput={(e) => setNote(e.currentTarget.value)} placeholder="what is to be corrected, or why" /></label>
    <label class="check"><input type="checkbox" checked={all} onChange={() => setAll(!all)} /><span>For all labels of the case</span></label>
    <div class="buttons">
      {verdicts.map(([status, name, hint]) => <button key={status} type="button" data-status={status} title={hint} class={status === "accepted" ? "primary" : undefined}
        disabled={busy || (status === "returned" && note.trim() === "")} onClick={() => void say(status)}>{name}</button>)}
      <a href={`#/item/${encodeURIComponent(label.item)}`}>Open in the editor</a>
    </div>
  </div>;
}
