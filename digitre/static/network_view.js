// The network, alive: what it sees of the drawing, some feature maps of both convolutions, and the outputs. An output shows, on
// the drawing's own strokes, the ink that speaks for it and the ink that speaks against it.
import { classify } from "./device.js";
import { SIDE, boundingBox } from "./geometry.js";
import { removeSquares, worthFor } from "./occlusion.js";
import { SIDE as SEEN } from "./shaping.js";

const byId = (id) => document.getElementById(id);
const MAPS = [8, 16]; // so many feature maps of each convolution are shown
const COLUMNS = 8;
const FOR = [255, 196, 61];
const AGAINST = [64, 110, 255];
const NEITHER = [128, 128, 136];

const outputs = [...byId("outputs").children];

export class NetworkView {
  #pad;
  #items = []; // the drawing that is shown
  #pixels = null;
  #version = 0;
  #squares = null; // a promise of what `removeSquares` finds

  constructor(pad) {
    this.#pad = pad;
    outputs.forEach((button, answer) => {
      for (const begin of ["pointerenter", "focus", "click"]) {
        button.addEventListener(begin, () => this.#explain(answer));
      }
      for (const end of ["pointerleave", "blur"]) button.addEventListener(end, () => this.hideWorth());
    });
  }

  // Show what the network makes of the drawing, or of some items of it: { pixels, layers }, or null for none.
  show(seen, items = this.#pad.items) {
    this.#items = items;
    this.#version += 1;
    this.#squares = null;
    this.hideWorth();
    this.#pixels = seen?.pixels ?? null;
    if (!seen) return empty();
    paintMaps(byId("seen-now"), { values: seen.pixels, shape: [SEEN, SEEN, 1] }, [0]);
    const convolutions = seen.layers.filter(({ kind }) => kind === "conv");
    convolutions.forEach((layer, index) => {
      paintMaps(byId(`maps-${index + 1}`), layer, liveliest(layer, MAPS[index]));
    });
    const row = seen.layers.at(-1).values;
    outputs.forEach((button, answer) => button.style.setProperty("--share", row[answer].toFixed(2)));
  }

  hideWorth() {
    if (byId("worth").hidden && !outputs.some((button) => button.classList.contains("chosen"))) return;
    byId("worth").hidden = true;
    for (const button of outputs) button.classList.remove("chosen");
  }

  async #explain(answer) {
    if (!this.#pixels) return;
    const version = this.#version;
    for (const button of outputs) button.classList.toggle("chosen", button === outputs[answer]);
    this.#squares ??= removeSquares(this.#pixels, classify, () => version !== this.#version);
    const found = await this.#squares;
    if (!found || version !== this.#version || !outputs[answer].classList.contains("chosen")) return;
    this.#paintWorth(worthFor(answer, this.#pixels, found));
  }

  // Paint the strokes again, coloured. The drawing's box on the canvas is the ink's box in what the network sees.
  #paintWorth(worth) {
    const canvas = byId("worth");
    const pixels = Math.round(byId("canvas").clientWidth * devicePixelRatio);
    canvas.width = canvas.height = pixels;
    const context = canvas.getContext("2d");
    context.setTransform(pixels / SIDE, 0, 0, pixels / SIDE, 0, 0);
    context.lineCap = "round";
    const items = this.#items.filter(({ mode }) => mode !== "erase" && mode !== "image");
    const from = boundingBox(items, { clipped: true });
    const to = inkBox(this.#pixels);
    if (!from || !to) return;
    const place = (value, low, high, first, last) =>
      Math.min(SEEN - 1, Math.max(0, Math.round(first + ((value - low) / (high - low || 1)) * (last - first))));
    for (const { points, width } of items) {
      context.lineWidth = width;
      points.forEach(([x, y], k) => {
        const column = place(x, from.left, from.right, to.left, to.right);
        const row = place(y, from.top, from.bottom, to.top, to.bottom);
        const [lastX, lastY] = points[Math.max(0, k - 1)];
        context.strokeStyle = colourOf(worth[row * SEEN + column]);
        context.beginPath();
        context.moveTo(lastX, lastY);
        context.lineTo(x, y);
        context.stroke();
      });
    }
    canvas.hidden = false;
  }
}

function empty() {
  for (const name of ["seen-now", "maps-1", "maps-2"]) byId(name).width = byId(name).width; // this clears it
  for (const button of outputs) button.style.setProperty("--share", 0);
}

function colourOf(value) {
  const towards = value > 0 ? FOR : AGAINST;
  const share = Math.min(1, 1.5 * Math.abs(value));
  const mixed = NEITHER.map((grey, k) => Math.round(grey + share * (towards[k] - grey)));
  return `rgb(${mixed.join(" ")})`;
}

function inkBox(pixels) {
  const box = { left: SEEN, top: SEEN, right: -1, bottom: -1 };
  pixels.forEach((value, k) => {
    if (value < 0.2) return;
    const [x, y] = [k % SEEN, Math.floor(k / SEEN)];
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  });
  return box.right < 0 ? null : box;
}

// The feature maps of a layer that hold the most: chosen once, so that each stays in its place.
const chosen = new Map();

function liveliest({ values, shape }, count) {
  const channels = shape[2];
  if (!chosen.has(channels)) {
    const sums = new Float32Array(channels);
    values.forEach((value, k) => (sums[k % channels] += value));
    const order = [...sums.keys()].sort((one, other) => sums[other] - sums[one]);
    chosen.set(channels, order.slice(0, count).sort((one, other) => one - other));
  }
  return chosen.get(channels);
}

// Some feature maps of a layer, in rows, each from black to its own brightest.
function paintMaps(canvas, { values, shape }, maps) {
  const [height, width, channels] = shape;
  const columns = Math.min(COLUMNS, maps.length);
  const gap = maps.length > 1 ? 1 : 0;
  const rows = Math.ceil(maps.length / columns);
  const size = [columns * (width + gap) - gap, rows * (height + gap) - gap];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  const { data } = picture;
  maps.forEach((map, index) => {
    let largest = 1e-6;
    for (let k = map; k < values.length; k += channels) if (values[k] > largest) largest = values[k];
    for (let k = map, place = 0; k < values.length; k += channels, place += 4) {
      const share = values[k] > 0 ? values[k] / largest : 0;
      data[place] = 255 * share;
      data[place + 1] = 255 * share * (0.8 + 0.2 * share);
      data[place + 2] = 255 * share * (0.55 + 0.45 * share);
      data[place + 3] = 255;
    }
    context.putImageData(picture, (index % columns) * (width + gap), Math.floor(index / columns) * (height + gap));
  });
}
