// Reads handwritten digits on this device, with the network that the server has:
//
//     const reader = await Digitre.load("digitre-b9d69c6d.bin");
//     const { digit, confidence } = reader.read(canvas);
//
// It asks no server while it reads.
import { findDrawing } from "./ink.js";
import { readNumber } from "./number.js";
import { Network, UnknownNetworkError, digitsOf, fetchNetwork } from "./network.js";
import { THRESHOLD, decide, wantsCloserLook } from "./reading.js";
import { shapeInk } from "./shaping.js";
import { pictureOf } from "./picture.js";

export { UnknownNetworkError };

const blank = () => decide(new Float64Array(10), THRESHOLD, { isBlank: true });

export class Reader {
  #network;

  constructor(network) {
    this.#network = network;
  }

  // The version of the network, such as "digitre-b9d69c6d".
  get model() {
    return this.#network.model;
  }

  // Read a digit: a canvas, an ImageData, or strokes, which are lists of [x, y] with y growing downwards; `pen` is their
  // width. `forServer` says whether the server would look closer: there may be something to leave out, the
  // ground is uneven, or it holds several digits.
  read(drawing, { threshold = THRESHOLD, pen } = {}) {
    const image = pictureOf(drawing, pen);
    return { ...this.#readImage(image, threshold), model: this.model };
  }

  // Read a number of one line from its strokes: { text, value, confidence, digits, alternatives, reason, forServer, model }.
  // `text` is the most probable text, even if a reason says why it is refused. `length`: how many digits it has, if you know;
  // `signs`: whether it may have any. `forServer` as in `read`.
  readNumber(strokes, { threshold = THRESHOLD, pen, length = null, signs = false } = {}) {
    if (length !== null && !(Number.isInteger(length) && length >= 1 && length <= 40)) {
      throw new RangeError("A length must lie from 1 to 40.");
    }
    const options = { threshold, pen, length, signs };
    const classify = (pixels) => this.#network.classify(pixels);
    const readDigit = (image) => this.#readImage(image, threshold);
    const found = readNumber(strokes, options, classify, readDigit);
    const nothing = { text: "", value: null, confidence: 0, digits: [], alternatives: [], reason: "blank" };
    nothing.forServer = false;
    return { ...(found ?? nothing), model: this.model };
  }

  // Read a digit, and show the work: what `read` returns, with `pixels`, which the network sees, and `layers`: see
  // `Network.trace`. Null for a blank, or if the ground is uneven.
  look(drawing, { threshold = THRESHOLD, pen } = {}) {
    const image = pictureOf(drawing, pen);
    const found = image && findDrawing(image);
    const pixels = found && shapeInk(found.ink);
    if (!pixels?.some((value) => value > 0)) return null;
    const layers = this.#network.trace(pixels);
    const row = digitsOf(layers.at(-1).values);
    const forServer = wantsCloserLook(found, pixels, row);
    return { ...decide(row, threshold), forServer, model: this.model, pixels, layers };
  }

  // The ten digits' probabilities of what the network sees: 28 x 28 floats from 0 to 1.
  classify(pixels) {
    return this.#network.classify(pixels);
  }

  #readImage(image, threshold) {
    if (!image) return { ...blank(), forServer: false };
    const found = findDrawing(image);
    if (!found) return { ...decide(new Float64Array(10), threshold), forServer: true };
    const pixels = shapeInk(found.ink);
    const row = this.#network.classify(pixels);
    const isBlank = !pixels.some((value) => value > 0);
    const forServer = wantsCloserLook(found, pixels, row);
    return { ...decide(row, threshold, { isBlank }), forServer };
  }
}

// Fetch a packed network. Throws UnknownNetworkError if there is none, or if it has layers that are not known.
export async function load(url) {
  return new Reader(await fetchNetwork(url));
}

// The same for bytes that you have already: a Uint8Array, not compressed.
export const unpack = (bytes) => new Reader(new Network(bytes));

export const Digitre = { load, unpack };
