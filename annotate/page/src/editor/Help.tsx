import type { RefObject } from "preact";
import { t, type Key } from "../texts";
import { bindings, type Binding } from "./keys";

function Keys({ group, title }: { group: Binding["group"]; title: string }) {
  return <section>
    <h2>{title}</h2>
    <dl>{bindings.filter((b) => b.group === group).map((b) => <div key={b.text}>
      <dt>{(b.keys.length > 4 ? [b.keys[0], "…", b.keys[b.keys.length - 1]] : b.keys).map((k) => k === "…" ? <span key={k}>–</span> : <kbd key={k}>{write(k)}</kbd>)}</dt>
      <dd>{t(b.text)}</dd>
    </div>)}</dl>
  </section>;
}

const signs: Record<string, string> = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Shift: "⇧" };
const named: Record<string, Key> = { PageUp: "key.PageUp", PageDown: "key.PageDown", Escape: "key.Escape", Delete: "key.Delete", Home: "key.Home", End: "key.End", Ctrl: "key.Ctrl" };

function write(key: string): string {
  return key.split(/(?<=.)\+/).map((part) => signs[part] ?? (named[part] ? t(named[part]) : part)).join(" ");
}

export function Help({ dialog }: { dialog: RefObject<HTMLDialogElement> }) {
  return <dialog ref={dialog} class="help" aria-label={t("help")}>
    <form method="dialog">
      <header><h1>{t("help")}</h1><button autofocus>{t("help.close")} <kbd>{t("key.Escape")}</kbd></button></header>
      <div class="columns">
        <div>
          <Keys group="Slice" title={t("help.slice")} />
          <Keys group="Draw" title={t("help.draw")} />
        </div>
        <div>
          <Keys group="Show" title={t("help.show")} />
          <Keys group="Move" title={t("help.move")} />
          <section>
            <h2>{t("help.mouse")}</h2>
            <dl>
              <div><dt>{t("help.left")}</dt><dd>{t("help.leftText")}</dd></div>
              <div><dt>{t("help.right")}</dt><dd>{t("help.rightText")}</dd></div>
              <div><dt>{t("help.middle")}</dt><dd>{t("help.middleText")}</dd></div>
              <div><dt>{t("help.touch")}</dt><dd>{t("help.touchText")}</dd></div>
              <div><dt>{t("help.wheel")}</dt><dd>{t("help.wheelText")}</dd></div>
            </dl>
          </section>
        </div>
      </div>
      <p class="quiet">{t("help.contains")} <a href="/assets/licenses.txt" target="_blank">{t("help.others")}</a>.</p>
    </form>
  </dialog>;
}
