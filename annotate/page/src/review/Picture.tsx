import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, binary, paths, splitItem, type Class } from "../api";
import { placement, View } from "../editor/view";
import { deafFor } from "../flow";
import { itemName } from "../format";
import { settings } from "../settings";
import { t } from "../texts";

/** What a picture shows of a label, as its data-shown has it. */
export const shownAs = (item: string, version: number): string => `${item} ${version}`;

/** A slice with its label, to look at. seen is told what is on the screen once it has been there long enough to be seen, and then that it has gone: "". */
export function Picture({ item, version, classes, seen }: { item: string; version: number; classes: Class[]; seen: (shown: string) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let gone = false, soon: ReturnType<typeof setTimeout> | undefined;
    const { case: id, slice } = splitItem(item), before = canvas.current;
    if (before) { // what was shown is another label
      delete before.dataset.shown;
      before.width = before.width; // clears it
    }
    setProblem("");
    Promise.all([api.task(item), binary(paths.image(id, slice)), binary(paths.version(item, version))]).then(([task, image, mask]) => {
      const target = canvas.current;
      if (gone || !target) return;
      const { width, height, window: w } = task, values = new Float32Array(image), labels = new Uint8Array(mask);
      const pixels = new ImageData(width, height), colors = new Map(classes.filter((c) => c.value > 0).map((c) => [c.value, rgb(c.color)]));
      values.forEach((v, i) => {
        const grey = Number.isNaN(v) ? 0 : 255 * Math.min(1, Math.max(0, (v - w.low) / (w.high - w.low))), color = colors.get(labels[i]);
        for (let k = 0; k < 3; k++) pixels.data[4 * i + k] = color ? 0.55 * grey + 0.45 * color[k] : grey;
        pixels.data[4 * i + 3] = 255;
      });
      const small = new OffscreenCanvas(width, height);
      small.getContext("2d")!.putImageData(pixels, 0, 0);
      const box = target.getBoundingClientRect(), view = new View();
      target.width = Math.round(box.width * devicePixelRatio);
      target.height = Math.round(box.height * devicePixelRatio);
      view.columns = width;
      view.rows = height;
      view.spacing = task.spacing;
      view.place = placement(task.orientation, settings.convention);
      view.resize(target.width, target.height);
      const context = target.getContext("2d")!, m = view.matrix();
      context.setTransform(m.a, m.b, m.c, m.d, m.e, m.f);
      context.imageSmoothingEnabled = settings.smooth;
      context.drawImage(small, 0, 0);
      soon = setTimeout(() => seen(target.dataset.shown = shownAs(item, version)), deafFor);
    }, (error) => {
      if (!(error instanceof ApiError)) throw error;
      if (!gone) setProblem(error.message);
    });
    return () => {
      gone = true;
      clearTimeout(soon);
      seen("");
    };
  }, [item, version]);
  return <>
    <canvas ref={canvas} class="picture" role="img" aria-label={t("review.picture", { item: itemName(item), version })} />
    {problem && <p class="problem">{problem}</p>}
  </>;
}

function rgb(hex: string): [number, number, number] {
  const n = parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}
