// Reads a number from the strokes that drew it: a port of digitre/recognition/numbers.py for one line.
import { arcOf, findCandidates } from "./candidates.js";
import { findDrawing } from "./ink.js";
import { isDigit, newArc, solve } from "./lattice.js";
import { paint } from "./picture.js";
import { segment, upperQuartile } from "./pieces.js";
import { isBelow } from "./reading.js";

const HEIGHT = 90; // pixels: so high is the stroke that a quarter of the strokes exceed
const MOST_PIXELS = 300_000; // of the painted ink
const MOST_PIECES = 120;
const MOST_DIGITS = 40;
const MOST_STROKES = 200;
const OVERLAP = 0.4; // of the lower one's height, which neighbours share
const LEAN = 20; // degrees: 1s that lean so differently are a V

// Strokes painted as they are read: see `paint`. Exported for a test.
export function paintNumber(strokes, pen) {
  const heights = strokes.map((stroke) => rangeOf(stroke.map(([, y]) => y)));
  const points = strokes.flat();
  const width = rangeOf(points.map(([x]) => x));
  const height = rangeOf(points.map(([, y]) => y));
  const scale = HEIGHT / Math.max(upperQuartile(heights), 0.15 * Math.max(width, height), 1e-6);
  const most = Math.sqrt(MOST_PIXELS / Math.max(1e-9, (width + height / 4) * (height + width / 8)));
  const line = pen ?? 0.085 * Math.max(upperQuartile(heights), 1);
  return paint(strokes, line, Math.min(scale, most) * (Math.max(width, height) + line));
}

const rangeOf = (values) => Math.max(...values) - Math.min(...values);

// Read the number: { text, value, confidence, digits, alternatives, reason, forServer }; null for a blank. `readDigit` reads
// an image that holds only one. The server looks closer if something may lie around the number.
export function readNumber(strokes, { pen, length = null, signs = false, threshold }, classify, readDigit) {
  const drawn = strokes.filter((stroke) => stroke.length);
  if (!drawn.length) return null;
  const { image, scale, left, top } = paintNumber(drawn, pen);
  const found = findDrawing(image);
  if (!found?.ink.values.some((value) => value > 0)) return null;
  const [cutLeft, cutTop] = found.margins;
  const moved = drawn.map((stroke) =>
    stroke.map(([x, y]) => [x * scale + left - cutLeft, y * scale + top - cutTop]),
  );
  const { pieces, pen: penWidth, isSurrounded } = segment(found.ink, moved.slice(0, MOST_STROKES));
  if (!pieces.length) return null;
  const kept = largest(pieces);
  const options = kept.length < pieces.length ? { signs, most: 0 } : { signs };
  const { candidates, last } = findCandidates(kept, penWidth, classify, options);
  const arcs = new Map(candidates.map((each) => [arcOf(each), each]));
  const fitting = solve([...arcs.keys()], last, length);
  const answer = fitting ?? solve([...arcs.keys()], last);
  const digits = [...answer.text].filter(isDigit).length;
  const isComplete =
    kept.length === pieces.length && drawn.length <= MOST_STROKES && digits <= MOST_DIGITS;
  if (answer.text.length === 1 && digits) asOneDigit(answer, readDigit(image));
  const chosen = answer.arcs.map((arc) => arcs.get(arc));
  const isWritten = isAsWritten(answer.text, chosen.map(({ piece }) => piece));
  const confidence = isComplete && fitting && isWritten ? answer.probability : 0;
  let reason = null;
  if (isBelow(confidence, threshold)) {
    reason = 1 - answer.certainty >= confidence ? "not_a_number" : "unsure";
    if (!isComplete) reason = "too_complex";
  }
  return {
    text: answer.text,
    value: reason ? null : valueOf(answer.text),
    confidence,
    digits: [...answer.text].map((character, k) => {
      const { strokes, left: x, top: y, right, bottom } = chosen[k].piece;
      const box = {
        left: (x + cutLeft - left) / scale,
        top: (y + cutTop - top) / scale,
        right: (right + cutLeft - left) / scale,
        bottom: (bottom + cutTop - top) / scale,
      };
      return { character, probabilities: [...chosen[k].row], box, strokes };
    }),
    alternatives: answer.alternatives.map(([text, probability]) => ({ text, probability })),
    reason,
    forServer: isSurrounded || !isWritten,
  };
}

function largest(pieces) {
  if (pieces.length <= MOST_PIECES) return pieces;
  const extents = pieces.map(({ extent }) => extent).sort((one, other) => other - one);
  return pieces.filter(({ extent }) => extent >= extents[MOST_DIGITS - 1]).slice(0, MOST_DIGITS);
}

// A port of digitre/recognition/layout.py.
function isAsWritten(text, pieces) {
  const digits = pieces.filter((_, k) => isDigit(text[k]));
  const bends = (one, k) => text[k] + text[k + 1] === "11" && Math.abs(lean(one) - lean(pieces[k + 1])) > LEAN;
  return digits.slice(1).every((each, k) => areLevel(digits[k], each)) && !pieces.some(bends);
}

const areLevel = (one, other) =>
  Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) >= OVERLAP * Math.min(one.height, other.height);

// The angle of ink's principal axis from upright, in degrees.
function lean({ ink: { values }, width }) {
  const sum = (of) => values.reduce((all, value, k) => all + value * of(k % width, (k / width) | 0), 0);
  const ink = sum(() => 1);
  const [left, top] = [sum((x) => x) / ink, sum((_, y) => y) / ink];
  const both = sum((x, y) => 2 * (x - left) * (y - top));
  return (Math.atan2(both, sum((x, y) => (y - top) ** 2 - (x - left) ** 2)) * 90) / Math.PI;
}

// The same answer with the probabilities that the reading of one digit gives.
function asOneDigit(answer, { probabilities }) {
  const order = [...probabilities.keys()].sort((one, other) => probabilities[other] - probabilities[one]);
  answer.text = String(order[0]);
  answer.probability = probabilities[order[0]];
  answer.certainty = newArc(0, 1, probabilities.map((value, digit) => [String(digit), value])).isCharacter;
  answer.alternatives = order.slice(1, 4).map((digit) => [String(digit), probabilities[digit]]);
}

// The value of a number as people write it; null if it isn't one, or if a comma may mean thousands.
export function valueOf(text) {
  if (!/^-?[0-9]+(?:[.,][0-9]+)?$/.test(text) || /,[0-9]{3}$/.test(text)) return null;
  return Number(text.replace(",", "."));
}
