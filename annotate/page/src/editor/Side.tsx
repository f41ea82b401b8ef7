import { useEffect, useState } from "preact/hooks";
import { api, ApiError, type Project, type Task, type Version } from "../api";
import type { Flow } from "../flow";
import { duration, fraction, number, upper, when } from "../format";
import { keepFocus } from "./Toolbar";
import { Viewer } from "../viewer/Viewer";
import { actionName } from "../said";
import { t, type Key } from "../texts";

const purposes: Record<Task["purpose"], Key> = {
  training: "purpose.training", validation: "purpose.validation", reading: "purpose.reading", correction: "purpose.correction", adjudication: "purpose.adjudication", "": "purpose.own",
};

/** Beside the editor: the case in three planes, facts and earlier versions of the slice. */
export function Side({ flow, project }: { flow: Flow; project: Project }) {
  const { task } = flow.editor, mine = task?.lease?.person === flow.person;
  return <aside class="side" aria-label={t("side")}>
    <Viewer flow={flow} project={project} />
    <dl class="facts">
      <div><dt>{t("side.labelIs")}</dt><dd>{task ? t(purposes[task.purpose]) : "–"}{task?.rank ? <span class="quiet"> {t("side.rank", { rank: task.rank })}</span> : ""}</dd></div>
      <div title={t("side.scoreHint", { strategy: project.strategy })}><dt>{t("side.score")}</dt><dd>{number(task?.score)} <span class="quiet">{project.strategy}</span></dd></div>
      {task?.review && <div title={task.review.note}><dt>{upper(t("side.reviewedBy", { status: t(`status.${task.review.status}`), who: task.review.who }))}</dt><dd>{task.review.note || when(task.review.when)}</dd></div>}
      <div><dt>{t("side.proposal")}</dt><dd>{task?.proposal ? t("side.ofModel", { version: task.model ?? "–" }) : t("side.none")}</dd></div>
      {!task?.lease ? <div><dt>{t("side.keptFor")}</dt><dd>{t("side.nobody")}</dd></div>
        : mine ? <div><dt>{t("side.keptForYou")}</dt><dd>{when(task.lease.until)}</dd></div>
        : <div><dt>{t("side.hasIt", { who: task.lease.person })}</dt><dd>{when(task.lease.until)}</dd></div>}
    </dl>
    <Versions flow={flow} />
  </aside>;
}

/** What was found with the data is nobody's. */
const by = (action: string, who: string) => (who ? t("versions.by", { action, who }) : upper(action));

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
  const shows = (version: number) => flow.editor.compared.some((c) => c.version === version);
  const kept = task && flow.drafts.keptOf(task.item, task.width, task.height) !== null;
  return <section class="versions">
    <h2>{t("versions")}</h2>
    {kept && <p class="kept">{t("versions.kept")} <button type="button" disabled={flow.busy} onMouseDown={keepFocus} onClick={() => void flow.bringBack(task.item)}>{t("versions.bringBack")}</button></p>}
    {failure ? <p class="quiet">{t("versions.failed", { text: failure })}</p> : versions.length === 0 ? <p class="quiet">{t("versions.none")}</p> : <ol>
      {versions.map((v) => <li key={v.version}>
        <b>{v.version}</b>
        <span>{by(v.reading > 0 ? t("versions.reading", { n: v.reading }) : actionName(v.action), v.who)}<br /><span class="quiet">{when(v.when)} · {duration(v.seconds)}{v.dice_to_proposal !== null && <> · {t("versions.dice", { dice: fraction(v.dice_to_proposal) })}</>}{v.agreement !== null && <> · {t("versions.agreement", { dice: fraction(v.agreement) })}</>}</span></span>
        <button type="button" aria-pressed={shows(v.version)} title={t("versions.outline", { version: v.version })}
          onClick={() => void flow.compare(shows(v.version) ? null : v.version)}>{t("versions.show")}</button>
        <button type="button" disabled={flow.busy || v.version === label} title={v.version === label ? t("versions.inEffect") : t("versions.restoreHint", { version: v.version })}
          onClick={() => void flow.restore(v.version)}>{t(v.version === label ? "versions.current" : "versions.restore")}</button>
      </li>)}
    </ol>}
    {label !== null && task!.purpose === "" && <p><button type="button" disabled={flow.busy} onClick={() => void flow.readAgain()}>{t("versions.second")}</button></p>}
  </section>;
}
