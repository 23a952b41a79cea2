// Candidates for the characters of a number: neighbouring pieces, and parts of pieces in which digits touch. A port of
// digitre/recognition/candidates.py.
import { findCuts, partBetween } from "./cuts.js";
import { newArc } from "./lattice.js";
import { join, sharedWidth, upperQuartile } from "./pieces.js";
import { shapeInk } from "./shaping.js";
import { findSign } from "./signs.js";

const JOINED = 4; // pieces of one character, at most
// In heights of the line's digits:
const WIDEST = 1.6; // a character of several pieces
const GAP = 0.3; // within a character
const [FREE_GAP, GAP_COST] = [0.05, 10]; // what a gap beyond this costs, as a logarithm per height
const [FREE_SHARE, SHARE_COST] = [0.15, 15]; // the same for columns that two characters share
const HIGH = 0.8; // a piece that may be a digit by itself
const APART_COST = 1; // what it costs, as a logarithm, to join pieces of which two surely are
const SMALL = 0.4; // what is smaller is hardly a digit of this line
// Pieces are cut if they are at least so wide and read with less than this probability; or very wide.
const [CUT_FROM, SURE] = [0.5, 0.9];
const [WIDE, VERY_SURE] = [0.9, 0.995];
const [PART_LOWEST, PART_WIDEST] = [0.4, 1.3];
// As logarithms: what a cut costs, and each pen's width of ink that it crosses.
const [CUT_COST, CROSSING_COST] = [2, 0.5];
const WHOLE = 2; // how many pieces one stands for that is cut
const MOST = 600; // candidates that come from cuts

// All candidates of a line, read by the network: { candidates, last }, where `last` is the last node of the lattice.
export function findCandidates(pieces, pen, classify, { signs = false, most = MOST } = {}) {
  const height = upperQuartile(pieces.map((each) => each.height));
  const whole = propose(pieces, height, pen, signs);
  read(whole, classify);
  holdApart(pieces, whole, height);
  const { parts, last } = cutPieces(pieces, whole, height, pen, most);
  read(parts, classify);
  return { candidates: [...whole, ...parts], last };
}

// A candidate's arc in the lattice.
export function arcOf({ start, end, row, sign, weight, prior }) {
  const [character, probability] = sign ?? [null, 0];
  const labels = [...row].map((value, digit) => [String(digit), value * (1 - probability)]);
  if (sign) labels.push([character, probability]);
  return newArc(start, end, labels, weight, prior);
}

function read(candidates, classify) {
  for (const each of candidates) {
    each.row = classify(shapeInk(each.piece.ink)).map((value) => value * each.scale);
  }
}

// Up to four neighbouring pieces as one character.
function propose(pieces, height, pen, signs) {
  const likely = pieces.map((_, place) => findSign(pieces, place, height, pen));
  const found = [];
  pieces.forEach((first, start) => {
    let { left, right } = first;
    let gap = 0;
    for (let end = start + 1; end <= Math.min(start + JOINED, pieces.length); end += 1) {
      const added = pieces[end - 1];
      if (end > start + 1) {
        gap = Math.max(gap, (added.left - right) / height);
        left = Math.min(left, added.left);
        right = Math.max(right, added.right);
        if (gap > GAP || right - left > WIDEST * height) break;
      }
      const piece = join(pieces.slice(start, end));
      const prior = -GAP_COST * Math.max(0, gap - FREE_GAP) - sharing(pieces, end, height);
      let scale = Math.min(1, piece.extent / (SMALL * height)) ** 2;
      const sign = signs && end === start + 1 ? likely[start] : null;
      if (!sign) {
        // A sign is no digit, and no part of one; but a slash may be a 1.
        for (const each of likely.slice(start, end)) if (each && each[0] !== "/") scale *= 1 - each[1];
      }
      found.push({ start, end, piece, weight: end - start, prior, scale, sign });
    }
  });
  return found;
}

// What it costs that a character ends here although pieces on both sides share columns.
function sharing(pieces, end, height) {
  let most = pieces.length > end ? -Infinity : 0;
  for (const one of pieces.slice(Math.max(0, end - 2), end)) {
    for (const other of pieces.slice(end, end + 2)) most = Math.max(most, sharedWidth(one, other));
  }
  return SHARE_COST * Math.max(0, most / height - FREE_SHARE);
}

// Lower what joins pieces that are digits by themselves: a 9 and a 1 that touches it look like a 9, too.
function holdApart(pieces, candidates, height) {
  const digits = new Array(pieces.length).fill(0);
  for (const { start, end, piece, row } of candidates) {
    if (end === start + 1 && piece.height >= HIGH * height) digits[start] = Math.max(...row);
  }
  for (const each of candidates) {
    if (each.end === each.start + 1) continue;
    const [, second] = digits.slice(each.start, each.end).sort((one, other) => other - one);
    each.prior -= APART_COST * second;
  }
}

// The parts of pieces in which digits may touch, and the last node. The candidates' nodes make room for the cuts.
function cutPieces(pieces, candidates, height, pen, most) {
  const best = new Array(pieces.length).fill(0);
  for (const { start, end, row, sign } of candidates) {
    const sure = Math.max(...row, sign ? sign[1] : 0);
    for (let k = start; k < end; k += 1) best[k] = Math.max(best[k], sure);
  }
  const parts = [];
  const nodes = [0];
  const isCut = [];
  pieces.forEach((piece, k) => {
    const mayHold = mayHoldSeveral(piece.width / height, best[k]) && parts.length < most;
    const cuts = mayHold ? findCuts(piece, height, pen) : [];
    parts.push(...partsOf(piece, cuts, nodes.at(-1), height, pen));
    isCut.push(cuts.length > 0);
    nodes.push(nodes.at(-1) + cuts.length + 1);
  });
  for (const each of candidates) {
    const counted = isCut.slice(each.start, each.end);
    each.weight = counted.reduce((sum, one) => sum + (one ? WHOLE : 1), 0);
    each.start = nodes[each.start];
    each.end = nodes[each.end];
  }
  return { parts, last: nodes.at(-1) };
}

const mayHoldSeveral = (width, sure) =>
  (width >= CUT_FROM && sure < SURE) || (width >= WIDE && sure < VERY_SURE);

function partsOf(piece, cuts, first, height, pen) {
  if (!cuts.length) return [];
  const bounds = [null, ...cuts, null];
  const found = [];
  for (let k = 0; k < bounds.length - 1; k += 1) {
    for (let m = k + 1; m < bounds.length; m += 1) {
      const [left, right] = [bounds[k], bounds[m]];
      if (!left && !right) continue;
      const part = partBetween(piece, left, right, pen);
      if (!part || part.height < PART_LOWEST * height || part.width > PART_WIDEST * height) continue;
      const prior = right ? -CUT_COST - CROSSING_COST * right.cost : 0;
      found.push({ start: first + k, end: first + m, piece: part, weight: 1, prior, scale: 1, sign: null });
    }
  }
  return found;
}
