import { useState } from "preact/hooks";
import type { Project } from "./api";
import { duration, fraction, number } from "./format";
import { applyTheme, change, settings } from "./settings";

interface Props { project: Project; person: string; page: "editor" | "dashboard"; leave: () => Promise<void> }

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
    </nav>
    <span class="progress" title={`${project.labelled} of ${project.items} slices labelled, ${project.skipped} skipped`}>
      <span class="meter" aria-hidden="true"><span style={{ width: `${100 * share}%` }} /></span>
      {project.labelled} labelled · {project.queue} in queue
    </span>
    <span class="training" role="status" title={project.training?.running ? `Step ${project.training.step} of ${project.training.steps}` : undefined}>{training(project)}</span>
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

function training({ training: t, model }: Project): string {
  if (t?.running) {
    const part = t.epochs > 0 ? ` epoch ${t.epoch} of ${t.epochs}` : t.steps > 0 ? ` ${Math.floor(100 * t.step / t.steps)} %` : "";
    const loss = t.loss > 0 ? ` · loss ${number(t.loss)}` : "";
    const left = t.seconds_left > 0 ? ` · ${duration(t.seconds_left)} left` : "";
    return `${t.phase || "training"}${part}${loss}${left}`;
  }
  if (model) return `model ${model.version} · validation Dice ${fraction(model.validation_dice)}`;
  return "no model yet";
}
