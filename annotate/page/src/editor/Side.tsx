import { useEffect, useState } from "preact/hooks";
import { api, ApiError, type Project, type Task, type Version } from "../api";
import type { Flow } from "../flow";
import { duration, fraction, number, upper, when } from "../format";
import { keepFocus } from "./Toolbar";
import { Viewer } from "../viewer/Viewer";

const purposes: Record<Task["purpose"], string> = {
  training: "to learn from", validation: "to test the model", reading: "a second reading", correction: "a correction", adjudication: "a decision", "": "of your own choice",
};

const reviewed = { accepted: "accepted", rejected: "rejected", discuss: "to be discussed", returned: "sent back" };

/** Beside the editor: the case in three planes, facts and earlier versions of the slice. */
export function Side({ flow, project }: { flow: Flow; project: Project }) {
  const { task } = flow.editor, mine = task?.lease?.person === flow.person;
  return <aside class="side" aria-label="Case">
    <Viewer flow={flow} project={project} />
    <dl class="facts">
      <div><dt>The label is</dt><dd>{task ? purposes[task.purpose] ?? task.purpose : "–"}{task?.rank ? <span class="quiet"> no. {task.rank}</span> : ""}</dd></div>
      <div title={`How much the model wants this slice, by ${project.strategy}`}><dt>Score</dt><dd>{number(task?.score)} <span class="quiet">{project.strategy}</span></dd></div>
      {task?.review && <div title={task.review.note}><dt>{upper(reviewed[task.review.status])} by {task.review.who}</dt><dd>{task.review.note || when(task.review.when)}</dd></div>}
      <div><dt>Proposal</dt><dd>{task?.proposal ? `of model ${task.model ?? "–"}` : "none"}</dd></div>
      {!task?.lease ? <div><dt>Kept for</dt><dd>nobody</dd></div>
        : mine ? <div><dt>Kept for you until</dt><dd>{when(task.lease.until)}</dd></div>
        : <div><dt>{task.lease.person} has it until</dt><dd>{when(task.lease.until)}</dd></div>}
    </dl>
    <Versions flow={flow} />
  </aside>;
}

function Versions({ flow }: { flow: Flow }) {
  const { task } = flow.editor, label = task?.label ?? null;
  const [versions, setVersions] = useState<Version[]>([]);
  const [failure, setFailure] = useState("");
  useEffect(() => {
    setVersions([]);
    setFailure("");
    if (!task) return;
    let gone = false;
    api.versions(task.item).then((v) => { if (!gone) setVersions((v ?? []).slice().sort((a, b) => b.version - a.version)); }, (error) => {
      if (!(error instanceof ApiError)) throw error;
      if (!gone) setFailure(error.message);
    });
    return () => { gone = true; };
  }, [task?.item, label]);
  const shows = (version: number) => flow.editor.compared.some((c) => c.name === `version ${version}`);
  const kept = task && flow.drafts.keptOf(task.item, task.width, task.height) !== null;
  return <section class="versions">
    <h2>Saved versions</h2>
    {kept && <p class="kept">A drawing of yours that was not saved. <button type="button" disabled={flow.busy} onMouseDown={keepFocus} onClick={() => void flow.bringBack(task.item)}>Bring it back</button></p>}
    {failure ? <p class="quiet">They could not be loaded: {failure}</p> : versions.length === 0 ? <p class="quiet">This slice is not labelled yet.</p> : <ol>
      {versions.map((v) => <li key={v.version}>
        <b>{v.version}</b>
        <span>{v.reading > 0 ? `reading ${v.reading}` : v.action} by {v.who}<br /><span class="quiet">{when(v.when)} · {duration(v.seconds)}{v.dice_to_proposal !== null && <> · Dice to proposal {fraction(v.dice_to_proposal)}</>}{v.agreement !== null && <> · agreement {fraction(v.agreement)}</>}</span></span>
        <button type="button" aria-pressed={shows(v.version)} title={`Outline of version ${v.version}`}
          onClick={() => void flow.compare(shows(v.version) ? null : v.version)}>Show</button>
        <button type="button" disabled={flow.busy || v.version === label} title={v.version === label ? "This version is in effect" : `Save version ${v.version} again as the newest`}
          onClick={() => void flow.restore(v.version)}>{v.version === label ? "current" : "Restore"}</button>
      </li>)}
    </ol>}
    {label !== null && task!.purpose === "" && <p><button type="button" disabled={flow.busy} onClick={() => void flow.readAgain()}>Ask for a second reading</button></p>}
  </section>;
}
