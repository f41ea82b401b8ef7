// The keyboard: one table that acts and that the help sheet shows.

import type { Flow } from "../flow";
import type { Editor } from "./editor";

export interface KeyContext { editor: Editor; flow: Flow; help: () => void; skip: () => void; viewer: () => void }

export interface Binding {
  keys: string[];
  group: "Slice" | "Draw" | "Show" | "Move";
  text: string;
  run: (c: KeyContext, key: string) => unknown;
}

export const bindings: Binding[] = [
  { keys: ["Enter", "Ctrl+S"], group: "Slice", text: "Accept or save, and go on", run: (c) => c.flow.submit() },
  { keys: ["K"], group: "Slice", text: "Save as empty: none of the classes is here", run: (c) => c.flow.markEmpty() },
  { keys: ["X"], group: "Slice", text: "Skip with a reason", run: (c) => c.skip() },
  { keys: ["N"], group: "Slice", text: "Next slice of the queue; a draft is kept", run: (c) => c.flow.next() },
  { keys: ["Shift+N"], group: "Slice", text: "Slice before", run: (c) => c.flow.previous() },
  { keys: ["Q"], group: "Slice", text: "From a neighbour back to the queued slice", run: (c) => c.flow.back() },
  { keys: ["Shift+Enter"], group: "Slice", text: "Label the neighbour that is shown", run: (c) => c.flow.editNeighbour() },
  { keys: ["Alt+1", "Alt+2", "Alt+3", "Alt+4"], group: "Slice", text: "Of two readings that differ: take A, take B, what either has, what both have",
    run: (c, key) => c.flow.choose((["first", "second", "union", "common"] as const)[Number(key.slice(-1)) - 1]) },
  { keys: ["?"], group: "Slice", text: "This list", run: (c) => c.help() },

  { keys: ["B"], group: "Draw", text: "Brush", run: (c) => c.editor.setTool("brush") },
  { keys: ["E"], group: "Draw", text: "Eraser (or hold Alt while drawing)", run: (c) => c.editor.setTool("eraser") },
  { keys: ["P"], group: "Draw", text: "Polygon: click corners; Enter, double click or the first corner closes. Drag: freehand, closed where it ends", run: (c) => c.editor.setTool("polygon") },
  { keys: ["F"], group: "Draw", text: "Fill the region of equal label under the cursor", run: (c) => c.editor.setTool("fill") },
  { keys: ["Shift+G"], group: "Draw", text: "Hints: point at what belongs to the class, and it is drawn; again, or with Alt: what does not belong", run: (c) => c.editor.pointOut() },
  { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], group: "Draw", text: "Class to draw; of more than nine type two digits", run: (c, key) => chooseClass(c.editor, Number(key)) },
  { keys: [",", ";"], group: "Draw", text: "Class before, after", run: (c, key) => c.editor.stepLabel(key === "," ? -1 : 1) },
  { keys: ["T"], group: "Draw", text: "Class under the cursor (also Ctrl and click)", run: (c) => c.editor.pick() },
  { keys: ["O"], group: "Draw", text: "Unsure: paint what you cannot tell", run: (c) => c.editor.paintUnsure() },
  { keys: ["J"], group: "Draw", text: "Brush for like grey values, on, off (Alt + wheel: more, less alike)", run: (c) => c.editor.toggleRange() },
  { keys: ["Shift+B"], group: "Draw", text: "Paint on background only, on, off", run: (c) => c.editor.toggleOnBackground() },
  { keys: ["L"], group: "Draw", text: "Lock the class, unlock it: nothing changes a locked class", run: (c) => c.editor.toggleLock() },
  { keys: ["[", "]"], group: "Draw", text: "Brush smaller, larger (also Shift + wheel)", run: (c, key) => c.editor.stepBrush(key === "[" ? -1 : 1) },
  { keys: ["Z", "Ctrl+Z"], group: "Draw", text: "Undo", run: (c) => c.editor.undo() },
  { keys: ["Y", "Ctrl+Y", "Ctrl+Shift+Z"], group: "Draw", text: "Redo", run: (c) => c.editor.redo() },
  { keys: ["Delete"], group: "Draw", text: "Clear the mask", run: (c) => c.flow.clear() },
  { keys: ["Shift+H"], group: "Draw", text: "Take the model's proposal", run: (c) => c.flow.useProposal() },
  { keys: ["M", "Shift+M"], group: "Draw", text: "Copy the mask of the slice before, after", run: (c, key) => c.flow.copyNeighbour(key === "M" ? -1 : 1) },
  { keys: ["Shift+I"], group: "Draw", text: "Draw the shape between the nearest labelled slices", run: (c) => c.flow.interpolate() },
  { keys: ["Shift+F"], group: "Draw", text: "Fill the holes of the class", run: (c) => c.editor.reshape("fill holes") },
  { keys: ["Shift+L"], group: "Draw", text: "Keep the largest part of the class", run: (c) => c.editor.reshape("largest part") },
  { keys: ["<", ">"], group: "Draw", text: "Shrink, grow the class by a voxel", run: (c, key) => c.editor.reshape(key === "<" ? "shrink" : "grow") },
  { keys: ["Shift+S"], group: "Draw", text: "Smooth the border of the class", run: (c) => c.editor.reshape("smooth") },
  { keys: ["Shift+ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown"], group: "Draw", text: "Move the drawing cursor by a voxel", run: (c, key) => {
    const [right, down] = arrow(key);
    c.editor.moveCursor(right, down);
  } },
  { keys: ["."], group: "Draw", text: "Use the tool at the cursor: pen down or up, corner, fill, hint", run: (c) => c.editor.pen() },
  { keys: ["Escape"], group: "Draw", text: "Give up the polygon; lift the pen; back to the queued slice", run: (c) => {
    if (c.editor.corners.length > 0) c.editor.dropCorners();
    else if (c.editor.penDown) c.editor.liftPen();
    else c.flow.back();
  } },

  { keys: ["S", "G"], group: "Show", text: "Mask on, off", run: (c) => c.editor.toggle("showMask") },
  { keys: ["A", "D"], group: "Show", text: "Mask fainter, stronger", run: (c, key) => c.editor.setOpacity(c.editor.opacity + (key === "A" ? -0.05 : 0.05)) },
  { keys: ["H"], group: "Show", text: "The model's proposal, dashed", run: (c) => c.editor.toggle("showProposal") },
  { keys: ["U"], group: "Show", text: "The model's uncertainty", run: (c) => c.editor.toggle("showUncertainty") },
  { keys: ["0"], group: "Show", text: "Automatic window", run: (c) => c.editor.autoWindow() },
  { keys: ["Shift+W"], group: "Show", text: "Window that fits what is in view", run: (c) => c.editor.fitWindow() },
  { keys: ["W"], group: "Show", text: "Next window: of the file, and for CT soft tissue, lung, bone, brain, liver", run: (c) => c.editor.cycleWindow() },
  { keys: ["Alt+ArrowLeft", "Alt+ArrowRight"], group: "Show", text: "Window narrower, wider", run: (c, key) => c.editor.dragWindow(key.endsWith("Left") ? 1 / 1.1 : 1.1, 0) },
  { keys: ["Alt+ArrowUp", "Alt+ArrowDown"], group: "Show", text: "Brighter, darker", run: (c, key) => c.editor.dragWindow(1, key.endsWith("Up") ? -0.05 : 0.05) },
  { keys: ["C"], group: "Show", text: "Next channel of the case, where there are several", run: (c) => c.flow.showChannel(c.editor.channel + 1) },
  { keys: ["Shift+C"], group: "Show", text: "All channels side by side, or one", run: (c) => c.flow.toggleSideBySide() },
  { keys: ["I"], group: "Show", text: "Invert the grey values", run: (c) => c.editor.toggle("invert") },
  { keys: ["V"], group: "Show", text: "Three-plane viewer open, folded", run: (c) => c.viewer() },

  { keys: ["ArrowUp", "ArrowDown", "PageUp", "PageDown"], group: "Move", text: "Neighbouring slice, to look at (also the wheel)", run: (c, key) => c.flow.scroll(key.endsWith("Up") ? -1 : 1) },
  { keys: ["Home", "End"], group: "Move", text: "First, last slice of the case", run: (c, key) => c.flow.look(key === "Home" ? 0 : Infinity) },
  { keys: ["+", "="], group: "Move", text: "Zoom in (also Ctrl + wheel)", run: (c) => c.editor.moveView((v) => v.zoom(1.25)) },
  { keys: ["-"], group: "Move", text: "Zoom out", run: (c) => c.editor.moveView((v) => v.zoom(1 / 1.25)) },
  { keys: ["Ctrl+ArrowLeft", "Ctrl+ArrowRight", "Ctrl+ArrowUp", "Ctrl+ArrowDown"], group: "Move", text: "Pan (also middle button, or Space and left button)", run: (c, key) => {
    const [right, down] = arrow(key);
    c.editor.moveView((v) => v.pan(-40 * right, -40 * down));
  } },
  { keys: ["R"], group: "Move", text: "Fit the slice to the window", run: (c) => c.editor.moveView((v) => v.fit()) },
];

function arrow(key: string): [right: number, down: number] {
  return [key.endsWith("Right") ? 1 : key.endsWith("Left") ? -1 : 0, key.endsWith("Down") ? 1 : key.endsWith("Up") ? -1 : 0];
}

/** The first of two digits, and when it was typed. */
let typed = { digit: 0, at: -Infinity };

/** Chooses a class by its number: a digit soon after another one is the second of two. */
function chooseClass(editor: Editor, digit: number): void {
  const two = 10 * typed.digit + digit, has = (v: number) => editor.classes.some((k) => k.value === v);
  const second = performance.now() - typed.at < 700 && two >= 10 && has(two);
  typed = second ? { digit: 0, at: -Infinity } : { digit, at: performance.now() };
  editor.setLabel(second ? two : digit);
}

/** An event's key as the table writes it: "B", "Shift+N", "Ctrl+Z", "?", "Shift+ArrowUp". */
export function name(e: Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey"> & { code?: string; getModifierState?: (key: string) => boolean }): string {
  const altGraph = e.getModifierState?.("AltGraph") ?? false; // on many keyboards the way to [ and ]
  const plain = /^[a-z]$/i.test(e.key) ? e.key.toUpperCase() : e.key;
  const write = (key: string) => ((e.ctrlKey || e.metaKey) && !altGraph ? "Ctrl+" : "")
    + (e.altKey && !altGraph ? "Alt+" : "")
    + (e.shiftKey && (/^[A-Z]$/.test(key) || key.length > 1) ? "Shift+" : "")
    + key;
  const named = write(plain);
  // a keyboard with other letters, or with digits on Shift: the key's place counts
  const place = /^(?:Key|Digit)([A-Z0-9])$/.exec(e.code ?? "")?.[1];
  return byKey.has(named) || !place || /^[A-Z0-9]$/.test(plain) || plain.length > 1 ? named : write(place);
}

/** True if the focused control needs the key itself. */
function taken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  if (target instanceof HTMLInputElement && !["range", "checkbox", "radio", "button"].includes(target.type)) return true;
  const base = key.slice(key.lastIndexOf("+") + 1) || "+";
  if (target instanceof HTMLCanvasElement || target === document.body) return false;
  if (target instanceof HTMLInputElement || target.role === "slider") return /^(Arrow|Page|Home|End| $)/.test(base);
  return (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement) && base === "Enter";
}

const byKey = new Map(bindings.flatMap((b) => b.keys.map((k) => [k, b] as const)));

/** Acts on a key. Keys of open dialogs, of text fields and of the browser are left alone. */
export function handle(e: KeyboardEvent, c: KeyContext): void {
  const key = name(e), binding = byKey.get(key);
  if (!binding || e.isComposing || document.querySelector("dialog[open]") || taken(e.target, key)) return;
  if (e.repeat && binding.group === "Slice") return; // a key held too long saves one slice, not ten
  e.preventDefault();
  binding.run(c, key);
}
