// Where a piece in which digits touch may be cut, and the parts between the cuts. A port of digitre/recognition/cuts.py.
import { clip, maximum, roundEven } from "./grid.js";
import { cutOut } from "./pieces.js";

// In heights of the line's digits:
const WINDOW = 0.2; // the width in which one cut runs
const STEP = 0.08; // from one window to the next
const SIDE = 0.1; // no cut is nearer to a side of the piece
// In widths of the pen:
const DEAREST = 4; // a cut crosses at most so much ink
const KEPT = 0.5; // both parts keep so much ink on the other side of a cut
const APART = 2; // pixels, on average, between two cuts
const MOST = 9; // cuts of one piece, the cheapest
const PART = 0.08; // of the piece's ink: each side of a cut has at least so much
// In single precision, as in Python: both take the same of two paths that cost nearly the same.
const SLACK = Math.fround(0.002); // what a pixel without ink costs
const ASIDE = Math.fround(0.02); // what a step to the side costs

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Cuts from left to right: { columns: where each row is cut, cost: the ink that it crosses, in widths of the pen }.
export function findCuts(piece, height, pen) {
  const { values, width } = piece.ink;
  const share = Math.fround(1 / Math.max(1, maximum(values)));
  const ink = Float32Array.from(values, (value) => value * share);
  const leftOf = new Float64Array((width + 1) * piece.height);
  for (let y = 0; y < piece.height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      leftOf[y * (width + 1) + x + 1] = leftOf[y * (width + 1) + x] + ink[y * width + x];
    }
  }
  const sumLeftOf = (columns) => columns.reduce((sum, x, y) => sum + leftOf[y * (width + 1) + x], 0);
  const whole = sumLeftOf(new Array(piece.height).fill(width));
  const found = [...shortestPaths(ink, piece, height), ...profileMinima(ink, piece, height)]
    .filter(([columns, crossed]) => {
      const left = sumLeftOf(columns);
      return PART * whole < left && left < (1 - PART) * whole && crossed <= DEAREST * pen;
    })
    .map(([columns, crossed]) => ({ columns, cost: crossed / pen }));
  const chosen = [];
  for (const each of found.sort((one, other) => one.cost - other.cost)) {
    const isApart = ({ columns }) => mean(columns.map((x, y) => Math.abs(x - each.columns[y]))) >= APART;
    if (chosen.every(isApart)) chosen.push(each);
    if (chosen.length === MOST) break;
  }
  return chosen.sort((one, other) => mean(one.columns) - mean(other.columns));
}

// The cheapest path in each window, by dynamic programming.
function shortestPaths(ink, { width, height: rows }, height) {
  const window = Math.max(3, roundEven(WINDOW * height));
  const found = [];
  if (width < window) return found;
  const first = SIDE * height;
  const count = Math.ceil((width - 2 * first) / (STEP * height));
  for (let k = 0; k < count; k += 1) {
    const centre = first + k * (STEP * height);
    const left = clip(roundEven(centre - window / 2), 0, width - window);
    found.push(shortestPath(ink, width, rows, left, window));
  }
  return found;
}

function shortestPath(ink, width, rows, left, window) {
  const { fround } = Math;
  const cost = (x, y) => fround(ink[y * width + left + x] + SLACK);
  let total = Float32Array.from({ length: window }, (_, x) => cost(x, 0));
  const steps = new Int8Array(rows * window);
  for (let y = 1; y < rows; y += 1) {
    const next = new Float32Array(window);
    for (let x = 0; x < window; x += 1) {
      let [step, least] = [-1, x > 0 ? fround(total[x - 1] + ASIDE) : Infinity];
      if (total[x] < least) [step, least] = [0, total[x]];
      const right = x + 1 < window ? fround(total[x + 1] + ASIDE) : Infinity;
      if (right < least) [step, least] = [1, right];
      steps[y * window + x] = step;
      next[x] = least + cost(x, y);
    }
    total = next;
  }
  let at = total.indexOf(Math.min(...total));
  const crossed = total[at];
  const columns = new Array(rows);
  for (let y = rows - 1; y >= 0; y -= 1) {
    columns[y] = left + at;
    at += steps[y * window + at];
  }
  return [columns, crossed];
}

// Straight cuts where a column has less ink than all around it.
function profileMinima(ink, { width, height: rows }, height) {
  const profile = new Float32Array(width);
  ink.forEach((value, k) => (profile[k % width] += value));
  const weights = Array.from({ length: 9 }, (_, k) => Math.exp(-0.5 * (k - 4) ** 2));
  const sum = weights.reduce((one, other) => one + other, 0);
  const reflected = (x) => {
    const place = ((x % (2 * width)) + 2 * width) % (2 * width);
    return place < width ? place : 2 * width - 1 - place;
  };
  const smooth = Float32Array.from(profile, (_, x) =>
    weights.reduce((one, weight, k) => one + (weight / sum) * profile[reflected(x + k - 4)], 0),
  );
  const side = Math.max(2, Math.trunc(SIDE * height));
  const found = [];
  for (let x = side; x < width - side; x += 1) {
    let isLowest = true;
    for (let k = -3; k <= 3; k += 1) if (smooth[reflected(x + k)] < smooth[x]) isLowest = false;
    if (isLowest) found.push([new Array(rows).fill(x), smooth[x]]);
  }
  return found;
}

// The ink between two cuts, or between a cut and an end of the piece (null); null if there is none or the cuts cross.
export function partBetween(piece, left, right, pen) {
  if (left && right) {
    const between = right.columns.map((x, y) => x - left.columns[y]);
    if (Math.min(...between) < -1 || mean(between) < APART) return null;
  }
  const margin = KEPT * pen;
  const { values, width, height } = piece.ink;
  const kept = values.map((value, k) => {
    const x = k % width;
    const y = Math.floor(k / width);
    const isOut = (left && x < left.columns[y] - margin) || (right && x >= right.columns[y] + margin);
    return isOut ? 0 : value;
  });
  return cutOut({ values: kept, width, height }, piece.top, piece.left);
}
