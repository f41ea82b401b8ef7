import { useEffect, useRef } from "preact/hooks";
import type { Task } from "../api";
import type { Flow } from "../flow";
import { number } from "../format";
import { settings } from "../settings";
import type { Editor } from "./editor";
import { listen } from "./pointer";
import { Scene } from "./scene";
import { SliceBar } from "./SliceBar";
import { shownLetters } from "./view";

export function Stage({ flow }: { flow: Flow }) {
  const { editor, status } = flow, { task, context } = editor;
  const canvas = useRef<HTMLCanvasElement>(null), readout = useRef<HTMLSpanElement>(null);
  const scene = useRef<Scene | null>(null);

  useEffect(() => {
    const drawn = new Scene(canvas.current!, editor);
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

  const letters = task && shownLetters(task.orientation, editor.view.place);
  const shown = context?.slice ?? task?.slice ?? 0;
  return <div class="stage">
    <div class="screen" data-busy={flow.busy || undefined}>
      <canvas ref={canvas} tabIndex={0} aria-label={task ? `Slice ${shown + 1} of ${task.slices} of case ${task.case}` : "No slice"} />
      {task && <>
        <p class="corner top left"><b>{task.case}</b><br />slice {shown + 1} / {task.slices}<br />{position(task, shown)}</p>
        <p class="corner top right">{settings.convention}<br />{task.width} × {task.height}<br />{number(task.spacing[1])} × {number(task.spacing[0])} {task.unit}</p>
        <p class="corner bottom left"><span ref={readout} /></p>
        <p class="corner bottom right">{editor.showUncertainty && editor.uncertainty && !context && <Legend top={scene.current?.uncertaintyTop ?? 0} />}
          {editor.compared && !context && <span class="dotted">{editor.compared.name}</span>}
          {editor.showProposal && editor.proposal && !context && <span class="dashed">proposal</span>}</p>
        {letters && <>
          <span class="letter west">{letters.left}</span><span class="letter east">{letters.right}</span>
          <span class="letter north">{letters.top}</span><span class="letter south">{letters.bottom}</span>
        </>}
      </>}
      {context && task && <button type="button" class="banner" onClick={() => flow.back()}>
        Neighbour, {Math.abs(shown - task.slice)} {shown > task.slice ? "after" : "before"} the queued slice {task.slice + 1}: to look at only. <kbd>Q</kbd> returns
      </button>}
      {!task && <div class="empty"><Empty flow={flow} status={status} /></div>}
    </div>
    {task && <SliceBar flow={flow} task={task} shown={shown} />}
  </div>;
}

function Empty({ flow, status }: { flow: Flow; status: Flow["status"] }) {
  switch (status.kind) {
    case "finished":
      return <>
        <p><b>The queue is empty for now.</b></p>
        <p>New slices come when the model has been trained with the latest labels.</p>
        <p><button class="primary" onClick={() => void flow.next()}>Ask again</button> <a href="#/dashboard">Dashboard</a></p>
      </>;
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
  return <span class="legend">uncertainty 0 <i aria-hidden="true" /> {number(top, 2)} nats</span>;
}

/** The voxel under the cursor, its value and its class. */
function under(e: Editor): string {
  if (!e.task || !e.cursor) return "";
  const [x, y] = e.cursor, { width, height } = e.task;
  if (x < 0 || y < 0 || x >= width || y >= height) return "";
  const i = y * width + x;
  const name = e.context ? "" : ` · ${e.classes.find((c) => c.value === e.labels[i])?.name ?? (e.labels[i] === 0 ? "background" : `class ${e.labels[i]}`)}`;
  const nats = e.showUncertainty && e.uncertainty && !e.context ? ` · ${number(e.uncertainty[i], 2)} nats` : "";
  return `column ${x} row ${y} · ${number(e.shownImage[i], 4)}${name}${nats}`;
}

/** Where a slice lies along the world axis nearest to the slices' normal. */
function position(task: Task, shown: number): string {
  return `${number(task.position_mm + (shown - task.slice) * task.step_mm, 4)} ${task.unit}`;
}
