// What can be done with strokes and pictures apart from any canvas.

// Items scaled by a factor so that what was at (x, y) comes to (toX, toY); a pen's width as well,
// as if the paper were enlarged.
export function transformed(items, factor, toX, toY, x, y) {
  const across = (value) => (value - x) * factor + toX;
  const along = (value) => (value - y) * factor + toY;
  return items.map((item) =>
    item.mode === "picture"
      ? {
          ...item,
          x: across(item.x),
          y: along(item.y),
          width: item.width * factor,
          height: item.height * factor,
        }
      : {
          ...item,
          width: item.width * factor,
          points: item.points.map(([left, top, time]) => [across(left), along(top), time]),
        },
  );
}

// Through the middles between points, the points bending the curve: smooth at any speed.
export function trace(context, points) {
  context.moveTo(points[0][0], points[0][1]);
  for (let i = 1; i < points.length - 1; i += 1) {
    const [x, y] = points[i];
    const [next, below] = points[i + 1];
    context.quadraticCurveTo(x, y, (x + next) / 2, (y + below) / 2);
  }
  const last = points.at(-1);
  context.lineTo(last[0], last[1]);
}
