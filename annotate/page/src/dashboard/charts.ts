// Line charts in the page's colours.

import uPlot from "uplot";

export interface Line { label: string; color: string; values: Array<number | null>; points?: boolean }

export interface Chart { x: number[]; xLabel: string; yLabel: string; lines: Line[]; /** Values are Dice: at most 1. */ dice?: boolean }

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Draws a chart into an element and keeps its width; returns how to remove it. */
export function draw(element: HTMLElement, chart: Chart, height = 190): () => void {
  const axis = (label: string): uPlot.Axis => ({
    label, labelSize: 18, values: (_, ticks) => ticks.map((v) => String(Number(v.toPrecision(6)))), labelFont: "11px system-ui, sans-serif", font: "11px system-ui, sans-serif", stroke: token("--quiet"),
    grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line"), width: 1, size: 4 },
  });
  const options: uPlot.Options = {
    width: element.clientWidth || 300,
    height,
    cursor: { y: false, drag: { x: false, y: false } },
    legend: { live: false, markers: { width: 0, fill: (_, i) => token(chart.lines[i - 1]?.color ?? "--quiet") } },
    scales: { x: { time: false }, y: { range: chart.dice ? (_, low) => [Math.max(0, Math.floor(10 * low - 0.5) / 10), 1] : { min: { pad: 0.1, soft: 0, mode: 1 }, max: { pad: 0.1, mode: 1 } } } },
    // labels are counted: no fractions of one
    axes: [{ ...axis(chart.xLabel), size: 28, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] }, { ...axis(chart.yLabel), size: 44 }],
    series: [
      { label: chart.xLabel },
      ...chart.lines.map((l): uPlot.Series => ({
        label: `${l.label}${latest(l.values)}`, stroke: token(l.color), width: l.points ? 0 : 1.8, spanGaps: true,
        paths: l.points ? () => null : undefined,
        points: { show: l.points || chart.x.length < 30, size: l.points ? 4.5 : 5, width: 0, fill: token(l.color) },
        value: (_, v) => (v === null ? "–" : String(Number(v.toPrecision(3)))),
      })),
    ],
  };
  const plot = new uPlot(options, [chart.x, ...chart.lines.map((l) => l.values)], element);
  const observer = new ResizeObserver(() => {
    if (element.clientWidth !== plot.width && element.clientWidth > 0) plot.setSize({ width: element.clientWidth, height });
  });
  observer.observe(element);
  return () => {
    observer.disconnect();
    plot.destroy();
  };
}

/** The last value of a line, to stand beside its name: it is read without a mouse. */
function latest(values: Array<number | null>): string {
  const last = values.filter((v) => v !== null).at(-1);
  return last === undefined ? "" : ` ${Number(last.toPrecision(3))}`;
}

/** The mean of the last n values at each place; gaps are left out. */
export function movingMean(values: Array<number | null>, n: number): Array<number | null> {
  return values.map((_, i) => {
    const near = values.slice(Math.max(0, i - n + 1), i + 1).filter((v): v is number => v !== null);
    return near.length === 0 ? null : near.reduce((a, b) => a + b, 0) / near.length;
  });
}
