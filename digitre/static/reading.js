// What a drawing was read as: the decision on its probabilities, as digitre/recognition/reading.py and classifier.py make it.
import { label } from "./grid.js";
import { SIDE } from "./shaping.js";

export const THRESHOLD = 0.6;
const SURE = 0.9; // a drawing of one piece that is read with this probability needs no closer look
const SOLID = 0.7; // of its bounding box: a component that fills so much may be a picture in the picture
const SMALLEST_SOLID = 12; // pixels of its shorter side
const BAR = 0.985; // of its bounding box: what fills so much along an edge of the picture is a bar ...
const GREY = 180; // ... if it differs from the ground by at most so much

// Decide on the ten probabilities of a drawing: { digit, confidence, probabilities, notADigit, reason, candidates }. What is
// shown decides: "60.0%" is never refused at 0.6.
export function decide(row, threshold = THRESHOLD, { isBlank = false } = {}) {
  if (!(threshold >= 0 && threshold <= 1)) throw new RangeError("A threshold must lie from 0 to 1.");
  const probabilities = [...row];
  if (isBlank) {
    return { digit: null, confidence: 0, probabilities, notADigit: 1, reason: "blank", candidates: [] };
  }
  const order = [...probabilities.keys()].sort((one, other) => row[other] - row[one] || one - other);
  const candidates = order.slice(0, 3).map((digit) => ({ digit, probability: row[digit] }));
  const confidence = candidates[0].probability;
  const notADigit = 1 - probabilities.reduce((one, other) => one + other, 0);
  const isRefused = isBelow(confidence, threshold);
  const reason = isRefused ? (notADigit >= confidence ? "not_a_digit" : "unsure") : null;
  const digit = isRefused ? null : order[0];
  return { digit, confidence, probabilities, notADigit, reason, candidates };
}

export const isBelow = (confidence, threshold) =>
  Number((100 * confidence).toFixed(1)) < Number((100 * threshold).toFixed(9));

// Whether the server would look closer at a drawing: there may be something to leave out.
export function wantsCloserLook({ ink, margins, isPlain }, pixels, row) {
  if (!isPlain) return true;
  const isOff = Math.min(...margins) > 0;
  if (!pixels.some((value) => value > 0)) return false;
  const isSure = Math.max(...row) >= SURE;
  if (isBar(ink, margins)) return true;
  if (isSure && isOff && isOnePiece(pixels)) return false;
  const { count } = label(ink);
  if (count !== 1) return true;
  const area = ink.values.reduce((sum, value) => sum + (value > 0), 0);
  const isSolid =
    area >= SOLID * ink.values.length && Math.min(ink.width, ink.height) >= SMALLEST_SOLID;
  return !isOff || (!isSure && isSolid);
}

// Whether a drawing is a grey rectangle along an edge, such as a scroll bar. A black one may be a 1.
function isBar({ values, width, height }, margins) {
  const sum = values.reduce((one, other) => one + other, 0);
  const inked = values.reduce((one, value) => one + (value > 0), 0);
  return (
    Math.min(...margins) <= Math.min(width, height) &&
    inked >= BAR * values.length &&
    sum / values.length <= GREY
  );
}

// Whether the ink that the network sees is one component, by a low and by a high threshold.
const isOnePiece = (pixels) =>
  [0.1, 0.4].every((floor) => label({ values: pixels, width: SIDE, height: SIDE }, floor).count === 1);
