import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import type { Project } from "../api";
import type { Flow } from "../flow";
import { change, settings } from "../settings";
import { Actions } from "./Actions";
import { Help } from "./Help";
import { handle } from "./keys";
import { Side } from "./Side";
import { Skip } from "./Skip";
import { Stage } from "./Stage";
import { Toolbar } from "./Toolbar";
import { drawsInHardware } from "../viewer/graphics";

/** Renders again whenever the editor or the flow changes. */
function useChanges(flow: Flow): void {
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const offEditor = flow.editor.subscribe(() => again(0)), offFlow = flow.subscribe(() => again(0));
    again(0);
    return () => { offEditor(); offFlow(); };
  }, [flow]);
}

export function EditorPage({ project, flow }: { project: Project; flow: Flow }) {
  const { editor } = flow;
  const help = useRef<HTMLDialogElement>(null), skip = useRef<HTMLDialogElement>(null);
  const [viewer, setViewer] = useState(() => settings.viewer ?? (drawsInHardware() && innerWidth >= 1000));
  useChanges(flow);

  const toggleViewer = () => setViewer((open) => {
    change({ viewer: !open });
    return !open;
  });
  const openSkip = () => { if (flow.maySkip) skip.current?.showModal(); };
  const openHelp = () => help.current?.showModal();

  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      flow.clock.active();
      handle(e, { editor, flow, help: openHelp, skip: openSkip, viewer: toggleViewer });
    };
    const visibility = () => {
      if (!document.hidden) return flow.clock.active();
      flow.clock.pause();
      void flow.drafts.flush();
    };
    const unload = (e: BeforeUnloadEvent) => {
      if (!flow.unsafe) return;
      void flow.drafts.flush();
      e.preventDefault();
    };
    addEventListener("keydown", key);
    document.addEventListener("visibilitychange", visibility);
    const hide = () => flow.closing();
    addEventListener("beforeunload", unload);
    addEventListener("pagehide", hide);
    return () => {
      removeEventListener("keydown", key);
      document.removeEventListener("visibilitychange", visibility);
      removeEventListener("beforeunload", unload);
      removeEventListener("pagehide", hide);
    };
  }, [flow]);

  return <main class={viewer ? "editor with-viewer" : "editor"}>
    <Toolbar editor={editor} flow={flow} help={openHelp} />
    <Stage flow={flow} project={project} />
    {viewer && <Side flow={flow} project={project} />}
    <Actions flow={flow} skip={openSkip} viewer={viewer} toggleViewer={toggleViewer} />
    <Help dialog={help} />
    <Skip dialog={skip} flow={flow} />
  </main>;
}
