// The pieces of a number's ink: components, or the pen's strokes that drew it. A port of digitre/recognition/pieces.py,
// segmentation.py and textlines.py for one line of strokes.
import { boxOf, clip, cut, label, maximum, newGrid, roundEven } from "./grid.js";

const STRONG = 0.2; // of the strongest ink: what is fainter joins no components
const SPECK = 0.7; // widths of the pen: what is smaller was not drawn with it
const DUST = 0.03; // of the line's height: what is smaller is no sign
// Boxes that share so much of the narrower one's width, and so much of the line's height, are one character.
const SHARED = 0.6;
const WIDE = 0.2;
const MOST_AROUND = 20; // components, the highest, that may lie around others
const WITHIN = 0.06; // of its height: what lies in a frame or a circle is so high
const HIGHER = 1.8; // times as high as all others: no digit of the same number
const NEAR = 3; // of the neighbours to the right, so many are looked at

// A piece: ink cropped to its box, and where that lies.
const newPiece = (ink, top, left, strokes) => ({
  ink,
  top,
  left,
  bottom: top + ink.height,
  right: left + ink.width,
  width: ink.width,
  height: ink.height,
  extent: Math.max(ink.width, ink.height),
  strokes,
});

// A piece with this ink, which begins at `top` and `left`; null if there is none.
export function cutOut(ink, top, left, strokes = []) {
  const box = boxOf(ink);
  return box && newPiece(cut(ink, box), top + box.top, left + box.left, strokes);
}

// One piece with the ink of all of them.
export function join(pieces) {
  if (pieces.length === 1) return pieces[0];
  const least = (name) => Math.min(...pieces.map((each) => each[name]));
  const most = (name) => Math.max(...pieces.map((each) => each[name]));
  const [top, left] = [least("top"), least("left")];
  const ink = newGrid(most("right") - left, most("bottom") - top);
  for (const each of pieces) {
    each.ink.values.forEach((value, k) => {
      const x = (k % each.width) + each.left - left;
      const place = (Math.floor(k / each.width) + each.top - top) * ink.width + x;
      if (value > ink.values[place]) ink.values[place] = value;
    });
  }
  return newPiece(ink, top, left, [...new Set(pieces.flatMap(({ strokes }) => strokes))]);
}

// How many columns both have; negative: how many lie between them.
export const sharedWidth = (one, other) =>
  Math.min(one.right, other.right) - Math.max(one.left, other.left);

// The value that a quarter of them exceed: of heights, the digits'.
export function upperQuartile(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted.length ? sorted[Math.floor((3 * sorted.length - 1) / 4)] : 1;
}

// The width of a pen's strokes: twice the area over the length of the outline.
export function penWidth({ labels, width, height }) {
  let [area, outline] = [0, 0];
  const isInk = (x, y) => x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] > 0;
  for (let y = 0; y <= height; y += 1) {
    for (let x = 0; x <= width; x += 1) {
      const here = isInk(x, y);
      area += here;
      outline += (here !== isInk(x - 1, y)) + (here !== isInk(x, y - 1));
    }
  }
  return Math.max(1, ((8 / Math.PI) * area) / outline);
}

// The pieces of ink that strokes drew, from left to right: { pieces, pen, isSurrounded }. The strokes are in pixels of the
// ink. It is surrounded if a component lies around another one, or is much higher than all others.
export function segment(ink, strokes) {
  const floor = STRONG * maximum(ink.values);
  const found = { ...label(ink, floor), width: ink.width, height: ink.height };
  const pen = penWidth(found);
  const height = upperQuartile(found.boxes.map(heightOf));
  const least = Math.max(SPECK * pen, DUST * height);
  const kept = new Set();
  found.boxes.forEach((box, k) => {
    if (Math.max(widthOf(box), heightOf(box)) >= least) kept.add(k + 1);
  });
  const atoms = strokes.flatMap((stroke, index) => partsOf(stroke, index, found, kept, pen));
  const drawn = new Set(atoms.map(({ number }) => number));
  for (const number of kept) {
    if (!drawn.has(number)) atoms.push({ number, box: found.boxes[number - 1], points: [] });
  }
  const groups = groupOverlapping(atoms);
  const owners = new Map();
  for (const group of groups) {
    for (const number of new Set(group.map((atom) => atom.number))) {
      owners.set(number, (owners.get(number) ?? 0) + 1);
    }
  }
  const pieces = groups.map((group) => pieceOf(group, ink, found, pen, owners)).filter(Boolean);
  pieces.sort((one, other) => one.left + one.right - other.left - other.right);
  const boxes = found.boxes.filter((_, k) => kept.has(k + 1));
  return { pieces, pen, isSurrounded: areSurrounded(boxes) };
}

function areSurrounded(boxes) {
  const highest = [...boxes].sort((one, other) => heightOf(other) - heightOf(one)).slice(0, MOST_AROUND);
  if (highest.length < 2) return false;
  return (
    heightOf(highest[0]) >= HIGHER * heightOf(highest[1]) ||
    highest.some((box) => boxes.some((other) => liesAround(box, other)))
  );
}

const liesAround = (box, other) =>
  box.left < other.left &&
  box.right > other.right &&
  box.top < other.top &&
  box.bottom > other.bottom &&
  heightOf(other) >= WITHIN * heightOf(box);

const widthOf = ({ left, right }) => right - left;
const heightOf = ({ top, bottom }) => bottom - top;

// The parts of a stroke that lie on the components.
function partsOf(stroke, index, { labels, width, height }, kept, pen) {
  const parts = new Map();
  for (const [x, y] of stroke) {
    const row = clip(Math.trunc(y), 0, height - 1);
    const number = labels[row * width + clip(Math.trunc(x), 0, width - 1)];
    if (!kept.has(number)) continue;
    if (!parts.has(number)) parts.set(number, []);
    parts.get(number).push([x, y]);
  }
  return [...parts].sort(([one], [other]) => one - other).map(([number, points]) => {
    const xs = points.map(([x]) => x);
    const ys = points.map(([, y]) => y);
    const box = {
      left: Math.min(...xs) - pen / 2,
      top: Math.min(...ys) - pen / 2,
      right: Math.max(...xs) + pen / 2,
      bottom: Math.max(...ys) + pen / 2,
    };
    return { number, box, stroke: index, points };
  });
}

// Join atoms that lie above, below or on one another: strokes of one character.
function groupOverlapping(atoms) {
  const least = WIDE * upperQuartile(atoms.map(({ box }) => heightOf(box)));
  const groups = atoms.map((atom) => ({ box: atom.box, members: [atom] }));
  const sort = () => groups.sort((one, other) => middleOf(one.box) - middleOf(other.box));
  sort();
  for (let first = 0; first < groups.length; first += 1) {
    const { box, members } = groups[first];
    for (let other = first + 1; other < Math.min(first + 1 + NEAR, groups.length); other += 1) {
      const next = groups[other];
      const shared = sharedWidth(box, next.box);
      const narrower = Math.min(widthOf(box), widthOf(next.box));
      if (shared > least && shared > SHARED * narrower) {
        groups.splice(other, 1);
        groups[first] = { box: around(box, next.box), members: [...members, ...next.members] };
        sort();
        first = Math.max(0, first - NEAR) - 1; // those before it may reach it now
        break;
      }
    }
  }
  return groups.map(({ members }) => members);
}

const middleOf = ({ left, right }) => left + right;

const around = (one, other) => ({
  left: Math.min(one.left, other.left),
  top: Math.min(one.top, other.top),
  right: Math.max(one.right, other.right),
  bottom: Math.max(one.bottom, other.bottom),
});

// The piece of some atoms: the ink of each component, or its ink along the strokes if it is shared.
function pieceOf(group, ink, found, pen, owners) {
  const byNumber = new Map();
  for (const atom of group) byNumber.set(atom.number, [...(byNumber.get(atom.number) ?? []), atom]);
  const parts = [...byNumber]
    .map(([number, atoms]) => partOf(number, atoms, ink, found, pen, owners.get(number) > 1))
    .filter(Boolean);
  return parts.length ? join(parts) : null;
}

function partOf(number, atoms, ink, { labels, boxes }, pen, isShared) {
  const box = boxes[number - 1];
  const frame = {
    left: Math.max(0, box.left - 1),
    top: Math.max(0, box.top - 1),
    right: Math.min(ink.width, box.right + 1),
    bottom: Math.min(ink.height, box.bottom + 1),
  };
  const part = cut(ink, frame);
  const near = cut({ ...ink, values: labels }, frame);
  const isOwn = near.values.map((each) => Number(each === number));
  // The soft edge belongs to the component as well, and other components don't.
  const own = grow({ ...near, values: isOwn });
  const hasOthers = near.values.some((each) => each && each !== number);
  const along = isShared ? maskAlong(atoms, part, frame, Math.max(1, roundEven(pen + 2))) : null;
  part.values.forEach((_, k) => {
    const isOthers = hasOthers && !(isOwn[k] || (own[k] && !near.values[k]));
    if (isOthers || (along && !along[k])) part.values[k] = 0;
  });
  const strokes = atoms.filter(({ stroke }) => stroke !== undefined).map(({ stroke }) => stroke);
  return cutOut(part, frame.top, frame.left, [...new Set(strokes)]);
}

// What a mask covers, and one pixel around it.
function grow({ values, width, height }) {
  const grown = new Uint8Array(values.length);
  values.forEach((value, k) => {
    if (!value) return;
    const x = k % width;
    const y = Math.floor(k / width);
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row += 1) {
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column += 1) {
        grown[row * width + column] = 1;
      }
    }
  });
  return grown;
}

// What lies along strokes of this width: the pixels whose distance to a pixel of a stroke is at most half of it.
function maskAlong(atoms, { width, height }, { left, top }, pen) {
  const mask = new Uint8Array(width * height);
  const reach = pen / 2;
  const marked = new Set();
  for (const { points } of atoms) {
    for (const [pointX, pointY] of densely(points.map(([x, y]) => [x - left, y - top]))) {
      const [column, row] = [Math.floor(pointX), Math.floor(pointY)];
      const isInside = column >= 0 && row >= 0 && column < width && row < height;
      if (isInside) marked.add(row * width + column);
    }
  }
  for (const place of marked) {
    const [column, row] = [place % width, Math.floor(place / width)];
    for (let y = Math.max(0, Math.ceil(row - reach)); y <= Math.min(height - 1, row + reach); y += 1) {
      for (let x = Math.max(0, Math.ceil(column - reach)); x <= Math.min(width - 1, column + reach); x += 1) {
        if ((x - column) ** 2 + (y - row) ** 2 <= reach * reach) mask[y * width + x] = 1;
      }
    }
  }
  return mask;
}

// A line's points, and more between them: at most a pixel apart in x and in y.
function densely(points) {
  const path = [points[0]];
  for (let k = 1; k < points.length; k += 1) {
    const [start, end] = [points[k - 1], points[k]];
    const [dx, dy] = [end[0] - start[0], end[1] - start[1]];
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(dx), Math.abs(dy))));
    for (let step = 1; step <= steps; step += 1) {
      path.push([start[0] + (dx * step) / steps, start[1] + (dy * step) / steps]);
    }
  }
  return path;
}
