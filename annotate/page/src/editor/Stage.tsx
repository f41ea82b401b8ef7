import { useEffect, useRef } from "preact/hooks";
import type { Project, Task } from "../api";
import type { Choice, Flow } from "../flow";
import { className, number } from "../format";
import { settings } from "../settings";
import { said } from "../said";
import { t, type Key } from "../texts";
import type { Panel } from "./display";
import type { Editor } from "./editor";
import { unsure } from "./layers";
import { listen } from "./pointer";
import { Scene } from "./scene";
import { SliceBar } from "./SliceBar";
import { keepFocus } from "./Toolbar";
import { shownLetters } from "./view";

export function Stage({ flow, project }: { flow: Flow; project: Project }) {
  const { editor, status } = flow, { task, context } = editor;
  const canvas = useRef<HTMLCanvasElement>(null), over = useRef<HTMLCanvasElement>(null), readout = useRef<HTMLSpanElement>(null);
  const scene = useRef<Scene | null>(null);

  useEffect(() => {
    const drawn = new Scene(canvas.current!, over.current!, editor);
    scene.current = drawn;
    if (editor.task) editor.draw({ kind: "slice" });
    const stop = listen(canvas.current!, editor, {
      scroll: (slices) => void flow.scroll(slices),
      active: () => flow.clock.active(),
      // for the browser's performance timeline, and the tests
      painted: (event, began) => {
        performance.measure("stroke", { start: event });
        performance.measure("paint", { start: began });
      },
    });
    editor.pointed = () => { if (readout.current) readout.current.textContent = under(editor); };
    const observer = new ResizeObserver(() => drawn.resize());
    observer.observe(canvas.current!);
    return () => {
      stop();
      observer.disconnect();
      drawn.close();
      editor.pointed = () => {};
    };
  }, [editor]);

  const shown = context?.slice ?? task?.slice ?? 0;
  return <div class="stage">
    <div class="screen" data-busy={flow.busy || (task !== null && flow.deaf) || undefined}>
      <canvas ref={canvas} tabIndex={0} aria-label={task ? t("stage.slice", { slice: shown + 1, slices: task.slices, case: task.case }) : t("stage.noSlice")} />
      <canvas ref={over} class="over" aria-hidden="true" />
      {task && <>
        {editor.panels.map((panel) => <Frame key={panel.channel} editor={editor} task={task} panel={panel} />)}
        <p class="corner top left"><b>{task.case}</b><br />{t("stage.sliceOf", { slice: shown + 1, slices: task.slices })}<br />{position(task, shown)}</p>
        <p class="corner top right">{t(`convention.${settings.convention}`)}<br />{task.width} × {task.height}<br />{number(task.spacing[1])} × {number(task.spacing[0])} {task.unit}</p>
        <p class="corner bottom left"><span ref={readout} /></p>
        <p class="corner bottom right">{editor.showUncertainty && editor.uncertainty && !context && <Legend share={(scene.current?.uncertaintyTop ?? 0) / mostUncertain(editor)} />}
          {!context && editor.compared.map((c) => <span key={c.name} class="compared" style={{ borderBottom: `2px ${c.dash.length > 0 ? "dashed" : "solid"} ${c.color}` }}>{c.name}</span>)}
          {editor.outlined && !context && <span class="dashed">{t("stage.proposal")}</span>}
          {context?.mask && <span class={context.mask.of === "label" ? undefined : "dashed"}>{t(masks[context.mask.of])}</span>}</p>
        {!context && <State flow={flow} task={task} />}
      </>}
      {context && task && <div class="banner">
        <span>{t(shown > task.slice ? "stage.after" : "stage.before", { slice: shown + 1, n: Math.abs(shown - task.slice) })}</span>
        <button type="button" class="back" onMouseDown={keepFocus} onClick={() => flow.back()}>{t("stage.back")} <kbd>Q</kbd></button>
        <button type="button" class="edit" onMouseDown={keepFocus} onClick={() => void flow.editNeighbour()}>{t("stage.edit")} <kbd>⇧ Enter</kbd></button>
      </div>}
      {!context && flow.readings && <Readings flow={flow} />}
      {!task && <div class="empty"><Empty flow={flow} status={status} project={project} /></div>}
    </div>
    {task && <SliceBar flow={flow} task={task} shown={shown} />}
  </div>;
}

/** What lies over one channel of the slice: the letters at its edges and, of several channels, its name. */
function Frame({ editor, task, panel }: { editor: Editor; task: Task; panel: Panel }) {
  const letters = shownLetters(task.orientation, editor.view.place), several = editor.panels.length > 1;
  return <div class="frame" style={{ left: `${panel.x}px`, top: `${panel.y}px`, width: `${panel.width}px`, height: `${panel.height}px` }}>
    <span class="letter west">{letters.left}</span><span class="letter east">{letters.right}</span>
    <span class="letter north">{letters.top}</span><span class="letter south">{letters.bottom}</span>
    {several && <span class="channel" data-active={editor.channel === panel.channel || undefined}>{task.channels?.[panel.channel]?.name}</span>}
  </div>;
}

const masks = { label: "stage.savedLabel", shape: "stage.shape", model: "stage.modelMask" } as const;

/** What a person must not overlook: that the mask is a shape between two labels, that the proposal is empty, or why there is none. */
function State({ flow, task }: { flow: Flow; task: Task }) {
  const { editor } = flow, shape = editor.touched || task.draft ? null : flow.shapes.around(task.case, task.slice);
  if (shape) {
    const n = flow.shapes.slices(task.case).length, values = { before: shape.before + 1, after: shape.after + 1, n };
    return <p class="why" role="status">{n === 1 ? t("stage.shapeLast", values) : t("stage.shapeOf", values)}</p>;
  }
  if (editor.isProposal && editor.isEmpty) return <p class="says" role="status"><b>{t("stage.saysEmpty")}</b><br /><span>{t("stage.saysEmptyHint")}</span></p>;
  if (task.proposal_note && !editor.touched) return <p class="why" role="status">{said(task.proposal_why, task.proposal_note)}</p>;
  return null;
}

const choices: Array<[Choice, Key]> = [["first", "stage.takeA"], ["second", "stage.takeB"], ["union", "stage.union"], ["common", "stage.common"]];

/** The ways to decide between two readings. */
function Readings({ flow }: { flow: Flow }) {
  const { names } = flow.readings!;
  return <div class="banner" role="group" aria-label={t("stage.readings")}>
    <span>{t("stage.whose", { a: names[0], b: names[1] })}</span>
    {choices.map(([choice, name], n) => <button key={choice} type="button" class="choose" data-choice={choice} onMouseDown={keepFocus} onClick={() => flow.choose(choice)}>{t(name)} <kbd>Alt {n + 1}</kbd></button>)}
  </div>;
}

function Empty({ flow, status, project }: { flow: Flow; status: Flow["status"]; project: Project }) {
  switch (status.kind) {
    case "finished": {
      const done = project.labelled + project.skipped >= project.items;
      return <>
        <p><b>{t(done ? "stage.doneAll" : "stage.doneNone")}</b></p>
        <p>{t(done ? "stage.thanks" : project.training?.running ? "stage.training" : "stage.others")}</p>
        <p>{!done && <button class="primary" onClick={() => void flow.next()}>{t("stage.askAgain")}</button>} <a href="#/dashboard">{t("header.dashboard")}</a></p>
      </>;
    }
    case "failed":
      return <>
        <p><b>{t("stage.notOpened")}</b></p>
        <p>{status.text}</p>
        <p><button class="primary" onClick={() => void flow.start(null)}>{t("page.again")}</button></p>
      </>;
    default:
      return <p>{t("stage.opening")}</p>;
  }
}

/** The entropy where all classes are as likely, nats. Unsure is no class. */
function mostUncertain(e: Editor): number {
  return Math.log(Math.max(2, e.classes.filter((c) => c.value !== unsure).length));
}

/** share is the slice's largest uncertainty as part of the largest that there can be. */
function Legend({ share }: { share: number }) {
  return <span class="legend" title={t("stage.legendHint", { top: Math.round(100 * share) })}>{t("stage.legend")} <i aria-hidden="true" /> {t("stage.highest")}</span>;
}

/** The voxel under the cursor, its value in each channel and its class. */
function under(e: Editor): string {
  if (!e.task || !e.cursor) return "";
  const [x, y] = e.cursor, { width, height } = e.task;
  if (x < 0 || y < 0 || x >= width || y >= height) return "";
  const i = y * width + x, labels = e.context ? e.context.mask?.labels : e.labels;
  const values = e.shownChannels.map((c) => `${e.channels > 1 ? `${e.task!.channels![c].name} ` : ""}${number(e.shownImage(c)[i], 4)}`).join(" · ");
  const name = labels ? ` · ${className(labels[i], e.classes)}` : "";
  return `${t("stage.voxel", { x, y })} · ${values}${name}`;
}

/** Where a slice lies along the world axis nearest to the slices' normal. */
function position(task: Task, shown: number): string {
  return `${number(task.position_mm + (shown - task.slice) * task.step_mm, 4)} ${task.unit}`;
}
