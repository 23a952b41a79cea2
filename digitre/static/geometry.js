// The items of a drawing, and where they lie: no canvas, no screen.
//
// An item is a stroke { mode: "draw" | "line" | "erase", width, points: [[x, y, milliseconds], ...] }
// or an image { mode: "image", image, x, y, width, height, pen, backing }. Lengths are in units of
// the drawing area. An item never changes: editing a drawing makes a new list with new items.

export const SIDE = 250; // units per side of the drawing area; its size on the screen does not matter

export const clip = (value, low, high) => Math.min(high, Math.max(low, value));

export const imageOf = (items) => items.find(({ mode }) => mode === "image");

// The items, scaled by `factor` and moved so that the point (x, y) lands on (toX, toY). The strokes'
// widths scale too, as if the paper were enlarged.
export function transform(items, factor, [x, y], [toX, toY]) {
  const newX = (value) => (value - x) * factor + toX;
  const newY = (value) => (value - y) * factor + toY;
  return items.map((item) =>
    item.mode === "image"
      ? {
          ...item,
          x: newX(item.x),
          y: newY(item.y),
          width: item.width * factor,
          height: item.height * factor,
        }
      : {
          ...item,
          width: item.width * factor,
          points: item.points.map(([left, top, time]) => [newX(left), newY(top), time]),
        },
  );
}

// The box { left, top, right, bottom } around all ink, or, with `clipped`, around the part of it that
// lies in the drawing area; null if there is none. What the eraser took away still counts.
export function boundingBox(items, { clipped = false } = {}) {
  const boxes = items.filter(({ mode }) => mode !== "erase").map(boxOfItem);
  if (!boxes.length) return null;
  const limit = (value) => (clipped ? clip(value, 0, SIDE) : value);
  const box = {
    left: limit(Math.min(...boxes.map(({ left }) => left))),
    top: limit(Math.min(...boxes.map(({ top }) => top))),
    right: limit(Math.max(...boxes.map(({ right }) => right))),
    bottom: limit(Math.max(...boxes.map(({ bottom }) => bottom))),
  };
  return box.left < box.right && box.top < box.bottom ? box : null;
}

function boxOfItem(item) {
  if (item.mode === "image") {
    const { x, y, width, height } = item;
    return { left: x, top: y, right: x + width, bottom: y + height };
  }
  const xs = item.points.map(([x]) => x);
  const ys = item.points.map(([, y]) => y);
  const radius = item.width / 2;
  return {
    left: Math.min(...xs) - radius,
    top: Math.min(...ys) - radius,
    right: Math.max(...xs) + radius,
    bottom: Math.max(...ys) + radius,
  };
}
