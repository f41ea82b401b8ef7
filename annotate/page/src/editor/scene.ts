// Draws the editor's state on two canvases: slice and masks below, what follows the pointer above.

import { settings } from "../settings";
import type { Change, Panel } from "./display";
import type { Compared, Editor } from "./editor";
import { Layer, Outlines, Patch, rgb } from "./layers";
import { capsule, grown, outline, union, type Rect } from "./raster";

/** A mask's outlines, made anew when the mask is another one. */
class Drawn {
  private of: Uint8Array | null = null;
  private outlines: Outlines | null = null;

  get(width: number, height: number, labels: Uint8Array): Outlines {
    if (this.of !== labels || !this.outlines) {
      this.of = labels;
      this.outlines = new Outlines(width, height, labels);
    }
    return this.outlines;
  }

  forget(): void {
    this.of = null;
    this.outlines = null;
  }
}

export class Scene {
  private readonly context: CanvasRenderingContext2D;
  private readonly above: CanvasRenderingContext2D;
  private images: Layer[] = []; // by channel
  private mask = new Layer(1, 1);
  private neighbour = new Layer(1, 1);
  private uncertainty = new Layer(1, 1);
  private readonly patch = new Patch();
  private readonly outlines = new Drawn();
  private readonly proposals = new Drawn();
  private readonly context2 = new Drawn(); // of the neighbour
  private readonly compared = [new Drawn(), new Drawn()];
  private stale: Rect | null = null; // of the mask's layer: what strokes have drawn as patches
  private frame = 0;
  private frameAbove = 0;
  private pixelRatio = 1;
  /** The largest value of the uncertainty map that is shown, nats. */
  uncertaintyTop = 0;

  constructor(readonly canvas: HTMLCanvasElement, private readonly over: HTMLCanvasElement, private readonly editor: Editor) {
    this.context = canvas.getContext("2d", { alpha: false })!;
    this.above = over.getContext("2d")!;
    editor.draw = (change) => this.update(change);
    this.resize();
  }

  resize(): void {
    const box = this.canvas.getBoundingClientRect();
    this.pixelRatio = window.devicePixelRatio || 1;
    for (const c of [this.canvas, this.over]) {
      c.width = Math.max(1, Math.round(box.width * this.pixelRatio));
      c.height = Math.max(1, Math.round(box.height * this.pixelRatio));
    }
    this.editor.layout(box.width, box.height);
    this.draw();
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.frameAbove);
    this.frame = this.frameAbove = 0;
    this.editor.draw = () => {};
  }

  /** Takes over a change and draws: an edit at once, anything else with the next frame. */
  private update(change: Change): void {
    const e = this.editor;
    if (change.kind === "pointer") {
      this.frameAbove ||= requestAnimationFrame(() => this.drawAbove());
      return;
    }
    if (e.task && change.kind === "slice") this.load();
    if (e.task && change.kind === "labels") {
      this.stale = union(this.stale, change.rect);
      this.outlines.get(e.task.width, e.task.height, e.labels).invalidate(change.rect);
      this.drawPart(change.rect);
      return;
    }
    this.schedule();
  }

  /** Fills the layers from the editor's arrays. */
  private load(): void {
    const e = this.editor, { width, height } = e.task!;
    if (this.mask.width !== width || this.mask.height !== height) {
      this.images = [];
      this.mask = new Layer(width, height);
      this.neighbour = new Layer(width, height);
      this.uncertainty = new Layer(width, height);
    }
    if (String(e.panels.map((p) => p.channel)) !== String(e.shownChannels)) {
      const box = this.canvas.getBoundingClientRect();
      e.layout(box.width, box.height);
    }
    for (const channel of e.shownChannels) {
      const layer = (this.images[channel] ??= new Layer(width, height));
      layer.image(e.shownImage(channel), e.windows[channel] ?? e.window, e.invert);
    }
    this.mask.labels(e.labels, e.palette);
    this.stale = null;
    if (e.context?.mask) this.neighbour.labels(e.context.mask.labels, e.palette);
    this.outlines.forget();
    this.uncertaintyTop = 0;
    if (e.uncertainty) {
      for (const v of e.uncertainty) if (v > this.uncertaintyTop) this.uncertaintyTop = v;
      this.uncertainty.uncertainty(e.uncertainty, Math.max(this.uncertaintyTop, 1e-6));
    }
  }

  schedule(): void {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { context: c, editor: e } = this;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.fillStyle = "#05070a";
    c.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (e.task) {
      if (this.stale) this.mask.labels(e.labels, e.palette, this.stale);
      this.stale = null;
      for (const panel of e.panels) this.clipped(this.box(panel), () => this.drawPanel(panel, null));
    }
    this.drawAbove();
  }

  /** Draws anew what lies over some voxels. */
  private drawPart(rect: Rect): void {
    if (this.frame) return; // everything is drawn with the next frame
    const { editor: e, context: c } = this, grid = { width: e.task!.width, height: e.task!.height };
    if (e.context) return;
    for (const panel of e.panels) {
      const m = this.matrix(panel), scale = Math.min(Math.hypot(m.a, m.b), Math.hypot(m.c, m.d)), margin = 3 * this.pixelRatio;
      const shown = intersect(bounds(m, rect, margin), this.box(panel));
      if (shown.width <= 0 || shown.height <= 0) continue;
      const part = grown(rect, Math.ceil(2 * margin / scale) + 2, grid); // more than is drawn: its border is not seen
      this.patch.draw(e.labels, grid.width, e.palette, part);
      this.clipped(shown, () => {
        c.setTransform(1, 0, 0, 1, 0, 0);
        c.fillStyle = "#05070a";
        c.fillRect(shown.x, shown.y, shown.width, shown.height);
        this.drawPanel(panel, part);
      });
    }
    this.drawAbove();
  }

  private clipped(box: Rect, draw: () => void): void {
    const c = this.context;
    c.save();
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.beginPath();
    c.rect(box.x, box.y, box.width, box.height);
    c.clip();
    draw();
    c.restore();
  }

  /** Draws a channel with its masks; of a part of the slice the mask comes from the patch. */
  private drawPanel(panel: Panel, part: Rect | null): void {
    const { context: c, editor: e } = this, { width, height } = e.task!, matrix = this.matrix(panel);
    const all = part ?? this.visible(matrix, panel), opacity = e.opacity;
    c.setTransform(matrix);
    c.imageSmoothingEnabled = settings.smooth;
    const image = this.images[panel.channel];
    if (image) c.drawImage(image.canvas, 0, 0);
    c.imageSmoothingEnabled = false; // labels lie on the voxel grid
    if (e.context) {
      const m = e.context.mask;
      if (!m || !e.showMask) return;
      if (m.of === "label") {
        c.globalAlpha = opacity;
        c.drawImage(this.neighbour.canvas, 0, 0);
        c.globalAlpha = 1;
      }
      c.setTransform(1, 0, 0, 1, 0, 0);
      this.context2.get(width, height, m.labels).draw(all, matrix, (label, path) => this.stroke(path, this.colorOf(label), 1.4, m.of === "label" ? [] : [5, 4]));
      return;
    }
    if (e.showUncertainty && e.uncertainty) {
      c.globalAlpha = settings.uncertaintyOpacity;
      c.drawImage(this.uncertainty.canvas, 0, 0);
      c.globalAlpha = 1;
    }
    if (e.showMask) {
      c.globalAlpha = opacity;
      if (part) c.drawImage(this.patch.canvas, 0, 0, part.width, part.height, part.x, part.y, part.width, part.height);
      else c.drawImage(this.mask.canvas, 0, 0);
      c.globalAlpha = 1;
    }
    c.setTransform(1, 0, 0, 1, 0, 0);
    if (e.showMask) this.outlines.get(width, height, e.labels).draw(all, matrix, (label, path) => this.stroke(path, this.colorOf(label), 1.4));
    if (e.outlined) {
      this.proposals.get(width, height, e.proposal!).draw(all, matrix, (label, path) => {
        this.stroke(path, "rgba(0,0,0,.7)", 3);
        this.stroke(path, e.task!.outline ? this.colorOf(label) : "#ffffff", 1.3, [5, 4]);
      });
    }
    e.compared.forEach((other: Compared, n) => {
      (this.compared[n] ??= new Drawn()).get(width, height, other.labels).draw(all, matrix, (_, path) => {
        this.stroke(path, "rgba(0,0,0,.7)", 3);
        this.stroke(path, other.color, 1.5, other.dash);
      });
    });
    if (e.panels.length > 1 && panel.x > 0) { // a line between two channels
      const box = this.box(panel);
      c.fillStyle = "#2c3742";
      c.fillRect(box.x, box.y, 1, box.height);
    }
  }

  /** A panel in the canvas's own pixels. */
  private box(p: Panel): Rect {
    const x = Math.round(p.x * this.pixelRatio), y = Math.round(p.y * this.pixelRatio);
    return { x, y, width: Math.round((p.x + p.width) * this.pixelRatio) - x, height: Math.round((p.y + p.height) * this.pixelRatio) - y };
  }

  /** Voxels to the canvas's own pixels. */
  private matrix(panel: Panel): DOMMatrix {
    return new DOMMatrix().scale(this.pixelRatio).translate(panel.x, panel.y).multiply(DOMMatrix.fromMatrix(this.editor.view.matrix()));
  }

  /** The voxels that a panel shows. */
  private visible(matrix: DOMMatrix, panel: Panel): Rect {
    const { width, height } = this.editor.task!;
    return grown(bounds(matrix.inverse(), this.box(panel), 1), 0, { width, height });
  }

  private stroke(path: Path2D, color: string, width: number, dash: number[] = [], c = this.context): void {
    c.strokeStyle = color;
    c.lineWidth = width * this.pixelRatio;
    c.setLineDash(dash.map((d) => d * this.pixelRatio));
    c.stroke(path);
  }

  private colorOf(label: number): string {
    return this.editor.classes.find((k) => k.value === label)?.color ?? "#ff00ff";
  }

  private color(): string {
    const e = this.editor;
    return e.tool === "eraser" ? "#ffffff" : this.colorOf(e.label);
  }

  // --- what follows the pointer

  private drawAbove(): void {
    cancelAnimationFrame(this.frameAbove);
    this.frameAbove = 0;
    const { above: c, editor: e } = this;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, this.over.width, this.over.height);
    if (!e.task || e.context) return;
    for (const panel of e.panels) {
      const box = this.box(panel), matrix = this.matrix(panel);
      c.save();
      c.beginPath();
      c.rect(box.x, box.y, box.width, box.height);
      c.clip();
      this.drawHints(matrix);
      if (e.corners.length > 0) this.drawPolygon(matrix);
      if (e.cursor && e.tool !== "window" && (e.corners.length === 0 || e.tool !== "polygon")) this.drawCursor(matrix, e.cursor);
      c.restore();
    }
  }

  private place(path: Path2D, matrix: DOMMatrix): Path2D {
    const placed = new Path2D();
    placed.addPath(path, matrix);
    return placed;
  }

  /** Hints as lines: with a light border what belongs, with a dark one and dashed what does not. */
  private drawHints(matrix: DOMMatrix): void {
    const { hints, tool } = this.editor, c = this.above;
    for (const hint of [...(tool === "hint" ? hints.active : []), ...(hints.current ? [hints.current] : [])]) {
      const path = new Path2D(), [[x, y]] = hint.points;
      path.moveTo(x, y);
      for (const [u, v] of hint.points) path.lineTo(u, v);
      c.lineCap = c.lineJoin = "round";
      const placed = this.place(path, matrix), belongs = hint.kind === 1;
      this.stroke(placed, belongs ? "#ffffff" : "#000000", 6, [], c);
      this.stroke(placed, belongs ? this.colorOf(hint.label) : "#ff6b6b", 3, belongs ? [] : [1, 5], c);
      c.lineCap = "butt";
      c.lineJoin = "miter";
    }
  }

  private drawPolygon(matrix: DOMMatrix): void {
    const { corners, cursor, tool } = this.editor, path = new Path2D(), c = this.above;
    corners.forEach(([x, y], i) => (i === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
    if (cursor && tool === "polygon") path.lineTo(cursor[0] + 0.5, cursor[1] + 0.5);
    const placed = this.place(path, matrix);
    this.stroke(placed, "rgba(0,0,0,.7)", 3.5, [], c);
    this.stroke(placed, this.color(), 1.6, [], c);
    corners.forEach(([x, y], i) => {
      const p = matrix.transformPoint({ x, y });
      c.beginPath();
      c.arc(p.x, p.y, (i === 0 ? 5 : 2.5) * this.pixelRatio, 0, 2 * Math.PI);
      c.fillStyle = i === 0 ? "rgba(255,255,255,.25)" : this.color();
      c.fill();
      if (i === 0) c.stroke();
    });
  }

  /** The voxels that the tool would change. */
  private drawCursor(matrix: DOMMatrix, [x, y]: [number, number]): void {
    const e = this.editor, { width, height, spacing } = e.task!, c = this.above;
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const path = new Path2D();
    if (e.tool === "brush" || e.tool === "eraser") {
      // on a small grid around the brush, so that it is as round at the border
      const reach = Math.ceil(e.brush / 2) + 1, size = 2 * reach + 1;
      const covered = new Uint8Array(size * size);
      capsule({ width: size, height: size }, spacing, reach, reach, reach, reach, e.brush, (u, v) => (covered[v * size + u] = 1));
      outline({ width: size, height: size }, covered, 1, (x0, y0, x1, y1) => {
        path.moveTo(x0 + x - reach, y0 + y - reach);
        path.lineTo(x1 + x - reach, y1 + y - reach);
      });
    } else {
      path.rect(x, y, 1, 1);
    }
    const placed = this.place(path, matrix);
    this.stroke(placed, "rgba(0,0,0,.75)", 3, [], c);
    this.stroke(placed, this.color(), 1.2, e.range !== null && e.tool === "brush" ? [3, 3] : [], c);
    if (e.penDown) {
      const [r, g, b] = rgb(this.color()), p = matrix.transformPoint({ x: x + 0.5, y: y + 0.5 });
      c.fillStyle = `rgb(${r},${g},${b})`;
      c.fillRect(p.x - 2, p.y - 2, 4, 4);
    }
  }
}

function intersect(a: Rect, b: Rect): Rect {
  const x = Math.max(a.x, b.x), y = Math.max(a.y, b.y);
  return { x, y, width: Math.min(a.x + a.width, b.x + b.width) - x, height: Math.min(a.y + a.height, b.y + b.height) - y };
}

/** The upright rectangle of whole pixels around a placed one, with a margin. */
function bounds(m: DOMMatrix, r: Rect, margin: number): Rect {
  const a = m.transformPoint({ x: r.x, y: r.y }), b = m.transformPoint({ x: r.x + r.width, y: r.y + r.height });
  const x = Math.floor(Math.min(a.x, b.x) - margin), y = Math.floor(Math.min(a.y, b.y) - margin);
  return { x, y, width: Math.ceil(Math.max(a.x, b.x) + margin) - x, height: Math.ceil(Math.max(a.y, b.y) + margin) - y };
}
