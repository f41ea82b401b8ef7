import { splitItem, type Task } from "../api";
import type { Flow } from "../flow";

/** All slices of the case, first at the top; those of the queue stand out, a click looks at one. */
export function SliceBar({ flow, task, shown }: { flow: Flow; task: Task; shown: number }) {
  const marks = flow.queue.map((q) => ({ ...splitItem(q.item), ...q })).filter((q) => q.case === task.case && q.item !== task.item);
  const at = (slice: number) => `${100 * (slice + 0.5) / task.slices}%`;
  const go = (e: PointerEvent) => {
    if (e.type === "pointermove" && e.buttons !== 1) return;
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    void flow.look(Math.floor((e.clientY - box.top) / box.height * task.slices));
  };
  return <div class="slicebar" role="slider" tabIndex={0} aria-label="Slice of the case" aria-orientation="vertical" aria-valuemin={1} aria-valuemax={task.slices}
    aria-valuenow={shown + 1} aria-valuetext={`slice ${shown + 1} of ${task.slices}${shown === task.slice ? ", the queued one" : ", to look at only"}`}
    title="Slices of this case; marked: in the queue" onPointerDown={go} onPointerMove={go}
    onKeyDown={(e) => {
      const step = { ArrowUp: -1, PageUp: -1, ArrowDown: 1, PageDown: 1 }[e.key];
      if (step) void flow.scroll(step);
      else if (e.key === "Home") void flow.look(0);
      else if (e.key === "End") void flow.look(task.slices - 1);
      else return;
      e.preventDefault();
    }}>
    {marks.map((q) => <i key={q.item} class={q.state} style={{ top: at(q.slice) }} />)}
    <i class="task" style={{ top: at(task.slice) }} />
    <i class="shown" style={{ top: at(shown) }} />
  </div>;
}
