// A mask as short text, to keep drafts in the browser's small local storage.

/** Run lengths, label:count: "0:512,1:7,0:9". */
export function encode(labels: Uint8Array): string {
  const runs: string[] = [];
  for (let i = 0; i < labels.length;) {
    let j = i + 1;
    while (j < labels.length && labels[j] === labels[i]) j++;
    runs.push(`${labels[i]}:${j - i}`);
    i = j;
  }
  return runs.join(",");
}

/** The mask of size voxels that encode wrote; null if text is not such a mask. */
export function decode(text: string, size: number): Uint8Array | null {
  const out = new Uint8Array(size);
  let at = 0;
  for (const run of text.split(",")) {
    const match = /^(\d{1,3}):(\d+)$/.exec(run);
    if (!match) return null;
    const label = Number(match[1]), count = Number(match[2]);
    if (label > 255 || count === 0 || at + count > size) return null;
    out.fill(label, at, at + count);
    at += count;
  }
  return at === size ? out : null;
}
