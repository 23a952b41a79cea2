// Whether the digits of a number stand next to each other as people write them: a port of digitre/recognition/layout.py.
import { isDigit } from "./lattice.js";
import { upperQuartile } from "./pieces.js";

const LOW = 0.4; // of the line's height: lower digits need not lie at the height of their neighbours
const OVERLAP = 0.4; // of the lower one: neighbours of one line share so much of their height
const LEAN = 20; // degrees: two 1s that lean so differently are a "V", an "M" or a tick
// So many digits that are all the same, and of one size to a twentieth or a pixel, are a pattern.
const MANY = 7;
const SAME = 0.05;

// Whether a text's digits stand in one line, neighbouring 1s lean alike, and not all are copies of one another.
export function isAsWritten(text, pieces) {
  const digits = pieces.filter((_, k) => isDigit(text[k]));
  if (!areOneLine(digits)) return false;
  for (let k = 1; k < text.length; k += 1) {
    const areOnes = text[k] === "1" && text[k - 1] === "1";
    if (areOnes && Math.abs(lean(pieces[k - 1]) - lean(pieces[k])) > LEAN) return false;
  }
  return digits.length < MANY || new Set(text).size > 1 || !areCopies(digits);
}

function areOneLine(pieces) {
  if (!pieces.length) return true;
  const least = LOW * upperQuartile(pieces.map(({ height }) => height));
  const tall = pieces.filter(({ height }) => height >= least).sort((one, other) => one.left - other.left);
  const top = Math.min(...tall.map((each) => each.top));
  const bottom = Math.max(...tall.map((each) => each.bottom));
  const fits = (one, other) => sharedHeight(one, other) >= OVERLAP;
  const line = { top, bottom, height: bottom - top };
  return pieces.every((each) => fits(line, each)) && tall.slice(1).every((each, k) => fits(tall[k], each));
}

const sharedHeight = (one, other) =>
  (Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)) / Math.min(one.height, other.height);

// How much ink leans from upright, in degrees from -90 to 90: the angle of its principal axis.
function lean({ ink: { values }, width }) {
  let [sum, across, down] = [0, 0, 0];
  values.forEach((value, k) => {
    sum += value;
    across += value * (k % width);
    down += value * Math.floor(k / width);
  });
  let [both, longer] = [0, 0];
  values.forEach((value, k) => {
    const x = (k % width) - across / sum;
    const y = Math.floor(k / width) - down / sum;
    both += 2 * value * x * y;
    longer += value * (y * y - x * x);
  });
  return (Math.atan2(both, longer) / 2) * (180 / Math.PI);
}

function areCopies(pieces) {
  return ["height", "width"].every((side) => {
    const sides = pieces.map((each) => each[side]);
    return Math.max(...sides) - Math.min(...sides) <= Math.max(1, SAME * Math.max(...sides));
  });
}
