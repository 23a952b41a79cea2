// Finds the ink of a picture on an even ground, in any colours. A port of digitre/recognition/ink.py and
// surroundings.py. Photos go to the server.
import { boxOf, countInk, cut, label, maximum, newGrid } from "./grid.js";

const MIN_CONTRAST = 8; // of 255: ink that differs from the ground by less is invisible
const RIPPLE = 0.12; // of the strongest ink: what is fainter may be a ripple
const EVEN = 2; // of 255: half of an even ground differs by no more from its median
const ONE_PEN = 24; // of 255: colours that differ by no more were drawn with one pen
const LIGHT = 200; // of 255: all channels above ...
const DARK = 56; // ... or all below
const LARGEST = 750; // pixels of twice this many per side are averaged down first
const SPARSE = 0.08; // of its bounding box: less ink may be a digit and a speck of dust
const SPECK = 0.03; // of the heaviest component's ink
const ALONG = 0.2; // of an edge of the picture
const LONG = 0.1; // of the picture's shorter side
const CLOSED = 0.9; // of each side: a frame inks more
const THICKEST = 1 / 16; // of the picture's shorter side: a frame around all of it

// The ink of a picture's drawing, given as ImageData:
// { ink: a grid without margins, margins: [left, top, right, bottom], isPlain }. It is not plain if there is something around
// the drawing, which is left out. Null if the ground is uneven.
export function findDrawing(imageData) {
  const image = smallEnough(imageData);
  const found = onPlainGround(image) ?? onEvenGround(flatten(image));
  if (!found) return null;
  const { ink, margins } = found;
  const drawing = margins ? withinMargins(ink) : cutBorder(removeEdgeComponents(ink));
  const isSame = drawing.values.length === ink.values.length && countInk(drawing.values) === countInk(ink.values);
  if (isSame && margins) return { ink, margins, isPlain: true };
  const box = boxOf(drawing);
  if (!box) return { ink: newGrid(1, 1), margins: [0, 0, 0, 0], isPlain: isSame };
  const { left, top, right, bottom } = box;
  return {
    ink: cut(drawing, box),
    margins: [left, top, drawing.width - right, drawing.height - bottom],
    isPlain: isSame,
  };
}

// Average a large picture down. Colours count as much as they are opaque.
function smallEnough({ data, width, height }) {
  const longest = Math.max(width, height);
  if (longest < 2 * LARGEST) return { data, width, height };
  const factor = Math.floor(longest / LARGEST);
  const small = { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
  small.data = new Uint8ClampedArray(4 * small.width * small.height);
  for (let y = 0, place = 0; y < small.height; y += 1) {
    for (let x = 0; x < small.width; x += 1, place += 4) {
      const sums = [0, 0, 0, 0];
      let count = 0;
      for (let row = y * factor; row < Math.min(height, (y + 1) * factor); row += 1) {
        for (let column = x * factor; column < Math.min(width, (x + 1) * factor); column += 1) {
          const from = 4 * (row * width + column);
          const alpha = data[from + 3];
          for (let c = 0; c < 3; c += 1) sums[c] += Math.round((data[from + c] * alpha) / 255);
          sums[3] += alpha;
          count += 1;
        }
      }
      const [red, green, blue, alpha] = sums.map((sum) => Math.floor(sum / count + 0.5));
      const plain = (value) => (alpha ? Math.min(255, Math.floor((255 * value) / alpha)) : 0);
      small.data.set([plain(red), plain(green), plain(blue), alpha], place);
    }
  }
  return small;
}

// The ink of a picture whose border has one opaque colour, as a canvas's has; null if it hasn't.
function onPlainGround({ data, width, height }) {
  const colour = data.slice(0, 4);
  if (colour[3] !== 255) return null;
  const differs = newGrid(width, height);
  let isOpaque = true;
  for (let k = 0, place = 0; k < differs.values.length; k += 1, place += 4) {
    let most = 0;
    for (let c = 0; c < 3; c += 1) most = Math.max(most, Math.abs(data[place + c] - colour[c]));
    differs.values[k] = most;
    if (data[place + 3] !== 255) isOpaque = false;
  }
  if (!isOpaque) return null;
  const box = boxOf(differs);
  if (!box) return { ink: differs, margins: [0, 0, 0, 0] };
  const margins = [box.left, box.top, width - box.right, height - box.bottom];
  if (Math.min(...margins) === 0) return null;
  const part = cut(differs, box);
  const ink = clean(part, width * height - part.values.length);
  return ink && { ink, margins };
}

// The ink of an opaque picture [channels, width, height] on an even ground, which may reach its edges.
function onEvenGround({ channels, width, height }) {
  const border = borderPlaces(width, height);
  const borderColour = channels.map((channel) => median(border.map((place) => channel[place])));
  let difference = differenceFrom(channels, borderColour, width, height);
  const even = border.filter((place) => difference.values[place] <= EVEN).length;
  if (even >= 0.5 * border.length) {
    const ink = clean(difference);
    if (ink) return { ink, margins: null };
  }
  difference = differenceFrom(channels, channels.map(medianOfBytes), width, height);
  let near = 0;
  for (const value of difference.values) near += value <= EVEN;
  if (near < 0.5 * width * height) return null;
  const ink = clean(difference);
  return ink && { ink, margins: null };
}

function borderPlaces(width, height) {
  const places = [];
  for (let x = 0; x < width; x += 1) places.push(x, (height - 1) * width + x);
  for (let y = 0; y < height; y += 1) places.push(y * width, y * width + width - 1);
  return places;
}

function median(values) {
  values.sort((one, other) => one - other);
  const half = values.length / 2;
  return Math.trunc((values[Math.ceil(half) - 1] + values[Math.floor(half)]) / 2);
}

const medianOfBytes = (channel) => median(Uint8Array.from(channel));

function differenceFrom(channels, colour, width, height) {
  const difference = newGrid(width, height);
  channels.forEach((channel, c) => {
    for (let k = 0; k < channel.length; k += 1) {
      const value = Math.abs(channel[k] - colour[c]);
      if (value > difference.values[k]) difference.values[k] = value;
    }
  });
  return difference;
}

// Lay a picture on the ground that it was made for: { channels, width, height }. One pen on a transparent ground is its
// opacity alone.
function flatten({ data, width, height }) {
  const [red, green, blue, alpha] = [0, 1, 2, 3].map((c) =>
    Uint8Array.from({ length: width * height }, (_, k) => data[4 * k + c]),
  );
  const colours = [red, green, blue];
  if (alpha.every((value) => value === 255)) return { channels: colours, width, height };
  const opaque = [];
  alpha.forEach((value, k) => value > 127 && opaque.push(k));
  const covered = opaque.length / alpha.length;
  const spread = Math.max(...colours.map((channel) => spreadOf(channel, opaque)));
  if (!opaque.length || spread < MIN_CONTRAST || (spread <= ONE_PEN && covered < 0.5)) {
    return { channels: [alpha], width, height };
  }
  const ground = backdrop(colours, opaque, covered);
  const channels = colours.map((channel, c) =>
    channel.map((value, k) => Math.round((value * alpha[k] + ground[c] * (255 - alpha[k])) / 255)),
  );
  return { channels, width, height };
}

function spreadOf(channel, places) {
  let [lowest, highest] = [255, 0];
  for (const place of places) {
    lowest = Math.min(lowest, channel[place]);
    highest = Math.max(highest, channel[place]);
  }
  return highest - lowest;
}

// The ground for pens of several colours.
function backdrop(colours, opaque, covered) {
  const share = (test) => opaque.filter((k) => colours.every((channel) => test(channel[k]))).length / opaque.length;
  const light = share((value) => value > LIGHT);
  const dark = share((value) => value < DARK);
  if (light + dark > 0.8 && dark > 0.05) return [255, 255, 255];
  if (covered < 0.5) {
    let sum = 0;
    for (const channel of colours) for (const value of channel) sum += value;
    return sum < 128 * 3 * colours[0].length ? [255, 255, 255] : [0, 0, 0];
  }
  return colours.map(medianOfBytes);
}

// Set what is invisible to 0; null if so much differs that this is not the ground. `margin`: how many pixels without ink were
// cut off.
function clean({ values, width, height }, margin = 0) {
  const strongest = maximum(values);
  if (strongest < MIN_CONTRAST) return newGrid(width, height);
  const size = margin + values.length;
  const least = Math.max(MIN_CONTRAST, Math.trunc(RIPPLE * strongest));
  let [ground, strong, inked] = [margin, 0, 0];
  for (const value of values) {
    ground += value <= strongest >> 1;
    strong += value >= least;
    inked += value > 0;
  }
  if (ground < 0.25 * size || size - strong < 0.5 * ground) return null;
  if (size - inked >= 0.7 * ground) return cropToVisible({ values, width, height });
  return { values: values.map((value) => (value >= least ? value : 0)), width, height };
}

// Set pixels outside the box of visible ink, with a pixel around it, to 0.
function cropToVisible(grid) {
  const { values, width, height } = grid;
  const visible = { ...grid, values: values.map((value) => (value >= MIN_CONTRAST ? value : 0)) };
  const { left, top, right, bottom } = boxOf(visible);
  if (left <= 1 && top <= 1 && right >= width - 1 && bottom >= height - 1) return grid;
  const cropped = newGrid(width, height);
  for (let y = Math.max(0, top - 1); y < Math.min(height, bottom + 1); y += 1) {
    const [from, to] = [y * width + Math.max(0, left - 1), y * width + Math.min(width, right + 1)];
    cropped.values.set(values.subarray(from, to), from);
  }
  return cropped;
}

// The drawing, if its ink has blank margins on all sides.
function withinMargins(ink) {
  if (hasFrame(ink)) return removeEdgeComponents(ink);
  const inked = countInk(ink.values);
  return inked === 0 || inked >= SPARSE * ink.values.length ? ink : removeSpecks(ink);
}

function hasFrame({ values, width, height }) {
  if (!values.length) return false;
  let [top, bottom, left, right] = [0, 0, 0, 0];
  for (let x = 0; x < width; x += 1) {
    top += values[x] > 0;
    bottom += values[(height - 1) * width + x] > 0;
  }
  for (let y = 0; y < height; y += 1) {
    left += values[y * width] > 0;
    right += values[y * width + width - 1] > 0;
  }
  return Math.min(top, bottom) > CLOSED * width && Math.min(left, right) > CLOSED * height;
}

function cutBorder(ink) {
  const thickest = Math.trunc(Math.min(ink.height, ink.width) * THICKEST);
  for (let t = 0; t <= thickest; t += 1) {
    const inside = cut(ink, { left: t, top: t, right: ink.width - t, bottom: ink.height - t });
    if (!hasFrame(inside)) return inside;
  }
  return ink;
}

const without = ({ values, width, height }, labels, removed) => ({
  values: values.map((value, k) => (removed[labels[k]] ? 0 : value)),
  width,
  height,
});

function removeSpecks(ink) {
  const { labels, count } = label(ink);
  const totals = new Float64Array(count + 1);
  ink.values.forEach((value, k) => (totals[labels[k]] += value));
  const least = SPECK * Math.max(...totals);
  return without(ink, labels, [...totals].map((total, number) => number > 0 && total < least));
}

// Remove what runs along an edge of the picture: a shadow, a frame, a rule; not if nothing else is left.
function removeEdgeComponents(ink) {
  const { width, height } = ink;
  const { labels, count, boxes } = label(ink);
  const atEdge = new Array(count + 1).fill(false);
  const sides = [
    Array.from({ length: width }, (_, x) => x),
    Array.from({ length: width }, (_, x) => (height - 1) * width + x),
    Array.from({ length: height }, (_, y) => y * width),
    Array.from({ length: height }, (_, y) => y * width + width - 1),
  ];
  for (const side of sides) {
    const counts = new Array(count + 1).fill(0);
    for (const place of side) counts[labels[place]] += 1;
    for (let k = 1; k <= count; k += 1) if (counts[k] / side.length >= ALONG) atEdge[k] = true;
  }
  if (!atEdge.includes(true)) return ink;
  const shortest = Math.max(3, LONG * Math.min(height, width));
  const isDrawing = ({ left, top, right, bottom }, k) =>
    !atEdge[k + 1] &&
    left > 0 && top > 0 && right < width && bottom < height &&
    Math.max(right - left, bottom - top) >= shortest;
  return boxes.some(isDrawing) ? without(ink, labels, atEdge) : ink;
}
