import type { Task } from "../api";
import type { Flow } from "../flow";
import { t } from "../texts";

/** All slices of the case, first at the top; those of the queue stand out, a click looks at one. */
export function SliceBar({ flow, task, shown }: { flow: Flow; task: Task; shown: number }) {
  const labelled = task.labelled_slices ?? [], shapes = flow.shapes.slices(task.case).filter((k) => !labelled.includes(k)), queued = (task.queued_slices ?? []).filter((k) => k !== task.slice);
  const at = (slice: number) => `${100 * (slice + 0.5) / task.slices}%`;
  const go = (e: PointerEvent) => {
    if (e.type === "pointermove" && e.buttons !== 1) return;
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    void flow.look(Math.floor((e.clientY - box.top) / box.height * task.slices));
  };
  return <div class="slicebar" role="slider" tabIndex={0} aria-label={t("bar")} aria-orientation="vertical" aria-valuemin={1} aria-valuemax={task.slices}
    aria-valuenow={shown + 1} aria-valuetext={t(shown === task.slice ? "bar.queued" : "bar.look", { slice: t("stage.sliceOf", { slice: shown + 1, slices: task.slices }) })}
    title={t("bar.hint")} onPointerDown={go} onPointerMove={go}
    onKeyDown={(e) => {
      const step = { ArrowUp: -1, PageUp: -1, ArrowDown: 1, PageDown: 1 }[e.key];
      if (step) void flow.scroll(step);
      else if (e.key === "Home") void flow.look(0);
      else if (e.key === "End") void flow.look(task.slices - 1);
      else return;
      e.preventDefault();
    }}>
    {labelled.map((k) => <i key={`l${k}`} class="done" style={{ top: at(k) }} />)}
    {shapes.map((k) => <i key={`s${k}`} class="shape" style={{ top: at(k) }} />)}
    {queued.map((k) => <i key={k} style={{ top: at(k) }} />)}
    <i class="task" style={{ top: at(task.slice) }} />
    <i class="shown" style={{ top: at(shown) }} />
  </div>;
}
