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
const DOT = 0.3; // a point is at most so large
const DESCENT = 0.12; // and reaches at most so far below the digits
const TAIL = [0.8, 0.5]; // a comma is at most so high and so wide
const LOW = 0.5; // point and comma begin so far below the top of the digits
const FREE = 0.5; // of its own width: they share at most so much with their neighbours
const TALL = 0.8; // a slash is at least so high
const STRAIGHT = 0.02; // and strays from a straight line by at most so much of its height ...
const THICK = 0.45; // ... and so many widths of the pen, as standard deviations
const OUTSIDE = 0.1; // how likely it is to begin or to end a number, compared with a place within
const UPRIGHT = 0.1; // and leans to the right by at least so much of its height
const [AT_ALL, TALLER, LEANING] = [-15, 9.9, 6]; // a slash is taller than a 1, and leans

// The sign that the piece at `place` may be, and its probability: [sign, probability], or null.
export function findSign(pieces, place, height, pen) {
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
  if (isFree && piece.top >= top + LOW * size && piece.width <= TAIL[1] * size) {
    const below = (piece.bottom - bottom) / size;
    if (piece.extent <= DOT * size && below <= DESCENT) return [".", SURE];
    if (piece.height <= TAIL[0] * size && (below > DESCENT || piece.height <= 0.5 * size)) return [",", SURE];
  }
  if (piece.height < TALL * size) return null;
  const isOutside = place === 0 || place === pieces.length - 1;
  const probability = slashProbability(piece, size, pen) * (isOutside ? OUTSIDE : 1);
  return probability > 0.01 ? ["/", probability] : null;
}

function isMinus(piece, top, size) {
  const middle = ((piece.top + piece.bottom) / 2 - top) / size;
  if (middle < BAND[0] || middle > BAND[1] || piece.width > LONGEST * size) return false;
  const isFlat = piece.height <= FLAT * size && piece.width >= LEVEL * piece.height;
  return isFlat || piece.extent <= SHORT * size;
}

// How probably a piece is a slash and not a 1: by how straight it is, how much it leans, and how far it reaches.
function slashProbability({ ink, height, width }, size, pen) {
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
  if (spread > THICK * pen + STRAIGHT * height || -slope < UPRIGHT) return 0;
  const odds = AT_ALL + (TALLER * height) / size - LEANING * slope;
  return SURE / (1 + Math.exp(-odds));
}
