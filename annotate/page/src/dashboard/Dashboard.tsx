import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, file, itemOf, paths, root, type CaseState, type Curves, type DraftEntry, type LogEntry, type Model, type Project, type QueueEntry } from "../api";
import { duration, fraction, itemName, number, when } from "../format";
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
  const behind = judged && judged.labels > 0 ? `on ${judged.labels} validation slices of ${judged.cases} ${judged.cases === 1 ? "case" : "cases"}, ${judged.foreground} with foreground` : "";
  return <main class="dashboard">
    {problem && <p class="problem" role="alert">{problem}</p>}
    {(project.warnings?.length ?? 0) > 0 && <section class="panel warnings" aria-label="Warnings">
      <h2>About the data</h2>
      <ul>{project.warnings!.map((w) => <li key={w}>{w}</li>)}</ul>
    </section>}
    <section class="numbers" aria-label="Summary">
      <Figure name="Labelled" value={`${project.labelled}`} note={`of ${project.items} slices, ${project.skipped} skipped`} />
      <Figure name="Time on labels" value={duration(seconds)} note={labels.length > 0 ? `${duration(seconds / labels.length)} a slice` : "no label yet"} />
      <Figure name="Validation Dice" value={fraction(project.model?.validation_dice)} note={project.model ? `model ${project.model.version}, of ${project.model.labelled} labels${behind && `; ${behind}`}` : untilModel(project)} />
      <Figure name="Proposal Dice" value={fraction(last?.proposal_dice)} note="proposal to saved mask, last cycle" />
      <Figure name="More labels would bring" value={forecast ? (forecast.gain === null ? "–" : `${forecast.gain >= 0 ? "+" : ""}${number(forecast.gain, 2)} Dice`) : "–"}
        note={forecast ? forecast.text || `from ${forecast.next_labels} more labels` : "no estimate yet"} />
      <div class={project.stop?.suggested ? "figure stop" : "figure"}>
        <h2>Is it enough?</h2>
        <b>{project.stop?.suggested ? "Probably" : "Not yet"}</b>
        <p>{project.stop?.reason || "The stop rule needs more cycles."}</p>
      </div>
    </section>

    <section class="panel">
      <h2>Learning curve <span class="quiet">{behind && `all models ${behind}`}</span></h2>
      <Plot empty="A point appears after each training." chart={cycles.length > 0 ? {
        x: cycles.map((c) => c.labelled), xLabel: "labelled slices", yLabel: "Dice", dice: true,
        lines: [
          { label: "validation", color: "--chart-1", values: cycles.map((c) => c.validation_dice) },
          { label: "proposal to saved", color: "--chart-2", values: cycles.map((c) => c.proposal_dice) },
        ],
      } : null} />
    </section>
    <Export model={project.model !== null} />
    <section class="panel">
      <h2>Cases <span class="quiet">{data.cases.filter((c) => c.done).length} of {data.cases.length} done</span></h2>
      <Table head={["Case", "Labelled", "Waiting", "Proposed", ""]} numeric={[1, 2, 3]} empty="There are no cases."
        rows={data.cases.map((c) => [c.next === null ? c.case : <a href={`#/item/${encodeURIComponent(itemOf(c.case, c.next))}`}>{c.case}</a>,
          `${c.labelled} of ${c.slices}`, c.waiting || "", c.proposed || "", c.problem ? <span class="problem">{c.problem}</span> : <>
            {c.done ? <b>done</b> : c.skipped > 0 ? `${c.skipped} skipped` : ""} {c.use === "validation" && <span class="quiet">tests the model</span>}</>])} />
    </section>
    {data.drafts.length > 0 && <section class="panel">
      <h2>Your unfinished slices</h2>
      <Table head={["Slice", "Since"]} numeric={[]} empty="" rows={data.drafts.map((d) => [<Item id={d.item} />, when(d.when)])} />
    </section>}
    <section class="panel">
      <h2>Proposal to saved mask, slice by slice</h2>
      <Plot empty="A point appears with each slice that had a proposal." chart={labels.some((l) => l.dice_to_proposal !== null) ? {
        x: labels.map((l) => l.n), xLabel: "labels in order", yLabel: "Dice", dice: true,
        lines: [
          { label: "slice", color: "--chart-3", values: labels.map((l) => l.dice_to_proposal), points: true },
          { label: "mean of last 10", color: "--chart-2", values: movingMean(labels.map((l) => l.dice_to_proposal), 10) },
        ],
      } : null} />
    </section>
    <section class="panel">
      <h2>Time per slice</h2>
      <Plot empty="A point appears with each label." chart={labels.length > 0 ? {
        x: labels.map((l) => l.n), xLabel: "labels in order", yLabel: "seconds",
        lines: [
          { label: "slice", color: "--chart-3", values: labels.map((l) => l.seconds), points: true },
          { label: "mean of last 10", color: "--chart-1", values: movingMean(labels.map((l) => l.seconds), 10) },
        ],
      } : null} />
    </section>

    <section class="panel">
      <h2>To be labelled next <span class="quiet">{project.strategy}, {project.query_size} a cycle{project.disputed > 0 && `, ${project.disputed} disputed`}</span></h2>
      <Table head={["Rank", "Slice", "Score", "For", "State"]} numeric={[0, 2]} empty="Nothing waits."
        rows={data.queue.filter((q) => q.rank > 0).map((q) => [q.rank, <Item id={q.item} />, number(q.score), q.purpose,
          q.person ? `${q.person} has it${q.until ? ` until ${when(q.until)}` : ""}` : states[q.state] ?? q.state])} />
    </section>
    <section class="panel">
      <h2>Labels</h2>
      <Table head={["No.", "Slice", "Dice to proposal", "Time"]} numeric={[0, 2, 3]} empty="Nothing is labelled yet."
        rows={labels.slice().reverse().map((l) => [l.n, <Item id={l.item} />, fraction(l.dice_to_proposal), duration(l.seconds)])} />
    </section>
    <section class="panel">
      <h2>Models</h2>
      <Table head={["Version", "Cycle", "Labels", "Validation Dice", "", "When"]} numeric={[0, 1, 2, 3]} empty="No model has been trained yet."
        rows={data.models.slice().sort((a, b) => b.version - a.version).map((m) => [m.version, m.cycle, m.labelled, fraction(m.validation_dice), <Why model={m} />, when(m.when)])} />
    </section>

    <section class="panel wide">
      <h2>Log</h2>
      <Table head={["When", "Who", "What", "Slice", ""]} numeric={[]} empty="Nothing has happened yet."
        rows={data.log.map((e) => [when(e.when), e.person, e.action, e.item.includes("/") ? <Item id={e.item} /> : e.item, e.detail])} />
    </section>
    <div class="stack">
      <section class="panel">
        <h2>People</h2>
        <Table head={["Name", "Labels", "Time"]} numeric={[1, 2]} empty="Nobody has saved a label yet."
          rows={(project.people ?? []).map((p) => [<span title={p.role}>{p.name}</span>, p.labelled, duration(60 * p.minutes)])} />
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

const states: Record<string, string> = { waiting: "waits", disputed: "two readings differ", done: "done", skipped: "skipped", withdrawn: "no longer wanted" };

function untilModel({ until_model: until }: Project): string {
  return until === null || until === undefined ? "no model in use yet" : until > 0 ? `${until} more labels until the first model` : "the first model comes soon";
}

/** Whether a model is used, and why; the reason opens by mouse and by keyboard. */
function Why({ model: m }: { model: Model }) {
  const word = m.in_use ? <b>in use</b> : "not used";
  return m.reason ? <details class="why-model"><summary>{word}</summary><span>{m.reason}</span></details> : <>{word}</>;
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

const formats: Array<[string, string, string]> = [
  ["nifti", "NIfTI", "masks on the grid of their images"],
  ["nrrd", "NRRD (.seg.nrrd)", "for 3D Slicer"],
  ["dicom-seg", "DICOM SEG", "for DICOM images"],
  ["csv", "CSV", "what was labelled, by whom, when"],
];

const rests: Array<["background" | "ignore" | "prediction", string]> = [
  ["ignore", "255, to be ignored: nobody has looked at them"], ["background", "background, as if nothing were there"], ["prediction", "what the model makes of them"],
];

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
    <h2>Export</h2>
    <label class="check"><input type="checkbox" checked={partial} onChange={() => setPartial(!partial)} /><span>Cases that are only partly labelled too</span></label>
    <label class="check"><input type="checkbox" checked={accepted} onChange={() => setAccepted(!accepted)} /><span>Only labels that a reviewer has accepted</span></label>
    <label class="rest">Slices without a label hold
      <select value={rest} onChange={(e) => setRest(e.currentTarget.value as typeof rest)}>
        {rests.filter(([value]) => model || value !== "prediction").map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
    </label>
    {formats.map(([format, name, note]) => <p key={format}>
      <button type="button" data-format={format} disabled={busy !== ""} onClick={() => void save(format)}>{busy === format ? "Writing…" : name}</button> <span class="quiet">{note}</span>
    </p>)}
    <p class="problem" role="alert">{problem}</p>
    <p class="quiet">For scripts: <a href={`${root}/openapi.json`}>description of the API</a></p>
  </section>;
}
