import type { ComponentChildren } from "preact";
import { number } from "../format";
import type { Flow } from "../flow";
import { change, settings } from "../settings";
import { largestBrush, type Editor, type Tool } from "./editor";
import { unsure } from "./layers";

/** A click with the mouse leaves the focus on the canvas, so that keys go on to work there. */
export const keepFocus = (e: MouseEvent) => e.preventDefault();

interface ButtonProps { onClick: () => void; hint?: string; keys?: string; disabled?: boolean; pressed?: boolean; class?: string; children: ComponentChildren }

export function Button({ onClick, hint, keys, disabled, pressed, class: name, children }: ButtonProps) {
  return <button type="button" class={name} onMouseDown={keepFocus} onClick={onClick} disabled={disabled} aria-pressed={pressed}
    aria-keyshortcuts={keys} title={hint && keys ? `${hint} (${keys})` : hint ?? keys}>
    <span>{children}</span>{keys && <kbd aria-hidden="true">{keys}</kbd>}
  </button>;
}

const tools: Array<[Tool, string, string]> = [["brush", "Brush", "B"], ["eraser", "Eraser", "E"], ["polygon", "Polygon", "P"], ["fill", "Fill", "F"]];

export function Toolbar({ editor, flow, help }: { editor: Editor; flow: Flow; help: () => void }) {
  const { task, view } = editor;
  const voxel = Math.min(...(task?.spacing ?? [1, 1]));
  const unit = task?.unit ?? "mm";
  return <aside class="tools" aria-label="Tools">
    <section>
      <h2>Draw</h2>
      <div class="pair" role="group" aria-label="Tool">
        {tools.map(([tool, name, key]) =>
          <Button key={tool} keys={key} pressed={editor.tool === tool} onClick={() => editor.setTool(tool)}>{name}</Button>)}
        <Button keys="⇧G" hint="Point at what belongs to the class: it is drawn as far as it goes" pressed={editor.tool === "hint"} onClick={() => editor.setTool("hint")}>Hint</Button>
        <Button keys="Alt" hint="Point at what does not belong to the class" pressed={editor.tool === "hint" && editor.excluding} onClick={() => { editor.setTool("hint"); editor.exclude(!editor.excluding); }}>Not this</Button>
      </div>
      <Slider name="Size" value={editor.brush} min={1} max={largestBrush} step={1} keys="[ ]" label="Brush size in voxels" change={(v) => editor.setBrush(v)}
        text={`${editor.brush} voxel${editor.brush !== 1 ? "s" : ""}${unit === "mm" ? ` · ${number(editor.brush * voxel, 2)} mm` : ""}`} />
      <div class="pair">
        <Button keys="Z" disabled={!editor.canUndo} onClick={() => editor.undo()}>Undo</Button>
        <Button keys="Y" disabled={!editor.canRedo} onClick={() => editor.redo()}>Redo</Button>
        <Button keys="Del" hint="Clear the mask" disabled={!task || editor.isEmpty} onClick={() => flow.clear()}>Clear</Button>
        <Button keys="⇧H" hint="Take the model's proposal" disabled={!editor.proposal || editor.isProposal} onClick={() => flow.useProposal()}>Proposal</Button>
      </div>
    </section>

    <section>
      <h2>Class</h2>
      <Classes editor={editor} />
      <More editor={editor} flow={flow} />
    </section>

    <section>
      <h2>Show</h2>
      <Check keys="S" checked={editor.showMask} onChange={() => editor.toggle("showMask")}>Mask</Check>
      <Check keys="H" checked={editor.showProposal} disabled={!editor.proposal} onChange={() => editor.toggle("showProposal")}>Proposal outline</Check>
      <Check keys="U" checked={editor.showUncertainty} disabled={!editor.uncertainty} onChange={() => editor.toggle("showUncertainty")}>Uncertainty</Check>
      {editor.showUncertainty && editor.uncertainty
        ? <Slider name="Strength" value={settings.uncertaintyOpacity} min={0} max={1} step={0.05} label="Strength of the uncertainty map" change={(v) => editor.setUncertaintyOpacity(v)}
          text={`${Math.round(100 * settings.uncertaintyOpacity)} %`} />
        : <Slider name="Opacity" value={editor.opacity} min={0} max={1} step={0.05} keys="A D" label="Opacity of the mask" change={(v) => editor.setOpacity(v)}
          text={`${Math.round(100 * editor.opacity)} %`} />}
    </section>

    {editor.channels > 1 && <section>
      <h2>Channels</h2>
      <div class="pair" role="group" aria-label="Channel in view">
        {task!.channels!.map((c, n) =>
          <Button key={n} keys={n === (editor.channel + 1) % task!.channels!.length ? "C" : undefined} pressed={editor.channel === n} onClick={() => void flow.showChannel(n)}>{c.name}</Button>)}
      </div>
      <Check keys="⇧C" checked={settings.sideBySide} onChange={() => void flow.toggleSideBySide()}>Side by side</Check>
    </section>}

    <section>
      <h2>Window{editor.channels > 1 && ` of ${task!.channels![editor.channel]?.name}`} <span class="quiet">{editor.window.name}</span></h2>
      <WindowFields editor={editor} />
      <div class="pair">
        <Button keys="0" hint="Automatic window of the case" onClick={() => editor.autoWindow()} disabled={!task}>Auto</Button>
        <Button keys="⇧W" hint="Fit the window to what is in view" onClick={() => editor.fitWindow()} disabled={!task}>In view</Button>
        {editor.presets.length > 0 && <Button keys="W" hint={`Next of: ${editor.presets.map((p) => p.name).join(", ")}`} onClick={() => editor.cycleWindow()}>Preset</Button>}
        <Button keys="I" pressed={editor.invert} disabled={!task} onClick={() => editor.toggle("invert")}>Invert</Button>
      </div>
    </section>

    <section>
      <div class="pair">
        <Button keys="R" hint="Fit the slice to the window" onClick={() => editor.moveView((v) => v.fit())} disabled={!task}>Fit <span class="facts">{number(100 * view.scale * voxel, 3)} %</span></Button>
        <Button keys="?" onClick={help}>All keys</Button>
      </div>
      <details class="more">
        <summary>Settings</summary>
        <label class="choice">Right drag
          <select value={settings.mouse} onChange={(e) => { change({ mouse: e.currentTarget.value as "window" | "zoom" }); e.currentTarget.blur(); editor.moveView(() => {}); }}>
            <option value="window">grey values</option>
            <option value="zoom">zoom (OHIF, Slicer)</option>
          </select>
        </label>
        <label class="choice">Left edge
          <select value={settings.convention} onChange={(e) => { editor.setConvention(e.currentTarget.value as "radiological" | "neurological"); e.currentTarget.blur(); }}>
            <option value="radiological">is the patient's right</option>
            <option value="neurological">is the patient's left</option>
          </select>
        </label>
        <Check checked={editor.tool === "window"} onChange={() => editor.setTool(editor.tool === "window" ? "brush" : "window")}>Left drag: grey values</Check>
        <Check checked={settings.smooth} onChange={() => editor.setSmooth(!settings.smooth)}>Smooth image</Check>
      </details>
    </section>
  </aside>;
}

interface SliderProps { name: string; label: string; text: string; value: number; min: number; max: number; step: number; keys?: string; change: (v: number) => void }

function Slider({ name, label, text, value, min, max, step, keys, change: set }: SliderProps) {
  return <label class="slider">
    <span>{name} <output>{text}</output>{keys && <kbd aria-hidden="true">{keys}</kbd>}</span>
    <input type="range" aria-label={label} min={min} max={max} step={step} value={value} onInput={(e) => set(e.currentTarget.valueAsNumber)} onPointerUp={(e) => e.currentTarget.blur()} />
  </label>;
}

/** Width and level as numbers that can be typed. */
function WindowFields({ editor }: { editor: Editor }) {
  const { low, high } = editor.window, width = high - low, level = (low + high) / 2;
  const field = (name: string, label: string, value: number, set: (v: number) => void) => <label>{name}
    <input type="text" inputMode="decimal" aria-label={label} disabled={!editor.task} value={String(Number(value.toPrecision(4)))} key={value}
      onChange={(e) => {
        const v = Number(e.currentTarget.value.replace(",", ".").replace("\u2212", "-"));
        if (e.currentTarget.value.trim() !== "" && Number.isFinite(v)) set(v);
        e.currentTarget.blur();
      }}
      onKeyDown={(e) => { if (e.key === "Enter" || e.key === "Escape") e.currentTarget.blur(); e.stopPropagation(); }} />
  </label>;
  return <div class="pair fields">
    {field("W", "Width of the window", width, (w) => { if (w > 0) editor.setWindow({ low: level - w / 2, high: level + w / 2 }); })}
    {field("L", "Level of the window", level, (l) => editor.setWindow({ low: l - width / 2, high: l + width / 2 }))}
  </div>;
}

function Classes({ editor }: { editor: Editor }) {
  const { counts, task } = editor;
  return <div class="classes" role="radiogroup" aria-label="Class to draw">
    {editor.classes.filter((c) => c.value > 0).map((c) => {
      const locked = editor.locked.has(c.value), key = c.value === unsure ? "O" : c.value < 100 ? String(c.value) : "";
      return <div key={c.value}>
        <button type="button" role="radio" aria-checked={editor.label === c.value} onMouseDown={keepFocus} onClick={() => editor.setLabel(c.value)}
          title={c.value === unsure ? "Paint what you cannot tell: it is not learnt and not compared" : `Draw ${c.name}`} aria-keyshortcuts={key || undefined}>
          <i class={c.value === unsure ? "hatched" : undefined} style={{ backgroundColor: c.color }} aria-hidden="true" />
          <span>{c.name}</span>
          <span class="count">{task && counts[c.value] ? counts[c.value].toLocaleString() : "–"}</span>
          <kbd aria-hidden="true">{key}</kbd>
        </button>
        <button type="button" class="lock" aria-pressed={locked} aria-label={`Lock ${c.name}`} title={locked ? `${c.name} is locked: nothing changes it` : `Lock ${c.name}${editor.label === c.value ? " (L)" : ""}`}
          onMouseDown={keepFocus} onClick={() => editor.toggleLock(c.value)}><Lock closed={locked} /></button>
      </div>;
    })}
  </div>;
}

function Lock({ closed }: { closed: boolean }) {
  return <svg viewBox="0 0 12 14" width="11" height="13" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5">
    <rect x="1.5" y="6" width="9" height="7" rx="1" fill={closed ? "currentColor" : "none"} />
    <path d={closed ? "M3.5 6V4a2.5 2.5 0 0 1 5 0v2" : "M3.5 6V3.5a2.5 2.5 0 0 1 5 0"} />
  </svg>;
}

/** Tools for a class as a whole, and what the brush leaves alone. */
function More({ editor, flow }: { editor: Editor; flow: Flow }) {
  const idle = !editor.task;
  return <details class="more">
    <summary>More tools</summary>
    <Check keys="J" checked={editor.range !== null} onChange={() => editor.toggleRange()}>Like values{editor.range !== null && ` ± ${number(editor.range, 2)}`}</Check>
    <Check keys="⇧B" checked={editor.onBackground} onChange={() => editor.toggleOnBackground()}>On background only</Check>
    <div class="pair">
      <Button keys="⇧F" disabled={idle} hint="Fill the holes of the class" onClick={() => editor.reshape("fill holes")}>Holes</Button>
      <Button keys="⇧L" disabled={idle} hint="Keep the largest part of the class" onClick={() => editor.reshape("largest part")}>Largest</Button>
      <Button keys="<" disabled={idle} hint="Shrink the class by a voxel" onClick={() => editor.reshape("shrink")}>Shrink</Button>
      <Button keys=">" disabled={idle} hint="Grow the class by a voxel" onClick={() => editor.reshape("grow")}>Grow</Button>
      <Button keys="⇧S" disabled={idle} hint="Smooth the border of the class" onClick={() => editor.reshape("smooth")}>Smooth</Button>
      <Button keys="⇧I" disabled={idle} hint="Draw the shape between the nearest labelled slices" onClick={() => void flow.interpolate()}>Between</Button>
      <Button keys="M" disabled={idle} hint="Copy the mask of the slice before" onClick={() => void flow.copyNeighbour(-1)}>Copy ↑</Button>
      <Button keys="⇧M" disabled={idle} hint="Copy the mask of the slice after" onClick={() => void flow.copyNeighbour(1)}>Copy ↓</Button>
    </div>
  </details>;
}

interface CheckProps { checked: boolean; onChange: () => void; keys?: string; disabled?: boolean; children: ComponentChildren }

function Check({ checked, onChange, keys, disabled, children }: CheckProps) {
  return <label class={disabled ? "check disabled" : "check"}>
    <input type="checkbox" checked={checked && !disabled} disabled={disabled} onChange={onChange} onMouseDown={keepFocus} aria-keyshortcuts={keys} />
    <span>{children}</span>{keys && <kbd aria-hidden="true">{keys}</kbd>}
  </label>;
}
