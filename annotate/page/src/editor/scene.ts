// Draws the editor's state on its canvas.

import { settings } from "../settings";
import type { Change, Editor } from "./editor";
import { Layer, outlinePath, rgb } from "./layers";
import { capsule, outline } from "./raster";

export class Scene {
  private readonly context: CanvasRenderingContext2D;
  private image = new Layer(1, 1);
  private mask = new Layer(1, 1);
  private uncertainty = new Layer(1, 1);
  private outlines = new Map<number, Path2D>();
  private proposals: Path2D | null = null;
  private frame = 0;
  private pixelRatio = 1;
  /** The largest value of the uncertainty map that is shown, nats. */
  uncertaintyTop = 0;

  constructor(readonly canvas: HTMLCanvasElement, private readonly editor: Editor) {
    this.context = canvas.getContext("2d", { alpha: false })!;
    editor.draw = (change) => this.update(change);
    this.resize();
  }

  resize(): void {
    const box = this.canvas.getBoundingClientRect();
    this.pixelRatio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(box.width * this.pixelRatio));
    this.canvas.height = Math.max(1, Math.round(box.height * this.pixelRatio));
    this.editor.view.resize(box.width, box.height);
    this.draw();
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.editor.draw = () => {};
  }

  /** Takes over a change and draws: a stroke at once, anything else with the next frame. */
  private update(change: Change): void {
    const e = this.editor;
    if (!e.task) {
      this.schedule();
      return;
    }
    if (change.kind === "slice") {
      const { width, height } = e.task;
      if (this.image.width !== width || this.image.height !== height) {
        this.image = new Layer(width, height);
        this.mask = new Layer(width, height);
        this.uncertainty = new Layer(width, height);
      }
      this.image.image(e.shownImage, e.window, e.invert);
      this.mask.labels(e.labels, e.palette);
      this.outlines.clear();
      this.proposals = null;
      this.uncertaintyTop = 0;
      if (e.uncertainty) {
        for (const v of e.uncertainty) if (v > this.uncertaintyTop) this.uncertaintyTop = v;
        this.uncertainty.uncertainty(e.uncertainty, Math.max(this.uncertaintyTop, 1e-6));
      }
    } else if (change.kind === "labels") {
      this.mask.labels(e.labels, e.palette, change.rect);
      this.outlines.clear();
      if (e.inStroke) {
        this.draw();
        return;
      }
    }
    this.schedule();
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
    if (!e.task) return;

    const matrix = this.matrix();
    c.setTransform(matrix);
    c.imageSmoothingEnabled = settings.smooth;
    c.drawImage(this.image.canvas, 0, 0);
    c.imageSmoothingEnabled = false; // labels lie on the voxel grid
    if (e.context) return;
    if (e.showUncertainty && e.uncertainty) c.drawImage(this.uncertainty.canvas, 0, 0);
    if (e.showMask) {
      c.globalAlpha = e.opacity;
      c.drawImage(this.mask.canvas, 0, 0);
      c.globalAlpha = 1;
    }
    c.setTransform(1, 0, 0, 1, 0, 0);
    if (e.showMask) this.drawOutlines(matrix);
    if (e.showProposal && e.proposal) {
      this.proposals ??= this.everyOutline(e.proposal);
      this.stroke(this.proposals, matrix, "rgba(0,0,0,.7)", 3);
      this.stroke(this.proposals, matrix, "#ffffff", 1.3, [5, 4]);
    }
    if (e.compared) {
      const path = this.everyOutline(e.compared.labels);
      this.stroke(path, matrix, "rgba(0,0,0,.7)", 3);
      this.stroke(path, matrix, "#ffe14d", 1.5, [2, 3]);
    }
    if (e.corners.length > 0) this.drawPolygon(matrix);
    else if (e.cursor) this.drawCursor(matrix, e.cursor);
  }

  /** Voxels to the canvas's own pixels. */
  private matrix(): DOMMatrix {
    return new DOMMatrix().scale(this.pixelRatio).multiply(DOMMatrix.fromMatrix(this.editor.view.matrix()));
  }

  private stroke(path: Path2D, matrix: DOMMatrix, color: string, width: number, dash: number[] = []): void {
    const c = this.context, placed = new Path2D();
    placed.addPath(path, matrix);
    c.strokeStyle = color;
    c.lineWidth = width * this.pixelRatio;
    c.setLineDash(dash.map((d) => d * this.pixelRatio));
    c.stroke(placed);
  }

  private drawOutlines(matrix: DOMMatrix): void {
    const { task, labels, classes } = this.editor;
    for (const k of classes) {
      if (k.value === 0) continue;
      let path = this.outlines.get(k.value);
      if (!path) this.outlines.set(k.value, path = outlinePath(task!.width, task!.height, labels, k.value));
      this.stroke(path, matrix, k.color, 1.4);
    }
  }

  private everyOutline(labels: Uint8Array): Path2D {
    const { task, classes } = this.editor, path = new Path2D();
    for (const k of classes) if (k.value > 0) path.addPath(outlinePath(task!.width, task!.height, labels, k.value));
    return path;
  }

  private color(): string {
    const e = this.editor;
    return e.tool === "eraser" ? "#ffffff" : e.classes.find((k) => k.value === e.label)?.color ?? "#ffffff";
  }

  private drawPolygon(matrix: DOMMatrix): void {
    const { corners, cursor } = this.editor, path = new Path2D();
    corners.forEach(([x, y], i) => (i === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
    if (cursor) path.lineTo(cursor[0] + 0.5, cursor[1] + 0.5);
    this.stroke(path, matrix, "rgba(0,0,0,.7)", 3.5);
    this.stroke(path, matrix, this.color(), 1.6);
    const c = this.context;
    c.setLineDash([]);
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
    const e = this.editor, { width, height, spacing } = e.task!;
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
    this.stroke(path, matrix, "rgba(0,0,0,.75)", 3);
    this.stroke(path, matrix, this.color(), 1.2);
    if (e.penDown) {
      const [r, g, b] = rgb(this.color());
      const c = this.context, p = matrix.transformPoint({ x: x + 0.5, y: y + 0.5 });
      c.fillStyle = `rgb(${r},${g},${b})`;
      c.fillRect(p.x - 2, p.y - 2, 4, 4);
    }
  }
}
