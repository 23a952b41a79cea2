// Ink becomes what the network sees: cropped, its centre of mass in the middle, 28 x 28 pixels, stretched to the full
// range. A port of digitre/recognition/preprocessing.py.
import { boxOf, clip, cut, enlarge, reduce, roundEven, triangleWeights } from "./grid.js";

export const SIDE = 28; // pixels per side of what the network sees
const FIT = 20; // pixels of the digit's longer side in it
const MIDDLE = 14.5 / SIDE; // where the centre of mass goes
const WORKING_SIDE = 200; // larger drawings are averaged down to between one and two times this

// A grid of ink, bright, as 784 floats from 0 to 1; zeros if there is none.
export function shapeInk(ink) {
  const part = crop(ink);
  return part ? scale(centreAndResize(part)) : new Float32Array(SIDE * SIDE);
}

function crop(ink) {
  const box = boxOf(ink);
  if (!box) return null;
  const part = cut(ink, box);
  const values = { ...part, values: Float32Array.from(part.values) };
  const longest = Math.max(part.width, part.height);
  if (longest >= 2 * WORKING_SIDE) return reduce(values, Math.floor(longest / WORKING_SIDE));
  if (longest >= FIT) return values;
  const size = (side) => Math.max(1, roundEven((side * FIT) / longest));
  return enlarge(values, size(part.width), size(part.height));
}

function centreAndResize({ values, width, height }) {
  const side = roundEven((Math.max(width, height) * SIDE) / FIT);
  const byRow = new Float64Array(height);
  const byColumn = new Float64Array(width);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      byRow[y] += values[y * width + x];
      byColumn[x] += values[y * width + x];
    }
  }
  const top = start(byRow, side);
  const left = start(byColumn, side);
  const weights = triangleWeights(side, SIDE);
  // First across, then down; only the rows and columns with ink count.
  const narrow = new Float32Array(height * SIDE);
  for (let x = 0; x < SIDE; x += 1) {
    const { first, shares } = weights[x];
    const from = Math.max(0, left - first);
    const to = Math.min(shares.length, left + width - first);
    for (let y = 0; y < height; y += 1) {
      let sum = 0;
      for (let k = from; k < to; k += 1) sum += shares[k] * values[y * width + first + k - left];
      narrow[y * SIDE + x] = sum;
    }
  }
  const small = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y += 1) {
    const { first, shares } = weights[y];
    const from = Math.max(0, top - first);
    const to = Math.min(shares.length, top + height - first);
    for (let k = from; k < to; k += 1) {
      for (let x = 0; x < SIDE; x += 1) {
        small[y * SIDE + x] += shares[k] * narrow[(first + k - top) * SIDE + x];
      }
    }
  }
  return small;
}

// Where the ink begins on a square's side, so that its centre of mass lies in the middle.
function start(profile, side) {
  let total = 0;
  let moment = 0;
  profile.forEach((value, place) => {
    total += value;
    moment += value * place;
  });
  // In single precision, as Python has it: so that a half is rounded to the same side.
  const mass = Math.fround(moment) / Math.fround(total);
  return clip(roundEven(side * MIDDLE - 0.5 - mass), 0, side - profile.length);
}

function scale(pixels) {
  const lowest = Math.min(...pixels);
  const range = Math.fround(Math.max(...pixels) - lowest);
  if (range <= 0) return new Float32Array(pixels.length);
  return pixels.map((value) => (value - lowest) / range);
}
