// Signs in numbers: minus, point, comma, slash, told by their size and place. A port of digitre/recognition/signs.py.
import { maximum } from "./grid.js";
import { sharedWidth } from "./pieces.js";

const SURE = 0.98; // the probability of a sign that has the size and the place of one
const DIGIT = 0.5; // of the line's height: digits are at least so high
// Of the height of the digits next to it:
const FLAT = 0.45; // a minus is at most so high
const SHORT = 0.35; // a short one
const LONGEST = 1.3; // and at most so wide
const LEVEL = 1.15; // and, if it is not short, at least so many times as wide as high
const BAND = [0.2, 0.8]; // and its middle lies so far below the top of the digits
const DOT = 0.25; // a point is at most so large
const ROUND = 1.8; // and at most so many times as high as wide
const TAIL = 0.55; // a comma is at most so high
const LOW = 0.6; // point and comma begin so far below the top of the digits
const FREE = 0.8; // of its own width: they share at most so much with their neighbours
const TALL = 0.8; // a slash is at least so high
const STRAIGHT = 0.05; // and strays from a straight line by at most so much of its height
const UPRIGHT = 0.1; // and leans to the right by at least so much of its height
const REACH = [1.15, 10]; // at this height ...
const LEAN = [0.3, 8]; // ... and lean it may be a 1 as well; and how fast that changes

// The sign that the piece at `place` may be, and its probability: [sign, probability], or null.
export function findSign(pieces, place, height) {
  const piece = pieces[place];
  const isDigit = (each) => each.height >= DIGIT * height;
  const digits = [pieces.slice(0, place).findLast(isDigit), pieces.slice(place + 1).find(isDigit)].filter(Boolean);
  if (!digits.length) return null;
  const top = digits.reduce((sum, each) => sum + each.top, 0) / digits.length;
  const bottom = digits.reduce((sum, each) => sum + each.bottom, 0) / digits.length;
  const size = bottom - top;
  const others = [pieces[place - 1], pieces[place + 1]].filter(Boolean);
  const isFree = others.every((each) => sharedWidth(piece, each) <= FREE * piece.width);
  if (isFree && isMinus(piece, top, size)) return ["-", SURE];
  const isSmall = piece.height <= TAIL * size && piece.width <= TAIL * size;
  if (isFree && isSmall && piece.top >= top + LOW * size) {
    const isPoint = piece.extent <= DOT * size && piece.height <= ROUND * piece.width;
    return [isPoint ? "." : ",", SURE];
  }
  if (piece.height < TALL * size) return null;
  const probability = slashProbability(piece, size);
  return probability > 0.01 ? ["/", probability] : null;
}

function isMinus(piece, top, size) {
  const middle = ((piece.top + piece.bottom) / 2 - top) / size;
  if (middle < BAND[0] || middle > BAND[1] || piece.width > LONGEST * size) return false;
  const isFlat = piece.height <= FLAT * size && piece.width >= LEVEL * piece.height;
  return isFlat || piece.extent <= SHORT * size;
}

// How probably a piece is a slash and not a 1: by how straight it is, how much it leans, and how far it reaches.
function slashProbability({ ink, height, width }, size) {
  const floor = maximum(ink.values) >> 1;
  const points = [];
  ink.values.forEach((value, k) => value > floor && points.push([Math.floor(k / width), k % width]));
  if (points.length < 3 || height < 4) return 0;
  const count = points.length;
  const [row, column] = [0, 1].map((axis) => points.reduce((sum, each) => sum + each[axis], 0) / count);
  let [across, along] = [0, 0];
  for (const [y, x] of points) {
    across += (y - row) * (x - column);
    along += (y - row) ** 2;
  }
  const slope = along ? across / along : 0;
  const misfit = points.map(([y, x]) => x - column - slope * (y - row));
  const spread = Math.sqrt(misfit.reduce((sum, each) => sum + each * each, 0) / count);
  const pen = count / Math.hypot(height, width);
  if (spread - 0.35 * pen > STRAIGHT * height || -slope < UPRIGHT) return 0;
  const odds = REACH[1] * (height / size - REACH[0]) + LEAN[1] * (-slope - LEAN[0]);
  return SURE / (1 + Math.exp(-odds));
}
