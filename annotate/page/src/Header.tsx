import { useState } from "preact/hooks";
import type { Project } from "./api";
import { duration, fraction, number } from "./format";
import type { Page } from "./route";
import { applyTheme, change, settings } from "./settings";

interface Props { project: Project; person: string; page: Page; leave: () => Promise<void> }

const phases: Record<string, string> = { load: "reading the cases", train: "the model learns,", validate: "the model is tested", score: "the model chooses slices" };

const themes = ["system", "light", "dark"] as const;

export function Header({ project, person, page, leave }: Props) {
  const [theme, setTheme] = useState(settings.theme);
  const nextTheme = themes[(themes.indexOf(theme) + 1) % themes.length];
  const share = project.items > 0 ? project.labelled / project.items : 0;
  return <header class="bar">
    <strong class="brand">nextslice</strong>
    <span class="project" title={project.name}>{project.name}</span>
    <nav aria-label="Pages">
      <a href="#/" aria-current={page === "editor" ? "page" : undefined}>Label</a>
      <a href="#/dashboard" aria-current={page === "dashboard" ? "page" : undefined}>Dashboard</a>
      <a href="#/review" aria-current={page === "review" ? "page" : undefined}>Review</a>
    </nav>
    <span class="progress" title={`${project.labelled} of ${project.items} slices labelled, ${project.skipped} skipped`}>
      <span class="meter" aria-hidden="true"><span style={{ width: `${100 * share}%` }} /></span>
      {project.labelled} of {project.items} labelled · {project.queue} waiting
    </span>
    <span class="training" role="status" title={project.training?.running ? `Step ${project.training.step} of ${project.training.steps}` : undefined}>{training(project)}</span>
    {(project.warnings?.length ?? 0) > 0 && <a class="stop" href="#/dashboard" title={project.warnings!.join("\n")}>{project.warnings!.length} {project.warnings!.length === 1 ? "warning" : "warnings"}</a>}
    {!!project.problems?.length && <span class="stop" role="alert" title={project.problems.join("\n")}>
      {project.problems.length === 1 ? "1 problem" : `${project.problems.length} problems`}
    </span>}
    {project.stop?.suggested && <a class="stop" href="#/dashboard" title={project.stop.reason}>Stop suggested</a>}
    <span class="space" />
    <button class="quiet" onClick={() => { change({ theme: nextTheme }); applyTheme(); setTheme(nextTheme); }}
      title={`Colours: ${theme}. Click for ${nextTheme}.`} aria-label={`Colours: ${theme}`}>
      {theme === "system" ? "Auto" : theme === "light" ? "Light" : "Dark"}
    </button>
    <span class="person">{person}</span>
    <button class="quiet" onClick={() => void leave()}>Log out</button>
  </header>;
}

function training({ training: t, model, until_model: until }: Project): string {
  if (t?.running) {
    const part = t.epochs > 0 ? ` epoch ${t.epoch} of ${t.epochs}` : t.steps > 0 ? ` ${Math.floor(100 * t.step / t.steps)} %` : "";
    const loss = t.loss > 0 ? ` · loss ${number(t.loss)}` : "";
    const left = t.seconds_left > 0 ? ` · ${duration(t.seconds_left)} left` : "";
    return `${phases[t.phase] ?? (t.phase || "training")}${part}${loss}${left}`;
  }
  if (model) return `model ${model.version} · validation Dice ${fraction(model.validation_dice)}`;
  const more = until ?? 0;
  return until === null || until === undefined ? "no model" : more > 0 ? `${more} more until the first model` : "the first model comes soon";
}
