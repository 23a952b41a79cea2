// A drawing in any form becomes pixels: a canvas, an ImageData, or strokes, which are painted as the page paints them.
import { paintItems } from "./painting.js";

const INK_SIDE = 112; // pixels of the longer side of the ink of painted strokes; the network sees 20
const MARGIN = 4; // pixels around it
const PEN = 0.085; // of the longer side: the width of the strokes if none is given

// ImageData, or null if there is nothing to read. Throws TypeError for anything else.
export function pictureOf(drawing, pen) {
  if (Array.isArray(drawing)) {
    const strokes = drawing.filter((stroke) => stroke.length);
    return strokes.length ? paint(strokes, pen, INK_SIDE).image : null;
  }
  if (drawing?.data && drawing.width && drawing.height) return drawing;
  if (typeof drawing?.getContext === "function") {
    const { width, height } = drawing;
    return width && height ? drawing.getContext("2d").getImageData(0, 0, width, height) : null;
  }
  throw new TypeError("A drawing must be a canvas, an ImageData, or a list of strokes.");
}

// Paint strokes dark on white, their ink so many pixels long: { image, scale, left, top, pen }, where a point's
// pixel is scale * x + left, scale * y + top.
export function paint(strokes, pen, side) {
  const points = strokes.flat();
  if (!points.every(([x, y]) => Number.isFinite(x) && Number.isFinite(y))) {
    throw new TypeError("A stroke must be a list of [x, y].");
  }
  const [left, right] = rangeOf(points.map(([x]) => x));
  const [top, bottom] = rangeOf(points.map(([, y]) => y));
  const width = pen ?? Math.max(1, PEN * Math.max(right - left, bottom - top));
  const size = Math.max(right - left, bottom - top) + width;
  const scale = side / size;
  const canvas = new OffscreenCanvas(
    Math.ceil((right - left + width) * scale) + 2 * MARGIN,
    Math.ceil((bottom - top + width) * scale) + 2 * MARGIN,
  );
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const [moveX, moveY] = [MARGIN - (left - width / 2) * scale, MARGIN - (top - width / 2) * scale];
  context.setTransform(scale, 0, 0, scale, moveX, moveY);
  paintItems(context, strokes.map((stroke) => ({ mode: "draw", width, points: stroke })), "#000", "#fff");
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  return { image, scale, left: moveX, top: moveY, pen: width * scale };
}

function rangeOf(values) {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const value of values) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return [lowest, highest];
}
