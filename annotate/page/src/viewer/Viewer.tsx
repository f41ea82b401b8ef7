import { useEffect, useRef, useState } from "preact/hooks";
import type { Project } from "../api";
import type { Flow } from "../flow";
import { settings } from "../settings";
import { t, type Key } from "../texts";
import type { CaseViewer, Overlay } from "./planes";

const overlays: Array<[Overlay, Key]> = [["label", "viewer.labels"], ["proposal", "viewer.proposal"], ["none", "viewer.none"]];

/** The case in three planes; clicking there looks at that slice in the editor. */
export function Viewer({ flow, project }: { flow: Flow; project: Project }) {
  const { editor } = flow, { task, context } = editor;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [viewer, setViewer] = useState<CaseViewer | null>(null);
  const [overlay, setOverlay] = useState<Overlay>("label");
  const [text, setText] = useState(t("viewer.loading"));
  const [loaded, setLoaded] = useState(0);

  useEffect(() => {
    let current: CaseViewer | null = null, gone = false;
    void (async () => {
      try {
        const { CaseViewer } = await import("./planes");
        if (gone) return;
        current = await CaseViewer.start(canvas.current!, project.axis, editor.classes, settings.convention);
        if (gone) return current.close();
        current.chosen = (slice) => void flow.look(slice);
        setViewer(current);
      } catch (error) {
        setText(error instanceof Error ? error.message : String(error));
      }
    })();
    return () => {
      gone = true;
      current?.close();
    };
  }, []);

  const id = task?.case, label = task?.label, channel = editor.channel;
  useEffect(() => {
    if (!viewer || !id) return;
    setText("");
    // the editor goes first: large volumes keep the browser busy
    const timer = setTimeout(() => {
      viewer.show(id, channel, overlay, editor.window).then(() => setLoaded((n) => n + 1), (error) => setText(t("viewer.failed", { text: error.message })));
    }, 250);
    return () => clearTimeout(timer);
  }, [viewer, id, task, label, channel, overlay]); // a slice that is opened, once more after it was restored, too; its label, or the model, may be another one

  const slice = context?.slice ?? task?.slice ?? 0;
  useEffect(() => viewer?.goto(slice), [viewer, slice, loaded]);
  useEffect(() => viewer?.convention(settings.convention), [viewer, settings.convention]);
  const { low, high } = editor.window;
  useEffect(() => {
    const timer = setTimeout(() => viewer?.window({ low, high }), 150);
    return () => clearTimeout(timer);
  }, [viewer, low, high, loaded]);

  return <section class="viewer" aria-label={t("viewer")}>
    <div class="planes" data-loaded={loaded}><canvas ref={canvas} aria-label={t("viewer.canvas")} />{text && <p>{text}</p>}</div>
    <div class="segmented" role="radiogroup" aria-label={t("viewer.overlay")}>
      {overlays.map(([value, name]) => <button key={value} type="button" role="radio" aria-checked={overlay === value}
        onMouseDown={(e) => e.preventDefault()} onClick={() => setOverlay(value)}>{t(name)}</button>)}
    </div>
  </section>;
}
