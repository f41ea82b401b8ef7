import assert from "node:assert/strict";
import { test } from "node:test";
import { Mask } from "./mask";

test("what the controls show of a mask is right after every edit, undo and redo", () => {
  let seed = 11;
  const next = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  const width = 16, height = 12, proposal = Uint8Array.from({ length: width * height }, () => next(3));
  const m = new Mask(width, height, proposal.slice(), proposal);
  assert.ok(m.isProposal);
  for (let step = 0; step < 200; step++) {
    const what = next(6);
    if (what === 0) m.undo();
    else if (what === 1) m.redo();
    else {
      m.begin();
      const x = next(width), y = next(height), w = 1 + next(width - x), h = 1 + next(height - y), label = next(4);
      for (let v = y; v < y + h; v++) m.labels.fill(label, v * width + x, v * width + x + w);
      m.touch({ x, y, width: w, height: h });
      const before = m.counts.slice();
      if (what === 2) {
        m.cancel();
        assert.deepEqual(m.counts, before);
      } else m.end();
    }
    const counts = new Int32Array(256);
    for (const v of m.labels) counts[v]++;
    assert.deepEqual(m.counts, counts, `step ${step}`);
    assert.equal(m.isEmpty, m.labels.every((v) => v === 0));
    assert.equal(m.isProposal, m.labels.every((v, i) => v === proposal[i]), `step ${step}`);
  }
  while (m.canUndo) m.undo();
  assert.ok(m.isProposal);
});
