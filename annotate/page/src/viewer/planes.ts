// The three-plane viewer of a case. NiiVue makes this the page's largest part: it
// is loaded only when the viewer is opened.

import { MULTIPLANAR_TYPE, DRAG_MODE, Niivue, NVImage, SHOW_RENDER, SLICE_TYPE } from "@niivue/niivue";
import { paths, type Class } from "../api";
import { rgb, type Window } from "../editor/layers";
import type { Convention } from "../editor/view";
import { t } from "../texts";

export type Overlay = "label" | "proposal" | "none";

type Point = [number, number, number];

export class CaseViewer {
  /** The person clicked on another slice. */
  chosen: (slice: number) => void = () => {};
  private readonly nv: Niivue;
  private shown = "";
  private overlay: NVImage | null = null;
  private slice = -1;
  /** NiiVue takes one change of volumes at a time. */
  private busy: Promise<void> = Promise.resolve();
  private closed = false;
  private wanted = "";

  private constructor(private readonly axis: number, private readonly classes: Class[], convention: Convention) {
    this.nv = new Niivue({
      logLevel: "error",
      backColor: [0.02, 0.027, 0.04, 1],
      crosshairColor: [0.3, 0.76, 0.69, 0.7],
      crosshairWidth: 1,
      crosshairWidthUnit: "voxels",
      fontColor: [0.8, 0.85, 0.9, 1],
      isNearestInterpolation: true,
      isRadiologicalConvention: convention === "radiological",
      sagittalNoseLeft: true,
      multiplanarLayout: MULTIPLANAR_TYPE.AUTO,
      multiplanarShowRender: SHOW_RENDER.NEVER,
      sliceType: SLICE_TYPE.MULTIPLANAR,
      dragMode: DRAG_MODE.pan,
      dragModePrimary: DRAG_MODE.crosshair,
      dragAndDropEnabled: false,
      loadingText: "",
      viewModeHotKey: "",
      clipPlaneHotKey: "",
      cycleClipPlaneHotKey: "",
    });
    this.nv.onLocationChange = () => this.located();
  }

  /** Starts on a canvas; fails where the browser has no WebGL 2. axis is the one that slices are cut along. */
  static async start(canvas: HTMLCanvasElement, axis: number, classes: Class[], convention: Convention): Promise<CaseViewer> {
    if (!document.createElement("canvas").getContext("webgl2")) throw new Error(t("viewer.noWebGL"));
    const viewer = new CaseViewer(axis, classes, convention);
    await viewer.nv.attachToCanvas(canvas);
    canvas.removeAttribute("tabindex"); // its keys would clash with the editor's
    return viewer;
  }

  /**
   * Shows a case with an overlay; a case that is shown already only gets its overlay
   * anew. Of several calls in a row only the last is carried out.
   */
  show(id: string, channel: number, overlay: Overlay, window: Window): Promise<void> {
    const wish = this.wanted = `${id} ${channel} ${overlay} ${performance.now()}`, key = `${channel} ${id}`;
    const next = this.busy.then(async () => {
      if (wish !== this.wanted || this.closed) return;
      if (this.shown !== key) {
        this.shown = "";
        this.overlay = null;
        await this.nv.loadVolumes([{ url: paths.preview(id, channel), name: "image.nii.gz", colormap: "gray", cal_min: window.low, cal_max: window.high }]);
        this.shown = key;
        this.slice = -1;
      }
      if (this.closed) return;
      const image = overlay === "none" ? null : await NVImage.loadFromUrl({ url: paths.volume(id, overlay), name: `${overlay}.nii.gz`, opacity: 0.4 });
      if (this.closed) return;
      if (this.overlay) this.nv.removeVolume(this.overlay);
      this.overlay = image;
      if (!image) return;
      image.setColormapLabel(this.colors());
      this.nv.addVolume(image);
    });
    this.busy = next.catch(() => {});
    return next;
  }

  window(w: Window): void {
    const image = this.nv.volumes[0];
    if (this.closed || !this.shown || !image || (image.cal_min === w.low && image.cal_max === w.high)) return;
    image.cal_min = w.low;
    image.cal_max = w.high;
    this.nv.updateGLVolume();
  }

  convention(c: Convention): void {
    this.nv.setRadiologicalConvention(c === "radiological");
  }

  /** Moves the crosshair to a slice; within the slice it stays where it is. */
  goto(slice: number): void {
    if (this.closed || !this.shown || slice === this.slice) return;
    this.slice = slice;
    const voxel = this.position();
    voxel[this.axis] = slice;
    this.nv.scene.crosshairPos = this.nv.mm2frac(this.toWorld(voxel), 0, true);
    this.nv.drawScene();
  }

  /** Gives the graphics memory back, after a change that is on its way: NiiVue must not meet a lost context. */
  close(): void {
    this.closed = true;
    void this.busy.then(() => {
      this.nv.cleanup();
      this.nv.gl.getExtension("WEBGL_lose_context")?.loseContext();
    });
  }

  private located(): void {
    if (this.closed || !this.shown) return;
    const slice = Math.round(this.position()[this.axis]);
    if (slice === this.slice) return;
    this.slice = slice;
    this.chosen(slice);
  }

  /** The crosshair in voxels of the stored image, which NiiVue has turned. */
  private position(): Point {
    const mm = this.nv.frac2mm(this.nv.scene.crosshairPos, 0, true);
    const m = this.affine();
    const [a, b, c] = [0, 1, 2].map((r) => m[r].slice(0, 3) as Point);
    const d: Point = [mm[0] - m[0][3], mm[1] - m[1][3], mm[2] - m[2][3]];
    // Cramer's rule
    const det = (u: Point, v: Point, w: Point) => u[0] * (v[1] * w[2] - v[2] * w[1]) - u[1] * (v[0] * w[2] - v[2] * w[0]) + u[2] * (v[0] * w[1] - v[1] * w[0]);
    const column = (i: number, by: Point | null): Point => (by ? by : [a[i], b[i], c[i]]);
    const whole = det(column(0, null), column(1, null), column(2, null));
    return [0, 1, 2].map((i) => det(column(0, i === 0 ? d : null), column(1, i === 1 ? d : null), column(2, i === 2 ? d : null)) / whole) as Point;
  }

  private toWorld(v: Point): Point {
    return this.affine().slice(0, 3).map((r) => r[0] * v[0] + r[1] * v[1] + r[2] * v[2] + r[3]) as Point;
  }

  private affine(): number[][] {
    return this.nv.volumes[0].hdr!.affine;
  }

  private colors() {
    const table = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: ["background"] };
    for (const c of this.classes) {
      if (c.value === 0) continue;
      const [r, g, b] = rgb(c.color);
      table.R.push(r);
      table.G.push(g);
      table.B.push(b);
      table.A.push(255);
      table.I.push(c.value);
      table.labels.push(c.name);
    }
    return table;
  }
}
