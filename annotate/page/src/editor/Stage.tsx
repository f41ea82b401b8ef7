import { useEffect, useRef } from "preact/hooks";
import type { Project, Task } from "../api";
import type { Choice, Flow } from "../flow";
import { number, sliceName, upper } from "../format";
import { settings } from "../settings";
import type { Panel } from "./display";
import type { Editor } from "./editor";
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
      <canvas ref={canvas} tabIndex={0} aria-label={task ? `Slice ${shown + 1} of ${task.slices} of case ${task.case}` : "No slice"} />
      <canvas ref={over} class="over" aria-hidden="true" />
      {task && <>
        {editor.panels.map((panel) => <Frame key={panel.channel} editor={editor} task={task} panel={panel} />)}
        <p class="corner top left"><b>{task.case}</b><br />slice {shown + 1} of {task.slices}<br />{position(task, shown)}</p>
        <p class="corner top right">{settings.convention}<br />{task.width} × {task.height}<br />{number(task.spacing[1])} × {number(task.spacing[0])} {task.unit}</p>
        <p class="corner bottom left"><span ref={readout} /></p>
        <p class="corner bottom right">{editor.showUncertainty && editor.uncertainty && !context && <Legend top={scene.current?.uncertaintyTop ?? 0} />}
          {!context && editor.compared.map((c) => <span key={c.name} class="compared" style={{ borderBottom: `2px ${c.dash.length > 0 ? "dashed" : "solid"} ${c.color}` }}>{c.name}</span>)}
          {editor.outlined && !context && <span class="dashed">proposal</span>}
          {context?.mask && <span class={context.mask.of === "model" ? "dashed" : undefined}>{context.mask.of === "model" ? "the model's mask" : "saved label"}</span>}</p>
        {!context && <State flow={flow} task={task} />}
      </>}
      {context && task && <div class="banner">
        <span>{upper(sliceName(shown))}, {Math.abs(shown - task.slice)} {shown > task.slice ? "after" : "before"} the one that is labelled: to look at only.</span>
        <button type="button" class="back" onMouseDown={keepFocus} onClick={() => flow.back()}>Back <kbd>Q</kbd></button>
        <button type="button" class="edit" onMouseDown={keepFocus} onClick={() => void flow.editNeighbour()}>Edit this slice <kbd>⇧ Enter</kbd></button>
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

/** What a person must not overlook: that the proposal is empty, or why there is none. */
function State({ flow, task }: { flow: Flow; task: Task }) {
  const { editor } = flow;
  if (editor.isProposal && editor.isEmpty) return <p class="says" role="status"><b>The model says: nothing here</b><br /><span>Enter saves the slice as empty</span></p>;
  if (task.proposal_note && !editor.touched) return <p class="why" role="status">{task.proposal_note}</p>;
  return null;
}

const choices: Array<[Choice, string]> = [["first", "Take A"], ["second", "Take B"], ["union", "Either"], ["common", "Both agree"]];

/** The ways to decide between two readings. */
function Readings({ flow }: { flow: Flow }) {
  const { names } = flow.readings!;
  return <div class="banner" role="group" aria-label="Two readings">
    <span>A is {names[0]}'s, B is {names[1]}'s.</span>
    {choices.map(([choice, name], n) => <button key={choice} type="button" class="choose" data-choice={choice} onMouseDown={keepFocus} onClick={() => flow.choose(choice)}>{name} <kbd>Alt {n + 1}</kbd></button>)}
  </div>;
}

function Empty({ flow, status, project }: { flow: Flow; status: Flow["status"]; project: Project }) {
  switch (status.kind) {
    case "finished": {
      const done = project.labelled + project.skipped >= project.items;
      return <>
        <p><b>{done ? "Every slice is labelled or skipped." : "Nothing waits for you now."}</b></p>
        <p>{done ? "Thank you. The labels can be exported from the dashboard." : project.training?.running
          ? "The model is being trained: it asks for the next slices when it is done. This page then goes on by itself."
          : "What was asked for is labelled, or others are working on it. This page goes on by itself when there is something."}</p>
        <p>{!done && <button class="primary" onClick={() => void flow.next()}>Ask again</button>} <a href="#/dashboard">Dashboard</a></p>
      </>;
    }
    case "failed":
      return <>
        <p><b>No slice could be opened.</b></p>
        <p>{status.text}</p>
        <p><button class="primary" onClick={() => void flow.start(null)}>Try again</button></p>
      </>;
    default:
      return <p>Opening…</p>;
  }
}

function Legend({ top }: { top: number }) {
  return <span class="legend" title={`Entropy of the model's answer, from a third of the slice's largest value: ${number(top, 2)} nats`}>uncertainty: a third <i aria-hidden="true" /> highest</span>;
}

/** The voxel under the cursor, its value in each channel and its class. */
function under(e: Editor): string {
  if (!e.task || !e.cursor) return "";
  const [x, y] = e.cursor, { width, height } = e.task;
  if (x < 0 || y < 0 || x >= width || y >= height) return "";
  const i = y * width + x, labels = e.context ? e.context.mask?.labels : e.labels;
  const values = e.shownChannels.map((c) => `${e.channels > 1 ? `${e.task!.channels![c].name} ` : ""}${number(e.shownImage(c)[i], 4)}`).join(" · ");
  const name = labels ? ` · ${e.classes.find((c) => c.value === labels[i])?.name ?? (labels[i] === 0 ? "background" : `class ${labels[i]}`)}` : "";
  return `column ${x} row ${y} · ${values}${name}`;
}

/** Where a slice lies along the world axis nearest to the slices' normal. */
function position(task: Task, shown: number): string {
  return `${number(task.position_mm + (shown - task.slice) * task.step_mm, 4)} ${task.unit}`;
}
