// Turns a drawing into an image: in full to keep, or small to send.
import { SIDE, boundingBox, imageOf } from "./geometry.js";
import { paintItems } from "./painting.js";

const INK_SIDE = 112; // pixels of the longer side of the ink in a small canvas; the network sees 20
const MARGIN = 4; // pixels around it
const IMAGE_SIDE = 500; // pixels of the longer side of an exported image, at most
const LARGE_PNG = 200_000; // characters of a data URL; above this, a JPEG is sent instead

// The drawing as a data URL: black on white in any colour scheme, or, if it holds an image, that image in
// its own colours with the strokes on it. It is a PNG; with `small`, a large one becomes a JPEG.
export function toDataURL(items, { small = false } = {}) {
  const picture = imageOf(items);
  const canvas = picture ? canvasWithImage(items, picture) : canvasWithStrokes(items);
  const png = canvas.toDataURL("image/png");
  const isLarge = small && png.length > LARGE_PNG && !picture?.backing; // a JPEG has no transparency
  return isLarge ? canvas.toDataURL("image/jpeg", 0.9) : png;
}

// A function from a box in pixels of `toDataURL` to one in units.
export function imageScale(items) {
  const picture = imageOf(items);
  if (!picture) return (box) => box;
  const { image, x, y, width, height } = picture;
  const pixels = Math.min(IMAGE_SIDE, Math.max(image.width, image.height));
  const scale = pixels / Math.max(width, height);
  return ({ left, top, right, bottom }) => ({
    left: left / scale + x,
    top: top / scale + y,
    right: right / scale + x,
    bottom: bottom / scale + y,
  });
}

function canvasWithImage(items, { image, x, y, width, height, pen }) {
  const pixels = Math.min(IMAGE_SIDE, Math.max(image.width, image.height));
  const scale = pixels / Math.max(width, height);
  const canvas = newCanvas(
    Math.max(1, Math.round(width * scale)),
    Math.max(1, Math.round(height * scale)),
  );
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, -x * scale, -y * scale);
  paintItems(context, items, pen);
  return canvas;
}

function canvasWithStrokes(items) {
  const canvas = newCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d");
  paintItems(context, items, "#000");
  // The white comes last, behind the ink: the eraser would cut holes into it.
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, SIDE, SIDE);
  return canvas;
}

// A canvas with as few pixels as can be read just as well: only the part with ink, opaque, its strokes
// painted again at this size. Null if the drawing holds an image, or no ink.
export function toSmallCanvas(items) {
  const box = boundingBox(items, { clipped: true });
  if (!box || imageOf(items)) return null;
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const scale = INK_SIDE / Math.max(width, height);
  const canvas = newCanvas(
    Math.ceil(width * scale) + 2 * MARGIN,
    Math.ceil(height * scale) + 2 * MARGIN,
  );
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const [left, top] = [MARGIN - box.left * scale, MARGIN - box.top * scale];
  context.setTransform(scale, 0, 0, scale, left, top);
  // Strokes that run over the edge of the drawing area end there.
  context.beginPath();
  context.rect(0, 0, SIDE, SIDE);
  context.clip();
  paintItems(context, items, "#000", "#fff");
  return canvas;
}

function newCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
