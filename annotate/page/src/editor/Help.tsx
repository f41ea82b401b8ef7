import type { RefObject } from "preact";
import { bindings, type Binding } from "./keys";

function Keys({ group, title }: { group: Binding["group"]; title: string }) {
  return <section>
    <h2>{title}</h2>
    <dl>{bindings.filter((b) => b.group === group).map((b) => <div key={b.text}>
      <dt>{(b.keys.length > 4 ? [b.keys[0], "…", b.keys[b.keys.length - 1]] : b.keys).map((k) => k === "…" ? <span key={k}>–</span> : <kbd key={k}>{write(k)}</kbd>)}</dt>
      <dd>{b.text}</dd>
    </div>)}</dl>
  </section>;
}

const written: Record<string, string> = {
  ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", PageUp: "PgUp", PageDown: "PgDn", Escape: "Esc", Delete: "Del", Shift: "⇧",
};

function write(key: string): string {
  return key.split(/(?<=.)\+/).map((part) => written[part] ?? part).join(" ");
}

export function Help({ dialog }: { dialog: RefObject<HTMLDialogElement> }) {
  return <dialog ref={dialog} class="help" aria-label="Keys and mouse">
    <form method="dialog">
      <header><h1>Keys and mouse</h1><button autofocus>Close <kbd>Esc</kbd></button></header>
      <div class="columns">
        <div>
          <Keys group="Slice" title="The slice" />
          <Keys group="Draw" title="Draw" />
        </div>
        <div>
          <Keys group="Show" title="Show" />
          <Keys group="Move" title="Move" />
          <section>
            <h2>Mouse</h2>
            <dl>
              <div><dt>left</dt><dd>The active tool; with Alt it erases</dd></div>
              <div><dt>right drag</dt><dd>Window (across) and level (down); or zoom, see Settings</dd></div>
              <div><dt>middle drag</dt><dd>Pan (also Space and left)</dd></div>
              <div><dt>touch</dt><dd>One finger draws; two move and zoom; three go through the slices. With a pen, fingers do not draw</dd></div>
              <div><dt>wheel</dt><dd>Neighbouring slices; with Ctrl zoom, with Shift brush size</dd></div>
            </dl>
          </section>
        </div>
      </div>
      <p class="quiet">The page contains <a href="/assets/licenses.txt" target="_blank">free software by others</a>.</p>
    </form>
  </dialog>;
}
