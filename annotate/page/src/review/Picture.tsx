import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, binary, paths, splitItem, type Class } from "../api";
import { placement, View } from "../editor/view";
import { itemName } from "../format";
import { settings } from "../settings";
import { t } from "../texts";

/** A slice with its label, to look at. */
export function Picture({ item, version, classes }: { item: string; version: number; classes: Class[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let gone = false;
    const { case: id, slice } = splitItem(item);
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
      target.dataset.shown = `${item} ${version}`;
      setProblem("");
    }, (error) => {
      if (!(error instanceof ApiError)) throw error;
      if (!gone) setProblem(error.message);
    });
    return () => { gone = true; };
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
