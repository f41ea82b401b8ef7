import type { ComponentChildren } from "preact";
import { className, number } from "../format";
import type { Flow } from "../flow";
import { change, settings } from "../settings";
import { largestBrush, type Editor, type Tool } from "./editor";
import { language, t, type Key } from "../texts";
import { unsure } from "./layers";
import { windowName } from "./windows";

/** A click with the mouse leaves the focus on the canvas, so that keys go on to work there. */
export const keepFocus = (e: MouseEvent) => e.preventDefault();

interface ButtonProps { onClick: () => void; hint?: string; keys?: string; disabled?: boolean; pressed?: boolean; class?: string; children: ComponentChildren }

export function Button({ onClick, hint, keys, disabled, pressed, class: name, children }: ButtonProps) {
  return <button type="button" class={name} onMouseDown={keepFocus} onClick={onClick} disabled={disabled} aria-pressed={pressed}
    aria-keyshortcuts={keys} title={hint && keys ? `${hint} (${keys})` : hint ?? keys}>
    <span>{children}</span>{keys && <kbd aria-hidden="true">{keys}</kbd>}
  </button>;
}

const tools: Array<[Tool, Key, string]> = [["brush", "tool.brush", "B"], ["eraser", "tool.eraser", "E"], ["polygon", "tool.polygon", "P"], ["fill", "tool.fill", "F"]];

export function Toolbar({ editor, flow, help }: { editor: Editor; flow: Flow; help: () => void }) {
  const { task, view } = editor;
  const voxel = Math.min(...(task?.spacing ?? [1, 1]));
  const unit = task?.unit ?? "mm";
  return <aside class="tools" aria-label={t("tools")}>
    <section>
      <h2>{t("tools.draw")}</h2>
      <div class="pair" role="group" aria-label={t("tools.tool")}>
        {tools.map(([tool, name, key]) =>
          <Button key={tool} keys={key} pressed={editor.tool === tool} onClick={() => editor.setTool(tool)}>{t(name)}</Button>)}
        <Button keys="⇧G" hint={t("tool.hintHint")} pressed={editor.tool === "hint"} onClick={() => editor.setTool("hint")}>{t("tool.hint")}</Button>
        <Button keys="Alt" hint={t("tool.notHint")} pressed={editor.tool === "hint" && editor.excluding} onClick={() => { editor.setTool("hint"); editor.exclude(!editor.excluding); }}>{t("tool.not")}</Button>
      </div>
      <Slider name={t("tools.size")} value={editor.brush} min={1} max={largestBrush} step={1} keys="[ ]" label={t("tools.sizeLabel")} change={(v) => editor.setBrush(v)}
        text={`${t("tools.voxels", { n: editor.brush })}${unit === "mm" ? ` · ${number(editor.brush * voxel, 2)} mm` : ""}`} />
      <div class="pair">
        <Button keys="Z" disabled={!editor.canUndo} onClick={() => editor.undo()}>{t("tools.undo")}</Button>
        <Button keys="Y" disabled={!editor.canRedo} onClick={() => editor.redo()}>{t("tools.redo")}</Button>
        <Button keys={t("key.Delete")} hint={t("tools.clearHint")} disabled={!task || editor.isEmpty} onClick={() => flow.clear()}>{t("tools.clear")}</Button>
        <Button keys="⇧H" hint={t("tools.proposalHint")} disabled={!editor.proposal || editor.isProposal} onClick={() => flow.useProposal()}>{t("tools.proposal")}</Button>
      </div>
    </section>

    <section>
      <h2>{t("tools.class")}</h2>
      <Classes editor={editor} />
      <More editor={editor} flow={flow} />
    </section>

    <section>
      <h2>{t("tools.show")}</h2>
      <Check keys="S" checked={editor.showMask} onChange={() => editor.toggle("showMask")}>{t("tools.mask")}</Check>
      <Check keys="H" checked={editor.showProposal} disabled={!editor.proposal} onChange={() => editor.toggle("showProposal")}>{t("tools.outline")}</Check>
      <Check keys="U" checked={editor.showUncertainty} disabled={!editor.uncertainty} onChange={() => editor.toggle("showUncertainty")}>{t("tools.uncertainty")}</Check>
      {editor.showUncertainty && editor.uncertainty
        ? <Slider name={t("tools.strength")} value={settings.uncertaintyOpacity} min={0} max={1} step={0.05} label={t("tools.strengthLabel")} change={(v) => editor.setUncertaintyOpacity(v)}
          text={`${Math.round(100 * settings.uncertaintyOpacity)} %`} />
        : <Slider name={t("tools.opacity")} value={editor.opacity} min={0} max={1} step={0.05} keys="A D" label={t("tools.opacityLabel")} change={(v) => editor.setOpacity(v)}
          text={`${Math.round(100 * editor.opacity)} %`} />}
    </section>

    {editor.channels > 1 && <section>
      <h2>{t("tools.channels")}</h2>
      <div class="pair" role="group" aria-label={t("tools.channelInView")}>
        {task!.channels!.map((c, n) =>
          <Button key={n} keys={n === (editor.channel + 1) % task!.channels!.length ? "C" : undefined} pressed={editor.channel === n} onClick={() => void flow.showChannel(n)}>{c.name}</Button>)}
      </div>
      <Check keys="⇧C" checked={settings.sideBySide} onChange={() => void flow.toggleSideBySide()}>{t("tools.sideBySide")}</Check>
    </section>}

    <section>
      <h2>{editor.channels > 1 ? t("tools.windowOf", { channel: task!.channels![editor.channel]?.name ?? "" }) : t("tools.window")} <span class="quiet">{windowName(editor.window.name)}</span></h2>
      <WindowFields editor={editor} />
      <div class="pair">
        <Button keys="0" hint={t("tools.autoHint")} onClick={() => editor.autoWindow()} disabled={!task}>{t("tools.auto")}</Button>
        <Button keys="⇧W" hint={t("tools.inViewHint")} onClick={() => editor.fitWindow()} disabled={!task}>{t("tools.inView")}</Button>
        {editor.presets.length > 0 && <Button keys="W" hint={t("tools.presetHint", { names: editor.presets.map((p) => windowName(p.name)).join(", ") })} onClick={() => editor.cycleWindow()}>{t("tools.preset")}</Button>}
        <Button keys="I" pressed={editor.invert} disabled={!task} onClick={() => editor.toggle("invert")}>{t("tools.invert")}</Button>
      </div>
    </section>

    <section>
      <div class="pair">
        <Button keys="R" hint={t("tools.fitHint")} onClick={() => editor.moveView((v) => v.fit())} disabled={!task}>{t("tools.fit")} <span class="facts">{number(100 * view.scale * voxel, 3)} %</span></Button>
        <Button keys="?" onClick={help}>{t("tools.keys")}</Button>
      </div>
      <details class="more">
        <summary>{t("tools.settings")}</summary>
        <label class="choice">{t("settings.rightDrag")}
          <select value={settings.mouse} onChange={(e) => { change({ mouse: e.currentTarget.value as "window" | "zoom" }); e.currentTarget.blur(); editor.moveView(() => {}); }}>
            <option value="window">{t("settings.window")}</option>
            <option value="zoom">{t("settings.zoom")}</option>
          </select>
        </label>
        <label class="choice">{t("settings.leftEdge")}
          <select value={settings.convention} onChange={(e) => { editor.setConvention(e.currentTarget.value as "radiological" | "neurological"); e.currentTarget.blur(); }}>
            <option value="radiological">{t("settings.radiological")}</option>
            <option value="neurological">{t("settings.neurological")}</option>
          </select>
        </label>
        <Check checked={editor.tool === "window"} onChange={() => editor.setTool(editor.tool === "window" ? "brush" : "window")}>{t("settings.leftDrag")}</Check>
        <Check checked={settings.smooth} onChange={() => editor.setSmooth(!settings.smooth)}>{t("settings.smooth")}</Check>
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

/** Width and level as numbers that can be typed. What is being typed stays when the page is drawn anew. */
function WindowFields({ editor }: { editor: Editor }) {
  const { low, high } = editor.window;
  const field = (name: string, label: string, value: number, set: (v: number) => void) => <label>{name}
    <input type="text" inputMode="decimal" aria-label={label} disabled={!editor.task} defaultValue={String(Number(value.toPrecision(4)))} key={value}
      onChange={(e) => {
        const input = e.currentTarget, text = input.value.trim(), v = Number(text.replace(",", ".").replace("\u2212", "-"));
        input.value = input.defaultValue; // unless the window changes
        if (text !== "" && Number.isFinite(v)) set(v);
        input.blur();
      }}
      onKeyDown={(e) => { if (e.key === "Enter" || e.key === "Escape") e.currentTarget.blur(); e.stopPropagation(); }} />
  </label>;
  /** Of the window as it is then. */
  const set = (width: number | null, level: number | null) => {
    const now = editor.window, w = width ?? now.high - now.low, l = level ?? (now.low + now.high) / 2;
    if (w > 0) editor.setWindow({ low: l - w / 2, high: l + w / 2 });
  };
  return <div class="pair fields">
    {field(t("tools.w"), t("tools.width"), high - low, (w) => set(w, null))}
    {field(t("tools.l"), t("tools.level"), (low + high) / 2, (l) => set(null, l))}
  </div>;
}

function Classes({ editor }: { editor: Editor }) {
  const { counts, task } = editor;
  return <div class="classes" role="radiogroup" aria-label={t("tools.classToDraw")}>
    {editor.classes.filter((c) => c.value > 0).map((c) => {
      const name = className(c.value, editor.classes), locked = editor.locked.has(c.value), key = c.value === unsure ? "O" : c.value < 100 ? String(c.value) : "";
      return <div key={c.value}>
        <button type="button" role="radio" aria-checked={editor.label === c.value} onMouseDown={keepFocus} onClick={() => editor.setLabel(c.value)}
          title={c.value === unsure ? t("tools.unsureHint") : t("tools.drawClass", { class: name })} aria-keyshortcuts={key || undefined}>
          <i class={c.value === unsure ? "hatched" : undefined} style={{ backgroundColor: c.color }} aria-hidden="true" />
          <span>{name}</span>
          <span class="count">{task && counts[c.value] ? counts[c.value].toLocaleString(language()) : "–"}</span>
          <kbd aria-hidden="true">{key}</kbd>
        </button>
        <button type="button" class="lock" aria-pressed={locked} aria-label={t("tools.lock", { class: name })} title={locked ? t("tools.locked", { class: name }) : `${t("tools.lock", { class: name })}${editor.label === c.value ? " (L)" : ""}`}
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
    <summary>{t("tools.more")}</summary>
    <Check keys="J" checked={editor.range !== null} onChange={() => editor.toggleRange()}>{t("tools.like")}{editor.range !== null && ` ± ${number(editor.range, 2)}`}</Check>
    <Check keys="⇧B" checked={editor.onBackground} onChange={() => editor.toggleOnBackground()}>{t("tools.onBackground")}</Check>
    <div class="pair">
      <Button keys="⇧F" disabled={idle} hint={t("tools.holesHint")} onClick={() => editor.reshape("fill holes")}>{t("tools.holes")}</Button>
      <Button keys="⇧L" disabled={idle} hint={t("tools.largestHint")} onClick={() => editor.reshape("largest part")}>{t("tools.largest")}</Button>
      <Button keys="<" disabled={idle} hint={t("tools.shrinkHint")} onClick={() => editor.reshape("shrink")}>{t("tools.shrink")}</Button>
      <Button keys=">" disabled={idle} hint={t("tools.growHint")} onClick={() => editor.reshape("grow")}>{t("tools.grow")}</Button>
      <Button keys="⇧S" disabled={idle} hint={t("tools.smoothHint")} onClick={() => editor.reshape("smooth")}>{t("tools.smooth")}</Button>
      <Button keys="⇧I" disabled={idle} hint={t("tools.betweenHint")} onClick={() => void flow.interpolate()}>{t("tools.between")}</Button>
      <Button keys="M" disabled={idle} hint={t("tools.copyUpHint")} onClick={() => void flow.copyNeighbour(-1)}>{t("tools.copyUp")}</Button>
      <Button keys="⇧M" disabled={idle} hint={t("tools.copyDownHint")} onClick={() => void flow.copyNeighbour(1)}>{t("tools.copyDown")}</Button>
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
