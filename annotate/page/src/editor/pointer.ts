// The mouse, pen and touch on the editor's canvas.

import { settings } from "../settings";
import type { Editor } from "./editor";

type Drag = "paint" | "polygon" | "window" | "pan" | "zoom";

export interface PointerHooks {
  /** The wheel asks for a neighbouring slice, by so many slices. */
  scroll: (slices: number) => void;
  /** The person did something. */
  active: () => void;
  /** A part of a stroke is painted and drawn: when its event came, when work on it began. */
  painted: (event: number, began: number) => void;
}

/** Connects a canvas with the editor; returns how to disconnect. */
export function listen(canvas: HTMLCanvasElement, editor: Editor, hooks: PointerHooks): () => void {
  let drag: Drag | null = null;
  let erase = false;
  let last: [number, number] = [0, 0]; // screen
  let voxel: [number, number] = [0, 0];
  let spaceHeld = false;
  let wheelRest = 0;

  const at = (e: MouseEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  };
  const voxelAt = (e: MouseEvent): [number, number] => {
    const [x, y] = editor.view.toVoxel(...at(e));
    return [Math.floor(x), Math.floor(y)];
  };
  const label = () => (erase || editor.tool === "eraser" ? 0 : editor.label);

  function what(e: PointerEvent): Drag | null {
    if (e.button === 1 || (e.button === 0 && spaceHeld)) return "pan";
    if (e.button === 2) {
      const zooms = settings.mouse === "zoom";
      return zooms !== e.ctrlKey ? "zoom" : "window";
    }
    if (e.button !== 0 || !editor.editable()) return null;
    return editor.tool === "polygon" ? "polygon" : "paint";
  }

  function down(e: PointerEvent): void {
    hooks.active();
    if (drag || !editor.task) return;
    const began = performance.now();
    drag = what(e);
    if (!drag) return;
    e.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(e.pointerId);
    last = at(e);
    voxel = voxelAt(e);
    erase = e.altKey || (e.pointerType === "pen" && (e.buttons & 32) !== 0);
    editor.cursor = voxel;
    if (drag === "polygon") {
      const first = editor.corners[0];
      if (first && editor.corners.length > 2) {
        const [fx, fy] = editor.view.toScreen(...first);
        if (Math.hypot(fx - last[0], fy - last[1]) < 8) {
          editor.closePolygon(label());
          drag = null;
          return;
        }
      }
      editor.addCorner(...editor.view.toVoxel(...last));
    } else if (drag === "paint" && editor.tool === "fill") {
      editor.fillAt(...voxel, label());
      drag = null;
    } else if (drag === "paint") {
      editor.liftPen();
      performance.clearMeasures("stroke"); // a day of strokes would fill the timeline
      performance.clearMeasures("paint");
      editor.beginStroke();
      editor.stroke(...voxel, ...voxel, label());
      hooks.painted(e.timeStamp, began);
    }
  }

  function move(e: PointerEvent): void {
    hooks.active();
    if (!editor.task) return;
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
        const next = voxelAt(step);
        if (next[0] === voxel[0] && next[1] === voxel[1]) continue;
        editor.cursor = next;
        editor.stroke(...voxel, ...next, label());
        voxel = next;
      }
      hooks.painted(e.timeStamp, began);
    } else if (drag === "polygon") {
      // dragging draws freehand: a corner every few pixels
      const [px, py] = editor.view.toScreen(...editor.corners[editor.corners.length - 1]);
      editor.cursor = voxelAt(e);
      if (Math.hypot(px - here[0], py - here[1]) > 5) editor.addCorner(...editor.view.toVoxel(...here));
    } else {
      editor.hover(voxelAt(e));
    }
    last = here;
  }

  function up(e: PointerEvent): void {
    if (canvas.hasPointerCapture(e.pointerId)) canvas.releasePointerCapture(e.pointerId);
    if (drag === "paint") {
      if (e.type === "pointercancel") editor.cancelStroke();
      else editor.endStroke();
    }
    drag = null;
  }

  function wheel(e: WheelEvent): void {
    e.preventDefault();
    hooks.active();
    if (!editor.task || drag === "paint") return;
    // some systems turn Shift+wheel into a horizontal wheel
    const delta = (e.deltaY || e.deltaX) * (e.deltaMode === 1 ? 33 : e.deltaMode === 2 ? 400 : 1);
    if (e.ctrlKey) {
      editor.moveView((v) => v.zoom(Math.exp(-delta / 500), ...at(e)));
      return;
    }
    wheelRest += delta;
    const steps = Math.trunc(wheelRest / 50) || (Math.abs(delta) >= 50 ? Math.sign(delta) : 0);
    if (steps === 0) return;
    wheelRest = 0;
    const once = Math.sign(steps) as 1 | -1;
    if (e.shiftKey) editor.stepBrush(once === 1 ? -1 : 1);
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

  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("dblclick", close);
  canvas.addEventListener("wheel", wheel, { passive: false });
  canvas.addEventListener("contextmenu", stop);
  canvas.addEventListener("auxclick", stop);
  window.addEventListener("keydown", key);
  window.addEventListener("keyup", key);
  window.addEventListener("blur", release);
  return () => {
    canvas.removeEventListener("pointerdown", down);
    canvas.removeEventListener("pointermove", move);
    canvas.removeEventListener("pointerup", up);
    canvas.removeEventListener("pointercancel", up);
    canvas.removeEventListener("pointerleave", leave);
    canvas.removeEventListener("dblclick", close);
    canvas.removeEventListener("wheel", wheel);
    canvas.removeEventListener("contextmenu", stop);
    canvas.removeEventListener("auxclick", stop);
    window.removeEventListener("keydown", key);
    window.removeEventListener("keyup", key);
    window.removeEventListener("blur", release);
  };
}
