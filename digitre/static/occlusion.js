// Which ink speaks for an answer, and which against it: occlusion sensitivity (Zeiler and Fergus 2014), as
// digitre/recognition/occlusion.py measures it on the server.
import { SIDE } from "./shaping.js";

const PATCH = 5; // pixels per side of the square that is removed at a time, about as wide as a stroke
const STEP = 2; // pixels from one square to the next
const TINY = 1e-9; // the least probability that is reckoned with, so that odds are finite
const SLICE = 8; // milliseconds of work at a time: the page stays quick

// Remove the ink of each square in turn: { whole, squares }, where a row has eleven probabilities, the last one "not a
// digit". `classify` returns the ten digits'. Resolves to null if `isStale()` becomes true meanwhile.
export async function removeSquares(pixels, classify, isStale) {
  const squares = [];
  const whole = rowOf(classify(pixels));
  let began = performance.now();
  for (let top = 1 - PATCH; top < SIDE; top += STEP) {
    for (let left = 1 - PATCH; left < SIDE; left += STEP) {
      const occluded = Float32Array.from(pixels);
      let hasInk = false;
      eachPixel(top, left, (place) => {
        hasInk ||= pixels[place] > 0;
        occluded[place] = 0;
      });
      if (!hasInk) continue;
      squares.push({ top, left, row: rowOf(classify(occluded)) });
      if (performance.now() - began < SLICE) continue;
      await new Promise((done) => setTimeout(done));
      if (isStale()) return null;
      began = performance.now();
    }
  }
  return { whole, squares };
}

function rowOf(digits) {
  return [...digits, 1 - digits.reduce((sum, each) => sum + each, 0)];
}

// What the ink is worth for an answer, 0 to 9 or 10 for "not a digit": 28 x 28 floats from -1 to 1.
export function worthFor(answer, pixels, { whole, squares }) {
  const worth = new Float32Array(SIDE * SIDE);
  const counts = new Float32Array(SIDE * SIDE);
  const odds = (row) => Math.log(Math.max(row[answer], TINY) / Math.max(1 - row[answer], TINY));
  for (const { top, left, row } of squares) {
    const fall = odds(whole) - odds(row);
    eachPixel(top, left, (place) => {
      worth[place] += fall;
      counts[place] += 1;
    });
  }
  let strongest = TINY;
  for (let k = 0; k < worth.length; k += 1) {
    worth[k] = pixels[k] > 0 ? worth[k] / Math.max(counts[k], 1) : 0;
    strongest = Math.max(strongest, Math.abs(worth[k]));
  }
  return worth.map((value) => value / strongest);
}

function eachPixel(top, left, action) {
  for (let y = Math.max(top, 0); y < Math.min(top + PATCH, SIDE); y += 1) {
    for (let x = Math.max(left, 0); x < Math.min(left + PATCH, SIDE); x += 1) action(y * SIDE + x);
  }
}
