import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, file, itemOf, paths, root, type CaseState, type Curves, type DraftEntry, type LogEntry, type Model, type Project, type QueueEntry } from "../api";
import { duration, fraction, itemName, number, when } from "../format";
import { said, saidEach, skipReason, told } from "../said";
import { t, type Key } from "../texts";
import { draw, movingMean, type Chart } from "./charts";

interface Data { queue: QueueEntry[]; curves: Curves; models: Model[]; log: LogEntry[]; cases: CaseState[]; drafts: DraftEntry[] }

export function Dashboard({ project }: { project: Project }) {
  const [data, setData] = useState<Data | null>(null);
  const [problem, setProblem] = useState("");
  // the project changes whenever the server tells of something new
  useEffect(() => {
    let gone = false;
    Promise.all([api.queue(), api.curves(), api.models(), api.history(100), api.cases(), api.drafts()]).then(([queue, curves, models, log, cases, drafts]) => {
      if (!gone) setData({ queue: queue ?? [], curves, models: models ?? [], log: log ?? [], cases: cases ?? [], drafts: drafts ?? [] });
    }, (error) => {
      if (!(error instanceof ApiError)) throw error;
      if (!gone) setProblem(error.message);
    });
    return () => { gone = true; };
  }, [project]);

  if (!data) return <main class="dashboard" aria-busy={!problem}>{problem && <p class="problem" role="alert">{problem}</p>}</main>;
  const cycles = data.curves.cycles ?? [], labels = data.curves.labels ?? [], { forecast } = data.curves;
  const last = cycles[cycles.length - 1];
  const seconds = labels.reduce((sum, l) => sum + l.seconds, 0);
  const { judged } = data.curves;
  const behind = judged && judged.labels > 0 ? t("dash.behind", { n: judged.labels, cases: judged.cases, foreground: judged.foreground }) : "";
  return <main class="dashboard">
    {problem && <p class="problem" role="alert">{problem}</p>}
    {(project.warnings?.length ?? 0) > 0 && <section class="panel warnings" aria-label={t("dash.warnings")}>
      <h2>{t("dash.data")}</h2>
      <ul>{saidEach(project.warnings_said, project.warnings).map((w) => <li key={w}>{w}</li>)}</ul>
    </section>}
    <section class="numbers" aria-label={t("dash.summary")}>
      <Figure name={t("dash.labelled")} value={`${project.labelled}`} note={t("dash.ofSlices", { items: project.items, skipped: project.skipped })} />
      <Figure name={t("dash.time")} value={duration(seconds)} note={labels.length > 0 ? t("dash.perSlice", { time: duration(seconds / labels.length) }) : t("dash.noLabel")} />
      <Figure name={t("dash.validation")} value={fraction(project.model?.validation_dice)} note={project.model ? `${t("dash.model", { version: project.model.version, labels: project.model.labelled })}${behind && `; ${behind}`}` : untilModel(project)} />
      <Figure name={t("dash.proposalDice")} value={fraction(last?.proposal_dice)} note={t("dash.proposalNote")} />
      <Figure name={t("dash.more")} value={forecast ? (forecast.gain === null ? "–" : t("dash.gain", { gain: `${forecast.gain >= 0 ? "+" : ""}${number(forecast.gain, 2)}` })) : "–"}
        note={forecast ? told(forecast.said, forecast.text) || t("dash.moreFrom", { n: forecast.next_labels }) : t("dash.noEstimate")} />
      <div class={project.stop?.suggested ? "figure stop" : "figure"}>
        <h2>{t("dash.enough")}</h2>
        <b>{t(project.stop?.suggested ? "dash.probably" : "dash.notYet")}</b>
        <p>{(project.stop && told(project.stop.said, project.stop.reason)) || t("dash.stopNeeds")}</p>
      </div>
    </section>

    <section class="panel">
      <h2>{t("dash.curve")} <span class="quiet">{behind && t("dash.allModels", { behind })}</span></h2>
      <Plot empty={t("dash.curveEmpty")} chart={cycles.length > 0 ? {
        x: cycles.map((c) => c.labelled), xLabel: t("chart.labelled"), yLabel: t("chart.dice"), dice: true,
        lines: [
          { label: t("chart.validation"), color: "--chart-1", values: cycles.map((c) => c.validation_dice) },
          { label: t("chart.toSaved"), color: "--chart-2", values: cycles.map((c) => c.proposal_dice) },
        ],
      } : null} />
    </section>
    <Export model={project.model !== null} />
    <section class="panel">
      <h2>{t("dash.cases")} <span class="quiet">{t("dash.casesDone", { done: data.cases.filter((c) => c.done).length, cases: data.cases.length })}</span></h2>
      <Table head={[t("dash.case"), t("dash.labelled"), t("dash.waiting"), t("dash.proposed"), t("dash.state")]} numeric={[1, 2, 3]} empty={t("dash.noCases")}
        rows={data.cases.map((c) => [c.next === null ? c.case : <a href={`#/item/${encodeURIComponent(itemOf(c.case, c.next))}`}>{c.case}</a>,
          t("dash.ofN", { n: c.labelled, all: c.slices }), c.waiting || "", c.proposed || "", c.problem ? <span class="problem">{said(c.problem_why, c.problem)}</span> : <>
            {c.done ? <b>{t("dash.done")}</b> : c.skipped > 0 ? t("dash.skipped", { n: c.skipped }) : ""} {c.use === "validation" && <span class="quiet">{t("dash.tests")}</span>}</>])} />
    </section>
    {data.drafts.length > 0 && <section class="panel">
      <h2>{t("dash.drafts")}</h2>
      <Table head={[t("dash.slice"), t("dash.since")]} numeric={[]} empty="" rows={data.drafts.map((d) => [<Item id={d.item} />, when(d.when)])} />
    </section>}
    <section class="panel">
      <h2>{t("dash.sliceBySlice")}</h2>
      <Plot empty={t("dash.sliceBySliceEmpty")} chart={labels.some((l) => l.dice_to_proposal !== null) ? {
        x: labels.map((l) => l.n), xLabel: t("chart.order"), yLabel: t("chart.dice"), dice: true,
        lines: [
          { label: t("chart.slice"), color: "--chart-3", values: labels.map((l) => l.dice_to_proposal), points: true },
          { label: t("chart.mean"), color: "--chart-2", values: movingMean(labels.map((l) => l.dice_to_proposal), 10) },
        ],
      } : null} />
    </section>
    <section class="panel">
      <h2>{t("dash.timePerSlice")}</h2>
      <Plot empty={t("dash.timeEmpty")} chart={labels.length > 0 ? {
        x: labels.map((l) => l.n), xLabel: t("chart.order"), yLabel: t("chart.seconds"),
        lines: [
          { label: t("chart.slice"), color: "--chart-3", values: labels.map((l) => l.seconds), points: true },
          { label: t("chart.mean"), color: "--chart-1", values: movingMean(labels.map((l) => l.seconds), 10) },
        ],
      } : null} />
    </section>

    <section class="panel">
      <h2>{t("dash.next")} <span class="quiet">{t("dash.perCycle", { strategy: project.strategy, n: project.query_size })}{project.disputed > 0 && `, ${t("dash.disputed", { n: project.disputed })}`}</span></h2>
      <Table head={[t("dash.rank"), t("dash.slice"), t("dash.score"), t("dash.for"), t("dash.state")]} numeric={[0, 2]} empty={t("dash.nothing")}
        rows={data.queue.filter((q) => q.rank > 0).map((q) => [q.rank, <Item id={q.item} />, number(q.score), t(`queue.${q.purpose}`),
          q.person ? q.until ? t("dash.hasItUntil", { who: q.person, when: when(q.until) }) : t("dash.hasIt", { who: q.person }) : t(`state.${q.state}`)])} />
    </section>
    <section class="panel">
      <h2>{t("dash.labels")}</h2>
      <Table head={[t("dash.no"), t("dash.slice"), t("dash.dice"), t("dash.timeCol")]} numeric={[0, 2, 3]} empty={t("dash.nothingLabelled")}
        rows={labels.slice().reverse().map((l) => [l.n, <Item id={l.item} />, fraction(l.dice_to_proposal), duration(l.seconds)])} />
    </section>
    <section class="panel">
      <h2>{t("dash.models")}</h2>
      <Table head={[t("dash.version"), t("dash.cycle"), t("dash.labels"), t("dash.validation"), t("dash.state"), t("dash.when")]} numeric={[0, 1, 2, 3]} empty={t("dash.noModel")}
        rows={data.models.slice().sort((a, b) => b.version - a.version).map((m) => [m.version, m.cycle, m.labelled, fraction(m.validation_dice), <Why model={m} />, when(m.when)])} />
    </section>

    <section class="panel wide">
      <h2>{t("dash.log")}</h2>
      <Table head={[t("dash.when"), t("dash.who"), t("dash.what"), t("dash.slice"), t("dash.detail")]} numeric={[]} empty={t("dash.noLog")}
        rows={data.log.map((e) => [when(e.when), e.person, said(e.what, e.action), e.item.includes("/") ? <Item id={e.item} /> : e.item, e.action === "skip" ? skipReason(e.detail) : told(e.said, e.detail, " · ")])} />
    </section>
    <div class="stack">
      <section class="panel">
        <h2>{t("dash.people")}</h2>
        <Table head={[t("dash.personName"), t("dash.labels"), t("dash.timeCol")]} numeric={[1, 2]} empty={t("dash.noPeople")}
          rows={(project.people ?? []).map((p) => [<span title={roleName(p.role)}>{p.name}</span>, p.labelled, duration(60 * p.minutes)])} />
      </section>
    </div>
  </main>;
}

function Figure({ name, value, note }: { name: string; value: string; note: string }) {
  return <div class="figure"><h2>{name}</h2><b>{value}</b><p>{note}</p></div>;
}

function Item({ id }: { id: string }) {
  return <a href={`#/item/${encodeURIComponent(id)}`}>{itemName(id)}</a>;
}

function roleName(role: string): string {
  return role === "annotator" || role === "adjudicator" ? t(`role.${role}`) : role;
}

function untilModel({ until_model: until }: Project): string {
  return until === null || until === undefined ? t("model.noneInUse") : until > 0 ? t("model.untilLabels", { n: until }) : t("model.soon");
}

/** Whether a model is used, and why; the reason opens by mouse and by keyboard. */
function Why({ model: m }: { model: Model }) {
  const word = m.in_use ? <b>{t("dash.inUse")}</b> : t("dash.notUsed");
  return m.reason ? <details class="why-model"><summary>{word}</summary><span>{told(m.said, m.reason)}</span></details> : <>{word}</>;
}

function Plot({ chart, empty }: { chart: Chart | null; empty: string }) {
  const element = useRef<HTMLDivElement>(null);
  const shape = JSON.stringify(chart);
  useEffect(() => {
    if (!chart || !element.current) return;
    const target = element.current;
    let remove = draw(target, chart);
    // canvases do not follow the page's colours by themselves
    const recolour = new MutationObserver(() => {
      remove();
      remove = draw(target, chart);
    });
    recolour.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      recolour.disconnect();
      remove();
    };
  }, [shape]);
  return <div class="plot" ref={element}>{!chart && <p class="quiet">{empty}</p>}</div>;
}

interface TableProps { head: string[]; rows: preact.ComponentChildren[][]; numeric: number[]; empty: string }

function Table({ head, rows, numeric, empty }: TableProps) {
  if (rows.length === 0) return <p class="quiet">{empty}</p>;
  const align = (i: number) => (numeric.includes(i) ? "number" : undefined);
  return <div class="scroll" tabIndex={0}><table>
    <thead><tr>{head.map((h, i) => <th key={i} scope="col" class={align(i)}>{h}</th>)}</tr></thead>
    <tbody>{rows.map((row, r) => <tr key={r}>{row.map((cell, i) => <td key={i} class={align(i)}>{cell}</td>)}</tr>)}</tbody>
  </table></div>;
}

const formats: Array<[format: string, name: string, note: Key]> = [
  ["nifti", "NIfTI", "export.nifti"], ["nrrd", "NRRD (.seg.nrrd)", "export.nrrd"], ["dicom-seg", "DICOM SEG", "export.dicom"], ["csv", "CSV", "export.csv"],
];

const rests = ["ignore", "background", "prediction"] as const;

function Export({ model }: { model: boolean }) {
  const [partial, setPartial] = useState(true);
  const [accepted, setAccepted] = useState(false);
  const [rest, setRest] = useState<"background" | "ignore" | "prediction">("ignore");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState("");

  async function save(format: string): Promise<void> {
    setBusy(format);
    setProblem("");
    try {
      const { name, data } = await file(paths.export(format, partial, accepted, rest));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(data);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.message);
    }
    setBusy("");
  }

  return <section class="panel export">
    <h2>{t("export")}</h2>
    <label class="check"><input type="checkbox" checked={partial} onChange={() => setPartial(!partial)} /><span>{t("export.partial")}</span></label>
    <label class="check"><input type="checkbox" checked={accepted} onChange={() => setAccepted(!accepted)} /><span>{t("export.accepted")}</span></label>
    <label class="rest">{t("export.rest")}
      <select value={rest} onChange={(e) => setRest(e.currentTarget.value as typeof rest)}>
        {rests.filter((value) => model || value !== "prediction").map((value) => <option key={value} value={value}>{t(`export.${value}`)}</option>)}
      </select>
    </label>
    {formats.map(([format, name, note]) => <p key={format}>
      <button type="button" data-format={format} disabled={busy !== ""} onClick={() => void save(format)}>{busy === format ? t("export.writing") : name}</button> <span class="quiet">{t(note)}</span>
    </p>)}
    <p class="problem" role="alert">{problem}</p>
    <p class="quiet">{t("export.scripts")} <a href={`${root}/openapi.json`}>{t("export.api")}</a></p>
  </section>;
}
