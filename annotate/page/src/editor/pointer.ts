// The mouse, pen and touch on the editor's canvas.
//
// One pointer draws at a time: the one that began. Two fingers move and zoom the slice and never draw, three go through the
// slices. Once a pen was used, fingers and the hand that rests on the screen do not draw: one finger then moves the slice.

import { settings } from "../settings";
import type { Panel } from "./display";
import type { Editor } from "./editor";

type Drag = "paint" | "hint" | "polygon" | "window" | "pan" | "zoom" | "fingers" | "over";

type Point = [x: number, y: number];

export interface PointerHooks {
  /** The wheel asks for a neighbouring slice, by so many slices. */
  scroll: (slices: number) => void;
  /** The person did something. */
  active: () => void;
  /** A part of a stroke is painted and drawn: when its event came, when work on it began. */
  painted: (event: number, began: number) => void;
}

/** A contact wider than this many CSS pixels is a hand, not a finger. */
const palm = 60;
/** How far three fingers move for a slice, CSS pixels. */
const perSlice = 36;

/** Connects a canvas with the editor; returns how to disconnect. */
export function listen(canvas: HTMLCanvasElement, editor: Editor, hooks: PointerHooks): () => void {
  let drag: Drag | null = null;
  let drawing = -1; // pointerId of the drag
  let drawsBy = ""; // and its kind
  let corners = 0; // of the polygon that this drag has set
  let penSeen = false;
  let erase = false;
  let panel: Panel | null = null; // that the drag began on
  let last: Point = [0, 0]; // screen
  let voxel: Point = [0, 0];
  let spaceHeld = false;
  let wheelRest = 0, fingerRest = 0;
  const fingers = new Map<number, Point>();

  const onCanvas = (e: MouseEvent): Point => {
    const box = canvas.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  };
  const under = ([x, y]: Point): Panel | null => editor.panels.find((p) => x >= p.x && y >= p.y && x < p.x + p.width && y < p.y + p.height) ?? editor.panels[0] ?? null;
  /** Where a pointer is on the panel of the drag, or else on the one under it. */
  const at = (e: MouseEvent): Point => {
    const [x, y] = onCanvas(e), p = (drag && panel) || under([x, y]);
    return p ? [x - p.x, y - p.y] : [x, y];
  };
  const voxelOf = (p: Point): Point => {
    const [x, y] = editor.view.toVoxel(...p);
    return [Math.floor(x), Math.floor(y)];
  };
  const label = () => (erase || editor.tool === "eraser" ? 0 : editor.label);

  function what(e: PointerEvent): Drag | null {
    if (e.button === 1 || (e.button === 0 && spaceHeld)) return "pan";
    if (e.button === 2) {
      const zooms = settings.mouse === "zoom";
      return zooms !== e.ctrlKey ? "zoom" : "window";
    }
    if (e.pointerType === "touch" && penSeen) return "pan";
    if (e.button === 0 && editor.tool === "window") return "window";
    if ((e.button !== 0 && e.button !== 5) || !editor.editable()) return null; // 5: a pen's eraser
    return editor.tool === "polygon" ? "polygon" : editor.tool === "hint" && !e.ctrlKey ? "hint" : "paint";
  }

  /** Takes back what the drag under way has drawn. */
  function giveUp(): void {
    if (drag === "paint") editor.cancelStroke();
    if (drag === "hint") editor.cancelHint();
    if (drag === "polygon") editor.dropCorners(corners);
  }

  function begin(to: Drag, e: PointerEvent): void {
    drag = to;
    drawing = e.pointerId;
    drawsBy = e.pointerType;
    corners = 0;
    try {
      canvas.setPointerCapture(e.pointerId);
    } catch {
      // it has been lifted already
    }
  }

  function down(e: PointerEvent): void {
    hooks.active();
    if (!editor.task) return;
    if (e.pointerType === "pen") penSeen = true;
    if (e.pointerType === "touch") {
      fingers.set(e.pointerId, onCanvas(e));
      if (Math.max(e.width, e.height) > palm && drag === null) {
        e.preventDefault();
        return;
      }
      if (drag && drawsBy !== "touch") return; // a hand beside the pen
      if (fingers.size > 1) {
        giveUp();
        begin("fingers", e);
        e.preventDefault();
        return;
      }
    } else if (drag && drawsBy === "touch") { // the hand came before the pen
      giveUp();
      drag = null;
    }
    if (drag) return;
    const began = performance.now();
    panel = under(onCanvas(e));
    const chosen = what(e);
    if (!chosen) return;
    begin(chosen, e);
    e.preventDefault();
    canvas.focus({ preventScroll: true });
    last = at(e);
    voxel = voxelOf(last);
    erase = e.altKey || (e.pointerType === "pen" && (e.buttons & 32) !== 0);
    editor.cursor = voxel;
    if (panel) editor.point(panel.channel);
    if (drag === "polygon") {
      const first = editor.corners[0];
      if (first && editor.corners.length > 2) {
        const [fx, fy] = editor.view.toScreen(...first);
        if (Math.hypot(fx - last[0], fy - last[1]) < 8) {
          editor.closePolygon(label());
          drag = "over";
          return;
        }
      }
      editor.addCorner(...editor.view.toVoxel(...last));
      corners = 1;
    } else if (drag === "hint") {
      editor.liftPen();
      if (!editor.beginHint(...voxel, erase !== editor.excluding ? 2 : 1)) drag = "over";
    } else if (drag === "paint" && e.ctrlKey) {
      editor.pick();
      drag = "over";
    } else if (drag === "paint" && editor.tool === "fill") {
      editor.fillAt(...voxel, label());
      drag = "over";
    } else if (drag === "paint") {
      editor.liftPen();
      performance.clearMeasures("stroke"); // a day of strokes would fill the timeline
      performance.clearMeasures("paint");
      editor.beginStroke(...voxel);
      editor.stroke(...voxel, ...voxel, label());
      hooks.painted(e.timeStamp, began);
    }
  }

  /** Two fingers move and zoom, three go through the slices. */
  function moveFingers(e: PointerEvent): void {
    const before = [...fingers.values()];
    fingers.set(e.pointerId, onCanvas(e));
    const after = [...fingers.values()], n = after.length;
    const middle = (p: Point[]): Point => [p.reduce((s, q) => s + q[0], 0) / p.length, p.reduce((s, q) => s + q[1], 0) / p.length];
    const [bx, by] = middle(before), [ax, ay] = middle(after);
    if (n >= 3) {
      fingerRest += ay - by;
      const slices = Math.trunc(fingerRest / perSlice);
      if (slices === 0) return;
      fingerRest -= slices * perSlice;
      hooks.scroll(slices);
      return;
    }
    if (n < 2) return;
    const spread = (p: Point[]) => Math.hypot(p[0][0] - p[1][0], p[0][1] - p[1][1]);
    const p = panel ?? under(after[0]), factor = spread(after) / Math.max(1, spread(before));
    editor.moveView((v) => {
      v.pan(ax - bx, ay - by);
      if (Number.isFinite(factor) && factor > 0) v.zoom(factor, ax - (p?.x ?? 0), ay - (p?.y ?? 0));
    });
  }

  function move(e: PointerEvent): void {
    hooks.active();
    if (!editor.task) return;
    if (drag === "fingers") {
      if (fingers.has(e.pointerId)) moveFingers(e);
      return;
    }
    if (fingers.has(e.pointerId)) fingers.set(e.pointerId, onCanvas(e));
    if (drag && e.pointerId !== drawing) return;
    const here = at(e), [dx, dy] = [here[0] - last[0], here[1] - last[1]];
    if (drag === "window") {
      // x: width, y: level; the whole window per 250 pixels
      editor.dragWindow(Math.exp(dx / 250), dy / 250);
    } else if (drag === "pan") {
      editor.moveView((v) => v.pan(dx, dy));
    } else if (drag === "zoom") {
      editor.moveView((v) => v.zoom(Math.exp(-dy / 150)));
    } else if (drag === "paint") {
      const began = performance.now(), steps = e.getCoalescedEvents?.() ?? [];
      for (const step of steps.length > 0 ? steps : [e]) {
        const next = voxelOf(at(step));
        if (next[0] === voxel[0] && next[1] === voxel[1]) continue;
        editor.cursor = next;
        editor.stroke(...voxel, ...next, label());
        voxel = next;
      }
      hooks.painted(e.timeStamp, began);
    } else if (drag === "hint") {
      for (const step of e.getCoalescedEvents?.() ?? [e]) {
        const next = voxelOf(at(step));
        if (next[0] === voxel[0] && next[1] === voxel[1]) continue;
        editor.cursor = next;
        editor.hintTo(...voxel, ...next);
        voxel = next;
      }
    } else if (drag === "polygon") {
      // dragging draws freehand: a corner every few pixels
      const before = editor.corners[editor.corners.length - 1];
      if (!before) return; // a key has closed the polygon, or given it up
      const [px, py] = editor.view.toScreen(...before);
      editor.cursor = voxelOf(here);
      if (Math.hypot(px - here[0], py - here[1]) > 5) {
        editor.addCorner(...editor.view.toVoxel(...here));
        corners++;
      }
    } else if (!drag && e.pointerType !== "touch") {
      editor.hover(voxelOf(here));
    }
    last = here;
  }

  function up(e: PointerEvent): void {
    fingers.delete(e.pointerId);
    if (canvas.hasPointerCapture(e.pointerId)) canvas.releasePointerCapture(e.pointerId);
    if (drag === "fingers") {
      if (fingers.size === 0) drag = null; // the last finger of several draws nothing
      fingerRest = 0;
      return;
    }
    if (e.pointerId !== drawing) return;
    if (e.type === "pointercancel") giveUp();
    else if (drag === "paint") editor.endStroke();
    else if (drag === "hint") void editor.endHint();
    else if (drag === "polygon" && corners > 8) editor.closePolygon(label()); // drawn freehand: closed where it ends
    drag = null;
    drawing = -1;
  }

  function wheel(e: WheelEvent): void {
    e.preventDefault();
    hooks.active();
    if (!editor.task || drag === "paint") return;
    // some systems turn Shift+wheel into a horizontal wheel
    const delta = (e.deltaY || e.deltaX) * (e.deltaMode === 1 ? 33 : e.deltaMode === 2 ? 400 : 1);
    if (e.ctrlKey) {
      // a pinch on a trackpad comes as many small steps with Ctrl, a wheel as few large ones
      const factor = Math.abs(delta) < 50 ? Math.exp(-delta / 100) : 1.25 ** (-delta / 100);
      editor.moveView((v) => v.zoom(factor, ...at(e)));
      return;
    }
    wheelRest += delta;
    const steps = Math.trunc(wheelRest / 50) || (Math.abs(delta) >= 50 ? Math.sign(delta) : 0);
    if (steps === 0) return;
    wheelRest = 0;
    const once = Math.sign(steps) as 1 | -1;
    if (e.shiftKey) editor.stepBrush(once === 1 ? -1 : 1);
    else if (e.altKey && editor.range !== null) editor.stepRange(once === 1 ? -1 : 1);
    else hooks.scroll(once);
  }

  function key(e: KeyboardEvent): void {
    if (e.code === "Space") spaceHeld = e.type === "keydown";
    canvas.style.cursor = spaceHeld ? "grab" : "";
  }

  const leave = () => { if (!drag) editor.hover(null); };
  const stop = (e: Event) => e.preventDefault();
  const close = () => { if (editor.tool === "polygon") editor.closePolygon(label()); };
  const release = () => { spaceHeld = false; };

  const on: Array<[EventTarget, string, (e: never) => void, AddEventListenerOptions?]> = [
    [canvas, "pointerdown", down], [canvas, "pointermove", move], [canvas, "pointerup", up], [canvas, "pointercancel", up],
    [canvas, "pointerleave", leave], [canvas, "dblclick", close], [canvas, "wheel", wheel, { passive: false }],
    [canvas, "contextmenu", stop], [canvas, "auxclick", stop],
    [window, "keydown", key], [window, "keyup", key], [window, "blur", release],
  ];
  for (const [target, type, act, options] of on) target.addEventListener(type, act as EventListener, options);
  return () => { for (const [target, type, act, options] of on) target.removeEventListener(type, act as EventListener, options); };
}
