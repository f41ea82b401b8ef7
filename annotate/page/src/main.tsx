// The page: login, then the editor or the dashboard under one header.

import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/editor.css";
import "./style/dashboard.css";
import "./style/review.css";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, belong, onForeign, onLoggedOut, type Project } from "./api";
import { Dashboard } from "./dashboard/Dashboard";
import { Editor } from "./editor/editor";
import { EditorPage } from "./editor/EditorPage";
import { follow } from "./events";
import { Flow } from "./flow";
import { Header } from "./Header";
import { Login } from "./Login";
import { Review } from "./review/Review";
import { parseRoute } from "./route";
import { applyTheme } from "./settings";
import { onLanguage, startLanguage, t } from "./texts";

interface Session { person: string; project: Project; flow: Flow }

const route = () => parseRoute(location.hash);

function App() {
  const [state, setState] = useState<"asking" | "out" | "in">("asking");
  const [failure, setFailure] = useState("");
  const [project, setProject] = useState<Project | null>(null);
  const [at, setAt] = useState(route()), { page } = at;
  const session = useRef<Session | null>(null);
  const [heard, setHeard] = useState(true); // the server tells what happens
  const [, retold] = useState(0);
  useEffect(() => onLanguage(() => retold((n) => n + 1)), []);

  /** A page belongs to one person in one project: for another one nothing of it stays, neither drawings nor pictures nor what goes on by itself. */
  function anew(): void {
    session.current?.flow.close();
    location.reload();
  }

  async function enter(person: string): Promise<void> {
    const old = session.current;
    if (old && old.person !== person) return anew();
    const known = await api.project();
    setProject(known);
    if (old) {
      setState("in"); // back after the server forgot us: the mask on screen stays
      return;
    }
    belong(known.id, person);
    const flow = new Flow(known, person, new Editor(known.classes, known.name));
    session.current = { person, project: known, flow };
    setState("in");
    await flow.start(route().page === "editor" ? route().item : null);
  }

  useEffect(() => {
    onLoggedOut.call = () => setState("out");
    onForeign.call = (text) => {
      session.current?.flow.close();
      setFailure(text);
    };
    api.me().then((me) => enter(me.name)).catch((error) => {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) setState("out");
      else setFailure(error.message);
    });
    const moved = () => {
      const to = route(), flow = session.current?.flow;
      setAt(to);
      if (to.page === "editor" && to.item && flow && to.item !== flow.editor.task?.item) void flow.open(to.item);
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);

  useEffect(() => {
    if (state !== "in") return;
    const end = follow({
      training: (training) => setProject((p) => p && { ...p, training: { ...p.training, ...training } as Project["training"] }),
      refresh: async () => {
        void session.current?.flow.wake();
        return api.project().then((known) => {
          setProject(known);
          return true;
        }, () => false);
      },
      warn: (text) => session.current?.flow.say("warning", text),
      mention: (text) => session.current?.flow.mention(text),
      heard: setHeard,
    });
    return () => {
      end();
      setHeard(true);
    };
  }, [state]);

  if (failure) {
    return <main class="message"><h1>nextslice</h1><p>{failure}</p><button onClick={() => location.reload()}>{t("page.again")}</button></main>;
  }
  if (state === "out") return <Login enter={enter} />;
  const current = session.current;
  if (state === "asking" || !project || !current) return <main class="message" aria-busy="true" />;
  return <>
    <Header project={project} heard={heard} person={current.person} page={page} leave={async () => {
      if (!await current.flow.drafts.flush() && !confirm(t("header.reallyLeave"))) return;
      try {
        await api.logout();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return current.flow.say("error", error.message);
      }
      anew();
    }} />
    {page === "dashboard" ? <Dashboard project={project} />
      : page === "review" ? <Review project={project} open={at.item} />
      : <EditorPage project={project} flow={current.flow} />}
  </>;
}

startLanguage();
applyTheme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
render(<App />, document.getElementById("page")!);
