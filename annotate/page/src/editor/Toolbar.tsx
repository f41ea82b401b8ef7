import type { ComponentChildren } from "preact";
import { number } from "../format";
import type { Flow } from "../flow";
import { change, settings } from "../settings";
import { largestBrush, type Editor, type Tool } from "./editor";

/** A click with the mouse leaves the focus on the canvas, so that keys go on to work there. */
const keepFocus = (e: MouseEvent) => e.preventDefault();

interface ButtonProps { onClick: () => void; hint?: string; keys?: string; disabled?: boolean; pressed?: boolean; class?: string; children: ComponentChildren }

export function Button({ onClick, hint, keys, disabled, pressed, class: name, children }: ButtonProps) {
  return <button type="button" class={name} onMouseDown={keepFocus} onClick={onClick} disabled={disabled} aria-pressed={pressed}
    aria-keyshortcuts={keys} title={hint && keys ? `${hint} (${keys})` : hint ?? keys}>
    <span>{children}</span>{keys && <kbd aria-hidden="true">{keys}</kbd>}
  </button>;
}

const tools: Array<[Tool, string, string]> = [["brush", "Brush", "B"], ["eraser", "Eraser", "E"], ["polygon", "Polygon", "P"], ["fill", "Fill", "F"]];

export function Toolbar({ editor, flow, help }: { editor: Editor; flow: Flow; help: () => void }) {
  const { task, window, view } = editor;
  const voxel = Math.min(...(task?.spacing ?? [1, 1]));
  const unit = task?.unit ?? "mm";
  return <aside class="tools" aria-label="Tools">
    <section>
      <h2>Draw</h2>
      <div class="pair" role="group" aria-label="Tool">
        {tools.map(([tool, name, key]) =>
          <Button key={tool} keys={key} pressed={editor.tool === tool} onClick={() => editor.setTool(tool)}>{name}</Button>)}
      </div>
      <label class="slider">
        <span>Size <output>{editor.brush} voxel{editor.brush !== 1 && "s"}{unit === "mm" && ` · ${number(editor.brush * voxel, 2)} mm`}</output><kbd aria-hidden="true">[ ]</kbd></span>
        <input type="range" aria-label="Brush size in voxels" min="1" max={largestBrush} value={editor.brush} onInput={(e) => editor.setBrush(e.currentTarget.valueAsNumber)}
          onPointerUp={(e) => e.currentTarget.blur()} />
      </label>
      <div class="pair">
        <Button keys="Z" disabled={!editor.canUndo && editor.corners.length === 0} onClick={() => editor.undo()}>Undo</Button>
        <Button keys="Y" disabled={!editor.canRedo} onClick={() => editor.redo()}>Redo</Button>
        <Button keys="Del" hint="Clear the mask" disabled={!task || editor.isEmpty} onClick={() => editor.clear()}>Clear</Button>
        <Button keys="⇧H" hint="Start again from the model's proposal" disabled={!editor.proposal || editor.isProposal} onClick={() => editor.useProposal()}>Proposal</Button>
      </div>
    </section>

    <section>
      <h2>Class</h2>
      <Classes editor={editor} />
    </section>

    <section>
      <h2>Show</h2>
      <Check keys="S" checked={editor.showMask} onChange={() => editor.toggle("showMask")}>Mask</Check>
      <Check keys="H" checked={editor.showProposal} disabled={!editor.proposal} onChange={() => editor.toggle("showProposal")}>Proposal outline</Check>
      <Check keys="U" checked={editor.showUncertainty} disabled={!editor.uncertainty} onChange={() => editor.toggle("showUncertainty")}>Uncertainty</Check>
      <label class="slider">
        <span>Opacity <output>{Math.round(100 * editor.opacity)} %</output><kbd aria-hidden="true">A D</kbd></span>
        <input type="range" aria-label="Opacity of the mask" min="0" max="1" step="0.05" value={editor.opacity} onInput={(e) => editor.setOpacity(e.currentTarget.valueAsNumber)}
          onPointerUp={(e) => e.currentTarget.blur()} />
      </label>
    </section>

    {(task?.channels?.length ?? 0) > 1 && <section>
      <h2>Channel</h2>
      <div class="pair" role="group" aria-label="Channel in view">
        {task!.channels!.map((c, n) =>
          <Button key={n} keys={n === (editor.channel + 1) % task!.channels!.length ? "C" : undefined} pressed={editor.channel === n} onClick={() => flow.showChannel(n)}>{c.name}</Button>)}
      </div>
    </section>}

    <section>
      <h2>Window</h2>
      <p class="facts">W {number(window.high - window.low)} L {number((window.low + window.high) / 2)} <span class="quiet">{editor.windowName}</span></p>
      <div class="pair">
        <Button keys="0" onClick={() => editor.autoWindow()} disabled={!task}>Auto</Button>
        {editor.isCT
          ? <Button keys="W" hint="Next window for CT" onClick={() => editor.cycleWindow()}>CT</Button>
          : <Button keys="I" pressed={editor.invert} disabled={!task} onClick={() => editor.toggle("invert")}>Invert</Button>}
      </div>
    </section>

    <section>
      <h2>View</h2>
      <div class="pair">
        <Button keys="R" onClick={() => editor.moveView((v) => v.fit())} disabled={!task}>Fit</Button>
        <p class="facts">{number(100 * view.scale * voxel, 3)} % <span class="quiet">zoom</span></p>
      </div>
      <label class="choice">Right drag
        <select value={settings.mouse} onChange={(e) => { change({ mouse: e.currentTarget.value as "window" | "zoom" }); e.currentTarget.blur(); editor.moveView(() => {}); }}>
          <option value="window">window, level</option>
          <option value="zoom">zoom (OHIF, Slicer)</option>
        </select>
      </label>
      <label class="choice">Left side
        <select value={settings.convention} onChange={(e) => { editor.setConvention(e.currentTarget.value as "radiological" | "neurological"); e.currentTarget.blur(); }}>
          <option value="radiological">patient's right</option>
          <option value="neurological">patient's left</option>
        </select>
      </label>
      <Check checked={settings.smooth} onChange={() => editor.setSmooth(!settings.smooth)}>Smooth image</Check>
      <Button class="wide" keys="?" onClick={help}>All keys</Button>
    </section>
  </aside>;
}

function Classes({ editor }: { editor: Editor }) {
  const counts = editor.task ? editor.counts() : [];
  return <div class="classes" role="radiogroup" aria-label="Class to draw">
    {editor.classes.filter((c) => c.value > 0).map((c) =>
      <button key={c.value} type="button" role="radio" aria-checked={editor.label === c.value} onMouseDown={keepFocus} onClick={() => editor.setLabel(c.value)}
        title={`Draw ${c.name}`} aria-keyshortcuts={c.value < 10 ? String(c.value) : undefined}>
        <i style={{ background: c.color }} aria-hidden="true" />
        <span>{c.name}</span>
        <span class="count">{counts[c.value] ? counts[c.value].toLocaleString() : "–"}</span>
        <kbd aria-hidden="true">{c.value < 10 ? c.value : ""}</kbd>
      </button>)}
  </div>;
}

interface CheckProps { checked: boolean; onChange: () => void; keys?: string; disabled?: boolean; children: ComponentChildren }

function Check({ checked, onChange, keys, disabled, children }: CheckProps) {
  return <label class={disabled ? "check disabled" : "check"}>
    <input type="checkbox" checked={checked && !disabled} disabled={disabled} onChange={onChange} onMouseDown={keepFocus} aria-keyshortcuts={keys} />
    <span>{children}</span>{keys && <kbd aria-hidden="true">{keys}</kbd>}
  </label>;
}
