// Paints the items of a drawing (geometry.js) on the context of a canvas.

// Paint all items, strokes in `color`. The eraser leaves `background`, or, if that is null, makes the
// canvas transparent.
export function paintItems(context, items, color, background = null) {
  context.lineCap = context.lineJoin = "round";
  context.imageSmoothingQuality = "high";
  for (const item of items) {
    if (item.mode === "image") {
      context.drawImage(item.image, item.x, item.y, item.width, item.height);
      continue;
    }
    const erasing = item.mode === "erase";
    context.strokeStyle = context.fillStyle = erasing && background ? background : color;
    context.globalCompositeOperation = erasing && !background ? "destination-out" : "source-over";
    paintStroke(context, item);
  }
  context.globalCompositeOperation = "source-over";
}

function paintStroke(context, { width, points }) {
  context.lineWidth = width;
  context.beginPath();
  const [x, y] = points[0];
  if (points.every((point) => point[0] === x && point[1] === y)) {
    context.arc(x, y, width / 2, 0, 2 * Math.PI);
    context.fill();
  } else {
    trace(context, points);
    context.stroke();
  }
}

// A curve that is smooth however few points a fast stroke has: each is the control point of one quadratic Bézier curve.
function trace(context, points) {
  context.moveTo(points[0][0], points[0][1]);
  for (let i = 1; i < points.length - 1; i += 1) {
    const [x, y] = points[i];
    const [nextX, nextY] = points[i + 1];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  const [x, y] = points.at(-1);
  context.lineTo(x, y);
}

// The frame around a drawing that can be moved, with its handle.
export function paintFrame(context, { left, top, right, bottom }) {
  context.setLineDash([4, 4]);
  context.strokeRect(left, top, right - left, bottom - top);
  context.setLineDash([]);
  context.beginPath();
  context.arc(right, bottom, 5, 0, 2 * Math.PI);
  context.fill();
}

// The pen that the arrow keys move: a ring, filled while it is down.
export function paintPen(context, { x, y, down }, width) {
  context.beginPath();
  context.arc(x, y, Math.max(3, width / 2), 0, 2 * Math.PI);
  if (down) context.fill();
  context.stroke();
}
