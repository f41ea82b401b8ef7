// A browser runs what is new to it many times slower than what it has often run, so it practises hints before the first one.

import { belonging, type Pointed } from "./hints";

/** Voxels a side of the pictures: small ones while everything is slow, so that nobody waits for one, then such as are cut on blocks first. */
const sides = [...Array<number>(8).fill(48), ...Array<number>(8).fill(144)];

/** A noisy disc with a stroke on it. They differ as slices do, in a network's chances, strokes beside the disc, and whole or broken numbers: engines tell these apart. */
export function picture(side: number, round: number): Pointed {
  const n = side * side, image = new Float32Array(n), chances = round % 2 > 0 ? new Uint8Array(n) : null, hints = new Uint8Array(n), whole = round % 3 === 0;
  for (let i = 0, seed = round; i < n; i++) {
    const x = i % side - side / 2, y = Math.floor(i / side) - side / 2, inside = Math.hypot(x, y) < side / 4;
    seed = (seed * 1664525 + 1013904223) >>> 0;
    image[i] = (inside ? 160 : 90) + 50 * (seed / 2 ** 32 - 0.5);
    if (chances) chances[i] = Math.hypot(x - 5, y) < side / 4 ? 200 : 20;
    if (Math.abs(x) < 2 && Math.abs(y) < side / 5) hints[i] = 1;
    else if (Math.abs(y) < 2 && x > side / 3 && round % 4 > 1) hints[i] = 2;
  }
  return { width: side, height: side, image, window: whole ? { low: 0, high: 255 } : { low: 0.5, high: 254.5 }, spacing: whole ? [1, 1] : [0.7, 0.6], hints, chances };
}

let begun = false;

/** Practises in the browser's idle time, a picture at a time; once in the life of a page. */
export function practise(idle: (next: () => void) => void = whenIdle): void {
  if (begun) return;
  begun = true;
  let round = 0;
  const next = () => {
    belonging(picture(sides[round], round));
    if (++round < sides.length) idle(next);
    else performance.mark("practised"); // for the browser's performance timeline, and the tests
  };
  idle(next);
}

function whenIdle(next: () => void): void {
  if ("requestIdleCallback" in window) requestIdleCallback(next, { timeout: 50 });
  else setTimeout(next, 20);
}
