// How long hints take: processor time of a hint, in milliseconds, the least and the median of many, on a warm engine. See hints_bench_test.go.

import { belonging, type Pointed } from "./hints";

const size = Number(process.argv[2] ?? 512), rounds = Number(process.argv[3] ?? 30);
let seed = 1;
const random = () => (seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32;

/** A body with an organ beside one that is like it, with noise; the network, if there is one, is roughly right. */
function scene(noise: number, network: boolean): Pointed {
  const n = size * size, image = new Float32Array(n), chances = network ? new Uint8Array(n) : null;
  for (let i = 0; i < n; i++) {
    const x = i % size / size, y = Math.floor(i / size) / size, organ = Math.hypot(x - 0.37, y - 0.5) < 0.17, body = Math.hypot((x - 0.5) / 0.45, (y - 0.5) / 0.35) < 1;
    image[i] = (body ? 100 : 10) + (organ || Math.hypot(x - 0.72, y - 0.5) < 0.17 ? 80 : 0) + noise * (random() + random() + random() + random() - 2) * 1.7;
    if (chances) chances[i] = Math.hypot(x - 0.4, y - 0.52) < 0.19 ? 200 : 20;
  }
  return { width: size, height: size, image, window: { low: 0, high: 255 }, spacing: [1, 1], hints: new Uint8Array(n), chances };
}

function stroke(p: Pointed, x0: number, y0: number, x1: number, y1: number, kind: number): void {
  const wide = Math.max(1, Math.round(size / 256));
  for (let t = 0; t <= 1; t += 0.5 / size) {
    const x = Math.round((x0 + t * (x1 - x0)) * size), y = Math.round((y0 + t * (y1 - y0)) * size);
    for (let v = -wide; v <= wide; v++) for (let u = -wide; u <= wide; u++) p.hints[(y + v) * size + x + u] = kind;
  }
}

for (const [name, noise, network, twice] of [["first", 25, false, false], ["second", 25, false, true], ["smooth", 5, false, true], ["network", 25, true, true]] as const) {
  const times: number[] = [];
  for (let n = -5; n < rounds; n++) {
    const p = scene(noise, network), off = 0.02 * random();
    stroke(p, 0.28 + off, 0.5, 0.46, 0.5 + off, 1);
    if (twice) stroke(p, 0.66, 0.5 - off, 0.78, 0.5, 2);
    const before = process.cpuUsage();
    const out = belonging(p);
    const used = process.cpuUsage(before);
    if (!out.includes(1)) process.exit(1); // it finds nothing
    if (n >= 0) times.push((used.user + used.system) / 1000);
  }
  times.sort((a, b) => a - b);
  console.log(`${name} ${times[0]} ${times[times.length >> 1]}`);
}
