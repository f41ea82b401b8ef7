// The keyboard: one table that acts and that the help sheet shows.

import type { Flow } from "../flow";
import type { Editor } from "./editor";
import type { Key } from "../texts";

export interface KeyContext { editor: Editor; flow: Flow; help: () => void; skip: () => void; viewer: () => void }

export interface Binding {
  keys: string[];
  group: "Slice" | "Draw" | "Show" | "Move";
  text: Key;
  run: (c: KeyContext, key: string) => unknown;
}

export const bindings: Binding[] = [
  { keys: ["Enter", "Ctrl+S"], group: "Slice", text: "keys.save", run: (c) => c.flow.submit() },
  { keys: ["K"], group: "Slice", text: "keys.empty", run: (c) => c.flow.markEmpty() },
  { keys: ["X"], group: "Slice", text: "keys.skip", run: (c) => c.skip() },
  { keys: ["N"], group: "Slice", text: "keys.next", run: (c) => c.flow.next() },
  { keys: ["Shift+N"], group: "Slice", text: "keys.previous", run: (c) => c.flow.previous() },
  { keys: ["Q"], group: "Slice", text: "keys.back", run: (c) => c.flow.back() },
  { keys: ["Shift+Enter"], group: "Slice", text: "keys.editNeighbour", run: (c) => c.flow.editNeighbour() },
  { keys: ["Alt+1", "Alt+2", "Alt+3", "Alt+4"], group: "Slice", text: "keys.choose",
    run: (c, key) => c.flow.choose((["first", "second", "union", "common"] as const)[Number(key.slice(-1)) - 1]) },
  { keys: ["?"], group: "Slice", text: "keys.help", run: (c) => c.help() },

  { keys: ["B"], group: "Draw", text: "keys.brush", run: (c) => c.editor.setTool("brush") },
  { keys: ["E"], group: "Draw", text: "keys.eraser", run: (c) => c.editor.setTool("eraser") },
  { keys: ["P"], group: "Draw", text: "keys.polygon", run: (c) => c.editor.setTool("polygon") },
  { keys: ["F"], group: "Draw", text: "keys.fill", run: (c) => c.editor.setTool("fill") },
  { keys: ["Shift+G"], group: "Draw", text: "keys.hint", run: (c) => c.editor.pointOut() },
  { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], group: "Draw", text: "keys.class", run: (c, key) => chooseClass(c.editor, Number(key)) },
  { keys: [",", ";"], group: "Draw", text: "keys.classStep", run: (c, key) => c.editor.stepLabel(key === "," ? -1 : 1) },
  { keys: ["T"], group: "Draw", text: "keys.pick", run: (c) => c.editor.pick() },
  { keys: ["O"], group: "Draw", text: "keys.unsure", run: (c) => c.editor.paintUnsure() },
  { keys: ["J"], group: "Draw", text: "keys.like", run: (c) => c.editor.toggleRange() },
  { keys: ["Shift+B"], group: "Draw", text: "keys.onBackground", run: (c) => c.editor.toggleOnBackground() },
  { keys: ["L"], group: "Draw", text: "keys.lock", run: (c) => c.editor.toggleLock() },
  { keys: ["[", "]"], group: "Draw", text: "keys.size", run: (c, key) => c.editor.stepBrush(key === "[" ? -1 : 1) },
  { keys: ["Z", "Ctrl+Z"], group: "Draw", text: "keys.undo", run: (c) => c.editor.undo() },
  { keys: ["Y", "Ctrl+Y", "Ctrl+Shift+Z"], group: "Draw", text: "keys.redo", run: (c) => c.editor.redo() },
  { keys: ["Delete"], group: "Draw", text: "keys.clear", run: (c) => c.flow.clear() },
  { keys: ["Shift+H"], group: "Draw", text: "keys.proposal", run: (c) => c.flow.useProposal() },
  { keys: ["M", "Shift+M"], group: "Draw", text: "keys.copy", run: (c, key) => c.flow.copyNeighbour(key === "M" ? -1 : 1) },
  { keys: ["Shift+I"], group: "Draw", text: "keys.between", run: (c) => c.flow.interpolate() },
  { keys: ["Shift+F"], group: "Draw", text: "keys.holes", run: (c) => c.editor.reshape("fill holes") },
  { keys: ["Shift+L"], group: "Draw", text: "keys.largest", run: (c) => c.editor.reshape("largest part") },
  { keys: ["<", ">"], group: "Draw", text: "keys.grow", run: (c, key) => c.editor.reshape(key === "<" ? "shrink" : "grow") },
  { keys: ["Shift+S"], group: "Draw", text: "keys.smooth", run: (c) => c.editor.reshape("smooth") },
  { keys: ["Shift+ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown"], group: "Draw", text: "keys.cursor", run: (c, key) => {
    const [right, down] = arrow(key);
    c.editor.moveCursor(right, down);
  } },
  { keys: ["."], group: "Draw", text: "keys.pen", run: (c) => c.editor.pen() },
  { keys: ["Escape"], group: "Draw", text: "keys.escape", run: (c) => {
    if (c.editor.corners.length > 0) c.editor.dropCorners();
    else if (c.editor.penDown) c.editor.liftPen();
    else c.flow.back();
  } },

  { keys: ["S", "G"], group: "Show", text: "keys.mask", run: (c) => c.editor.toggle("showMask") },
  { keys: ["A", "D"], group: "Show", text: "keys.opacity", run: (c, key) => c.editor.setOpacity(c.editor.opacity + (key === "A" ? -0.05 : 0.05)) },
  { keys: ["H"], group: "Show", text: "keys.outline", run: (c) => c.editor.toggle("showProposal") },
  { keys: ["U"], group: "Show", text: "keys.uncertainty", run: (c) => c.editor.toggle("showUncertainty") },
  { keys: ["0"], group: "Show", text: "keys.auto", run: (c) => c.editor.autoWindow() },
  { keys: ["Shift+W"], group: "Show", text: "keys.inView", run: (c) => c.editor.fitWindow() },
  { keys: ["W"], group: "Show", text: "keys.preset", run: (c) => c.editor.cycleWindow() },
  { keys: ["Alt+ArrowLeft", "Alt+ArrowRight"], group: "Show", text: "keys.width", run: (c, key) => c.editor.dragWindow(key.endsWith("Left") ? 1 / 1.1 : 1.1, 0) },
  { keys: ["Alt+ArrowUp", "Alt+ArrowDown"], group: "Show", text: "keys.level", run: (c, key) => c.editor.dragWindow(1, key.endsWith("Up") ? -0.05 : 0.05) },
  { keys: ["C"], group: "Show", text: "keys.channel", run: (c) => c.flow.showChannel(c.editor.channel + 1) },
  { keys: ["Shift+C"], group: "Show", text: "keys.sideBySide", run: (c) => c.flow.toggleSideBySide() },
  { keys: ["I"], group: "Show", text: "keys.invert", run: (c) => c.editor.toggle("invert") },
  { keys: ["V"], group: "Show", text: "keys.planes", run: (c) => c.viewer() },

  { keys: ["ArrowUp", "ArrowDown", "PageUp", "PageDown"], group: "Move", text: "keys.neighbour", run: (c, key) => c.flow.scroll(key.endsWith("Up") ? -1 : 1) },
  { keys: ["Home", "End"], group: "Move", text: "keys.ends", run: (c, key) => c.flow.look(key === "Home" ? 0 : Infinity) },
  { keys: ["+", "="], group: "Move", text: "keys.zoomIn", run: (c) => c.editor.moveView((v) => v.zoom(1.25)) },
  { keys: ["-"], group: "Move", text: "keys.zoomOut", run: (c) => c.editor.moveView((v) => v.zoom(1 / 1.25)) },
  { keys: ["Ctrl+ArrowLeft", "Ctrl+ArrowRight", "Ctrl+ArrowUp", "Ctrl+ArrowDown"], group: "Move", text: "keys.pan", run: (c, key) => {
    const [right, down] = arrow(key);
    c.editor.moveView((v) => v.pan(-40 * right, -40 * down));
  } },
  { keys: ["R"], group: "Move", text: "keys.fit", run: (c) => c.editor.moveView((v) => v.fit()) },
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

/** One types in it, or chooses from it. */
const typedIn = "textarea, select, input:not([type=range], [type=checkbox], [type=radio], [type=button]), [role=textbox], [role=searchbox], [role=combobox], [role=listbox], [role=spinbutton]";
/** Enter works it. */
const worked = "button, a[href], summary, input[type=button], [role=button], [role=link], [role=tab], [role=menuitem], [role=option], [role=switch]";

/**
 * True if the focused control needs the key itself. What one types in needs all keys, what Enter works needs Enter, and what has a value or a place
 * needs those that move it.
 */
function taken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches(typedIn)) return true;
  const base = key.slice(key.lastIndexOf("+") + 1) || "+";
  return base === "Enter" ? target.matches(worked) : /^(Arrow|Page|Home|End| $)/.test(base) && target.matches("input, [role=slider]");
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
