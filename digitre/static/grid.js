// A grid of grey values { values, width, height }, row by row, and what is done to one: cut, average down, resize.

export const newGrid = (width, height, kind = Uint8Array) => ({
  values: new kind(width * height),
  width,
  height,
});

// Round as Python does: a half goes to the even neighbour.
export function roundEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

export const clip = (value, low, high) => Math.min(high, Math.max(low, value));

export function maximum(values) {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}

export function countInk(values) {
  let count = 0;
  for (const value of values) if (value) count += 1;
  return count;
}

// The box { left, top, right, bottom } around all values but 0, the last two just outside; null if there are none.
export function boxOf({ values, width, height }) {
  let [left, top, right, bottom] = [width, -1, 0, 0];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (!values[y * width + x]) continue;
      if (top < 0) top = y;
      bottom = y + 1;
      if (x < left) left = x;
      if (x >= right) right = x + 1;
    }
  }
  return top < 0 ? null : { left, top, right, bottom };
}

// The part of a grid inside a box, as a new grid.
export function cut({ values, width }, { left, top, right, bottom }) {
  const part = newGrid(right - left, bottom - top, values.constructor);
  for (let y = top; y < bottom; y += 1) {
    part.values.set(values.subarray(y * width + left, y * width + right), (y - top) * part.width);
  }
  return part;
}

// Average squares of `factor` pixels a side, as Pillow's `reduce` does; those at the edges may be smaller.
export function reduce({ values, width, height }, factor) {
  if (factor === 1) return { values, width, height };
  const small = newGrid(Math.ceil(width / factor), Math.ceil(height / factor), values.constructor);
  const isWhole = values instanceof Uint8Array;
  for (let y = 0; y < small.height; y += 1) {
    const bottom = Math.min(height, (y + 1) * factor);
    for (let x = 0; x < small.width; x += 1) {
      const right = Math.min(width, (x + 1) * factor);
      let sum = 0;
      for (let row = y * factor; row < bottom; row += 1) {
        for (let column = x * factor; column < right; column += 1) sum += values[row * width + column];
      }
      const mean = sum / ((bottom - y * factor) * (right - x * factor));
      small.values[y * small.width + x] = isWhole ? Math.floor(mean + 0.5) : mean;
    }
  }
  return small;
}

// Filters for `resizingWeights`: how much a pixel counts by its distance, and how far they reach.
const triangle = Object.assign((x) => Math.max(0, 1 - Math.abs(x)), { reach: 1 });
const cubic = Object.assign(
  (x) => {
    const d = Math.abs(x);
    if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
    return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
  },
  { reach: 2 },
);

// The share of each of `from` pixels in each of `to`, as Pillow resizes: a list of { first, shares }.
function resizingWeights(from, to, filter) {
  const scale = from / to;
  const widening = Math.max(1, scale);
  const reach = filter.reach * widening;
  return Array.from({ length: to }, (_, index) => {
    const middle = (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(middle - reach + 0.5));
    const last = Math.min(from, Math.trunc(middle + reach + 0.5));
    const shares = [];
    for (let x = first; x < last; x += 1) shares.push(filter((x - middle + 0.5) / widening));
    const sum = shares.reduce((one, other) => one + other, 0);
    return { first, shares: shares.map((share) => share / sum) };
  });
}

const known = new Map(); // the triangle's weights by side

export function triangleWeights(from, to) {
  const key = `${from} ${to}`;
  if (!known.has(key)) {
    if (known.size >= 64) known.clear();
    known.set(key, resizingWeights(from, to, triangle));
  }
  return known.get(key);
}

// Enlarge a small grid by bicubic interpolation.
export function enlarge({ values, width, height }, newWidth, newHeight) {
  const across = resizingWeights(width, newWidth, cubic);
  const down = resizingWeights(height, newHeight, cubic);
  const wide = newGrid(newWidth, height, Float32Array);
  across.forEach(({ first, shares }, x) => {
    for (let y = 0; y < height; y += 1) {
      let sum = 0;
      shares.forEach((share, k) => (sum += share * values[y * width + first + k]));
      wide.values[y * newWidth + x] = sum;
    }
  });
  const large = newGrid(newWidth, newHeight, Float32Array);
  down.forEach(({ first, shares }, y) => {
    for (let x = 0; x < newWidth; x += 1) {
      let sum = 0;
      shares.forEach((share, k) => (sum += share * wide.values[(first + k) * newWidth + x]));
      large.values[y * newWidth + x] = clip(sum, 0, 255);
    }
  });
  return large;
}

// Number the pixels that touch each other, also by a corner, from 1 in the order of their first pixel, row by row:
// { labels, count, boxes }.
export function label({ values, width, height }, floor = 0) {
  const labels = new Int32Array(width * height);
  const boxes = [];
  const stack = [];
  for (let start = 0; start < values.length; start += 1) {
    if (values[start] <= floor || labels[start]) continue;
    const number = boxes.length + 1;
    const box = { left: width, top: height, right: 0, bottom: 0 };
    labels[start] = number;
    stack.push(start);
    while (stack.length) {
      const place = stack.pop();
      const x = place % width;
      const y = (place - x) / width;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row += 1) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column += 1) {
          const next = row * width + column;
          if (values[next] > floor && !labels[next]) {
            labels[next] = number;
            stack.push(next);
          }
        }
      }
    }
    boxes.push(box);
  }
  return { labels, count: boxes.length, boxes };
}
