// The way between voxels and the screen.
//
// Voxel coordinates: x counts columns, y rows, of the slice as the server stores
// it; voxel (3, 5) covers [3, 4) x [5, 6), its centre is (3.5, 5.5). Screen
// coordinates are CSS pixels from the canvas's upper left corner.

export interface Letters { left: string; right: string; top: string; bottom: string }

export type Convention = "radiological" | "neurological";

/** How a stored slice is turned for display: first transposed, then mirrored. */
export interface Placement { transposed: boolean; flipX: boolean; flipY: boolean }

const bodyAxis: Record<string, "x" | "y" | "z"> = { L: "x", R: "x", A: "y", P: "y", S: "z", I: "z" };

/**
 * The placement that shows a slice as radiologists expect it: head up, or
 * anterior up in axial slices; the patient's right on the left of the screen
 * (radiological) or on its right (neurological); anterior left in sagittal slices.
 * Slices of unknown orientation stay as stored.
 */
export function placement(stored: Letters, convention: Convention): Placement {
  const columns = bodyAxis[stored.left[0]], rows = bodyAxis[stored.top[0]];
  if (!columns || !rows || columns === rows) return { transposed: false, flipX: false, flipY: false };
  const transposed = columns === "z" || (columns === "y" && rows === "x");
  const left = (transposed ? stored.top : stored.left)[0];
  const top = (transposed ? stored.left : stored.top)[0];
  const wantLeft = "LR".includes(left) ? (convention === "radiological" ? "R" : "L") : "A";
  const wantTop = "AP".includes(top) ? "A" : "S";
  return { transposed, flipX: left !== wantLeft, flipY: top !== wantTop };
}

/** The letters at the edges of the displayed slice. */
export function shownLetters(stored: Letters, p: Placement): Letters {
  const l = p.transposed
    ? { left: stored.top, right: stored.bottom, top: stored.left, bottom: stored.right }
    : { ...stored };
  if (p.flipX) [l.left, l.right] = [l.right, l.left];
  if (p.flipY) [l.top, l.bottom] = [l.bottom, l.top];
  return l;
}

export class View {
  /** Screen pixels per unit of spacing. */
  scale = 1;
  /** Screen position of the displayed slice's upper left corner. */
  left = 0;
  top = 0;
  /** True until the person zooms or pans: the slice then follows the window's size. */
  fitted = true;

  columns = 1;
  rows = 1;
  /** Voxel size [row, column], as the server gives it. */
  spacing: [number, number] = [1, 1];
  place: Placement = { transposed: false, flipX: false, flipY: false };
  screenWidth = 1;
  screenHeight = 1;

  /** Width and height of the displayed slice in units of spacing. */
  extent(): [number, number] {
    const w = this.columns * this.spacing[1], h = this.rows * this.spacing[0];
    return this.place.transposed ? [h, w] : [w, h];
  }

  fit(): void {
    const [w, h] = this.extent();
    const margin = 26; // room for the orientation letters
    this.scale = Math.max(1e-6, Math.min((this.screenWidth - 2 * margin) / w, (this.screenHeight - 2 * margin) / h));
    this.left = (this.screenWidth - w * this.scale) / 2;
    this.top = (this.screenHeight - h * this.scale) / 2;
    this.fitted = true;
  }

  resize(width: number, height: number): void {
    const dx = (width - this.screenWidth) / 2, dy = (height - this.screenHeight) / 2;
    this.screenWidth = width;
    this.screenHeight = height;
    if (this.fitted) this.fit();
    else this.pan(dx, dy);
  }

  pan(dx: number, dy: number): void {
    this.left += dx;
    this.top += dy;
    this.fitted = false;
  }

  /** Zooms by a factor; the point (sx, sy) of the screen stays where it is. */
  zoom(factor: number, sx = this.screenWidth / 2, sy = this.screenHeight / 2): void {
    const finest = Math.min(this.spacing[0], this.spacing[1]);
    const next = Math.min(Math.max(this.scale * factor, 0.05 / finest), 80 / finest);
    const f = next / this.scale;
    this.left = sx - (sx - this.left) * f;
    this.top = sy - (sy - this.top) * f;
    this.scale = next;
    this.fitted = false;
  }

  /** The affine map from voxel coordinates to the screen, as canvas wants it: x' = ax + cy + e, y' = bx + dy + f. */
  matrix(): { a: number; b: number; c: number; d: number; e: number; f: number } {
    const { transposed, flipX, flipY } = this.place;
    const [w, h] = this.extent();
    const sx = (flipX ? -1 : 1) * this.scale, sy = (flipY ? -1 : 1) * this.scale;
    const e = this.left + (flipX ? w * this.scale : 0), f = this.top + (flipY ? h * this.scale : 0);
    const [rowSize, columnSize] = this.spacing;
    return transposed
      ? { a: 0, b: sy * columnSize, c: sx * rowSize, d: 0, e, f }
      : { a: sx * columnSize, b: 0, c: 0, d: sy * rowSize, e, f };
  }

  toScreen(x: number, y: number): [number, number] {
    const m = this.matrix();
    return [m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f];
  }

  toVoxel(sx: number, sy: number): [number, number] {
    const m = this.matrix(), det = m.a * m.d - m.b * m.c;
    const u = sx - m.e, v = sy - m.f;
    return [(m.d * u - m.c * v) / det, (m.a * v - m.b * u) / det];
  }
}
