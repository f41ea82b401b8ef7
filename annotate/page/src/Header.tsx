import { useState } from "preact/hooks";
import type { Project } from "./api";
import { duration, fraction, number } from "./format";
import type { Page } from "./route";
import { chooseLanguage, language, languages, t, type Key, type Language } from "./texts";
import { saidEach, told } from "./said";
import { applyTheme, change, settings } from "./settings";

/** heard is false while the server does not tell what happens: the project is as it was then. */
interface Props { project: Project; heard: boolean; person: string; page: Page; leave: () => Promise<void> }

const phases: Record<string, Key> = { load: "phase.load", train: "phase.train", validate: "phase.validate", score: "phase.score" };

const themes = ["system", "light", "dark"] as const;

export function Header({ project, heard, person, page, leave }: Props) {
  const [theme, setTheme] = useState(settings.theme);
  const nextTheme = themes[(themes.indexOf(theme) + 1) % themes.length];
  const share = project.items > 0 ? project.labelled / project.items : 0;
  return <header class="bar">
    <h1 class="unseen">{t(page === "editor" ? "header.label" : `header.${page}`)}</h1>
    <strong class="brand">nextslice</strong>
    <span class="project" title={project.name}>{project.name}</span>
    <nav aria-label={t("header.pages")}>
      <a href="#/" aria-current={page === "editor" ? "page" : undefined}>{t("header.label")}</a>
      <a href="#/dashboard" aria-current={page === "dashboard" ? "page" : undefined}>{t("header.dashboard")}</a>
      <a href="#/review" aria-current={page === "review" ? "page" : undefined}>{t("header.review")}</a>
    </nav>
    <span class="progress" title={t("header.progress", { labelled: project.labelled, items: project.items, skipped: project.skipped })}>
      <span class="meter" aria-hidden="true"><span style={{ width: `${100 * share}%` }} /></span>
      {t("header.labelled", { labelled: project.labelled, items: project.items, waiting: project.queue })}
    </span>
    <span class="training" role="status" title={!heard ? t("header.unheard") : project.training?.running ? t("header.step", { step: project.training.step, steps: project.training.steps }) : undefined}>{heard ? training(project) : <b>{t("header.unheard")}</b>}</span>
    {(project.warnings?.length ?? 0) > 0 && <a class="stop" href="#/dashboard" title={saidEach(project.warnings_said, project.warnings).join("\n")}>{t("header.warnings", { n: project.warnings!.length })}</a>}
    {!!project.problems?.length && <span class="stop" role="alert" title={saidEach(project.problems_said, project.problems).join("\n")}>
      {t("header.problems", { n: project.problems.length })}
    </span>}
    {project.stop?.suggested && <a class="stop" href="#/dashboard" title={told(project.stop.said, project.stop.reason)}>{t("header.stop")}</a>}
    <span class="space" />
    <button class="quiet" onClick={() => { change({ theme: nextTheme }); applyTheme(); setTheme(nextTheme); }}
      title={t("header.coloursNext", { theme: t(`theme.${theme}`), next: t(`theme.${nextTheme}`) })} aria-label={t("header.colours", { theme: t(`theme.${theme}`) })}>
      {t(`theme.${theme}`)}
    </button>
    <Languages />
    <span class="person">{person}</span>
    <button class="quiet" onClick={() => void leave()}>{t("header.logout")}</button>
  </header>;
}

/** The languages of the page, each by its own name. */
export function Languages() {
  return <select class="language" aria-label={t("header.language")} value={language()} onChange={(e) => chooseLanguage(e.currentTarget.value as Language)}>
    {Object.entries(languages).map(([name, table]) => <option key={name} value={name} lang={name}>{table.language}</option>)}
  </select>;
}

function training({ training: now, model, until_model: until }: Project): string {
  if (now?.running) {
    const part = now.epochs > 0 ? ` ${t("training.epoch", { epoch: now.epoch, epochs: now.epochs })}` : now.steps > 0 ? ` ${Math.floor(100 * now.step / now.steps)} %` : "";
    const loss = now.loss > 0 ? ` · ${t("training.loss", { loss: number(now.loss) })}` : "";
    const left = now.seconds_left > 0 ? ` · ${t("training.left", { time: duration(now.seconds_left) })}` : "";
    return `${t(phases[now.phase] ?? "phase.other")}${part}${loss}${left}`;
  }
  if (model) return t("model.summary", { version: model.version, dice: fraction(model.validation_dice) });
  return until === null || until === undefined ? t("model.none") : until > 0 ? t("model.until", { n: until }) : t("model.soon");
}
