import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, file, paths, root, type Curves, type LogEntry, type Model, type Project, type QueueEntry } from "../api";
import { duration, fraction, number, when } from "../format";
import { draw, movingMean, type Chart } from "./charts";

interface Data { queue: QueueEntry[]; curves: Curves; models: Model[]; log: LogEntry[] }

export function Dashboard({ project }: { project: Project }) {
  const [data, setData] = useState<Data | null>(null);
  const [problem, setProblem] = useState("");
  // the project changes whenever the server tells of something new
  useEffect(() => {
    let gone = false;
    Promise.all([api.queue(), api.curves(), api.models(), api.history(100)]).then(([queue, curves, models, log]) => {
      if (!gone) setData({ queue: queue ?? [], curves, models: models ?? [], log: log ?? [] });
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
  return <main class="dashboard">
    {problem && <p class="problem" role="alert">{problem}</p>}
    <section class="numbers" aria-label="Summary">
      <Figure name="Labelled" value={`${project.labelled}`} note={`of ${project.items} slices, ${project.skipped} skipped`} />
      <Figure name="Time on labels" value={duration(seconds)} note={labels.length > 0 ? `${duration(seconds / labels.length)} a slice` : "no label yet"} />
      <Figure name="Validation Dice" value={fraction(project.model?.validation_dice)} note={project.model ? `model ${project.model.version}, ${project.model.labelled} labels` : "no model yet"} />
      <Figure name="Proposal Dice" value={fraction(last?.proposal_dice)} note="proposal to saved mask, last cycle" />
      <Figure name="Next labels" value={forecast ? (forecast.gain === null ? "–" : `${forecast.gain >= 0 ? "+" : ""}${number(forecast.gain, 2)} Dice`) : "–"}
        note={forecast ? forecast.text || `from ${forecast.next_labels} more labels` : "no estimate yet"} />
      <div class={project.stop?.suggested ? "figure stop" : "figure"}>
        <h2>Stop?</h2>
        <b>{project.stop?.suggested ? "Suggested" : "Not yet"}</b>
        <p>{project.stop?.reason || "The stop rule needs more cycles."}</p>
      </div>
    </section>

    <section class="panel">
      <h2>Learning curve</h2>
      <Plot empty="A point appears after each training." chart={cycles.length > 0 ? {
        x: cycles.map((c) => c.labelled), xLabel: "labelled slices", yLabel: "Dice", dice: true,
        lines: [
          { label: "validation", color: "--chart-1", values: cycles.map((c) => c.validation_dice) },
          { label: "proposal to saved", color: "--chart-2", values: cycles.map((c) => c.proposal_dice) },
        ],
      } : null} />
    </section>
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
      <h2>Queue <span class="quiet">{project.strategy}, {project.query_size} a cycle{project.disputed > 0 && `, ${project.disputed} disputed`}</span></h2>
      <Table head={["Rank", "Slice", "Score", "For", "State"]} numeric={[0, 2]} empty="The queue is empty."
        rows={data.queue.filter((q) => q.rank > 0).map((q) => [q.rank, <Item id={q.item} />, number(q.score), q.purpose,
          q.person ? <span title={q.until ? `until ${when(q.until)}` : ""}>with {q.person}</span> : q.state])} />
    </section>
    <section class="panel">
      <h2>Labels</h2>
      <Table head={["No.", "Slice", "Dice to proposal", "Time"]} numeric={[0, 2, 3]} empty="Nothing is labelled yet."
        rows={labels.slice().reverse().map((l) => [l.n, <Item id={l.item} />, fraction(l.dice_to_proposal), duration(l.seconds)])} />
    </section>
    <section class="panel">
      <h2>Models</h2>
      <Table head={["Version", "Cycle", "Labels", "Validation Dice", "", "When"]} numeric={[0, 1, 2, 3]} empty="No model has been trained yet."
        rows={data.models.slice().sort((a, b) => b.version - a.version).map((m) => [m.version, m.cycle, m.labelled, fraction(m.validation_dice), m.in_use ? <b title={m.reason}>in use</b> : <span title={m.reason}>{m.reason ? "why?" : ""}</span>, when(m.when)])} />
    </section>

    <section class="panel wide">
      <h2>Log</h2>
      <Table head={["When", "Who", "What", "Slice", ""]} numeric={[]} empty="Nothing has happened yet."
        rows={data.log.map((e) => [when(e.when), e.person, e.action, e.item.includes("/") ? <Item id={e.item} /> : e.item, e.detail])} />
    </section>
    <div class="stack">
      <section class="panel">
        <h2>People</h2>
        <Table head={["Name", "Labels", "Time"]} numeric={[1, 2]} empty="Nobody has logged in yet."
          rows={(project.people ?? []).map((p) => [<span title={p.role}>{p.name}</span>, p.labelled, duration(60 * p.minutes)])} />
      </section>
      <Export />
    </div>
  </main>;
}

function Figure({ name, value, note }: { name: string; value: string; note: string }) {
  return <div class="figure"><h2>{name}</h2><b>{value}</b><p>{note}</p></div>;
}

function Item({ id }: { id: string }) {
  return <a href={`#/item/${encodeURIComponent(id)}`}>{id}</a>;
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

function Export() {
  const [partial, setPartial] = useState(true);
  const [fill, setFill] = useState(false);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState("");

  async function save(format: string): Promise<void> {
    setBusy(format);
    setProblem("");
    try {
      const { name, data } = await file(paths.export(format, partial, fill));
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
    <label class="check"><input type="checkbox" checked={fill} onChange={() => setFill(!fill)} /><span>The model's prediction where nothing is labelled</span></label>
    {formats.map(([format, name, note]) => <p key={format}>
      <button type="button" data-format={format} disabled={busy !== ""} onClick={() => void save(format)}>{busy === format ? "Writing…" : name}</button> <span class="quiet">{note}</span>
    </p>)}
    <p class="problem" role="alert">{problem}</p>
    <p class="quiet">For scripts: <a href={`${root}/openapi.json`}>description of the API</a></p>
  </section>;
}
