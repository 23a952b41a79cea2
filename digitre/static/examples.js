// Examples to tap: each is drawn stroke by stroke, as a person would.

const PACE = 14; // milliseconds from one point to the next
const STEPS = 6; // points between two that are listed

// Points on the canvas of 250 x 250, y growing downwards.
const EXAMPLES = {
  seven: [[[84, 66], [120, 62], [166, 60], [150, 100], [132, 146], [118, 196]]],
  crossed: [
    [[84, 66], [120, 62], [166, 60], [150, 100], [132, 146], [118, 196]],
    [[106, 128], [134, 124], [162, 122]],
  ],
  scribble: [
    [[60, 150], [84, 96], [100, 158], [122, 92], [140, 160], [160, 90], [178, 158], [196, 100], [120, 176], [66, 112]],
  ],
  number: [
    [[66, 74], [48, 112], [36, 140], [70, 140], [104, 138]],
    [[88, 96], [86, 138], [84, 178]],
    [[142, 98], [156, 76], [184, 74], [200, 94], [192, 120], [164, 150], [140, 176], [172, 176], [208, 178]],
  ],
};

let running = 0; // the number of the example that is being drawn

// Let each button with `data-example` draw its example on the pad.
export function offerExamples(pad) {
  for (const button of document.querySelectorAll("[data-example]")) {
    button.addEventListener("click", () => draw(pad, EXAMPLES[button.dataset.example]));
  }
  document.getElementById("canvas").addEventListener("pointerdown", () => (running += 1));
}

async function draw(pad, strokes) {
  const mine = (running += 1);
  const pace = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : PACE;
  const items = [];
  let time = 0;
  for (const corners of strokes) {
    const points = smooth(corners).map(([x, y]) => [x, y, (time += PACE)]);
    if (pace) {
      for (let length = 1; length < points.length; length += 2) {
        pad.preview([...items, newStroke(points.slice(0, length))]);
        await new Promise((done) => setTimeout(done, 2 * pace));
        if (mine !== running || !pad.isPreviewing) return;
      }
    }
    items.push(newStroke(points));
    time += 200;
  }
  pad.preview(null);
  pad.restore(items);
}

const newStroke = (points) => ({ mode: "draw", width: 12, points });

// More points, on a curve through these (Catmull and Rom).
function smooth(corners) {
  const points = [];
  for (let k = 0; k + 1 < corners.length; k += 1) {
    const [before, from, to, after] = [corners[Math.max(0, k - 1)], corners[k], corners[k + 1], corners[Math.min(corners.length - 1, k + 2)]];
    for (let step = 0; step < STEPS; step += 1) {
      const t = step / STEPS;
      points.push([0, 1].map((axis) => {
        const [a, b, c, d] = [before[axis], from[axis], to[axis], after[axis]];
        return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t ** 2 + (3 * b - a - 3 * c + d) * t ** 3);
      }));
    }
  }
  return [...points, corners.at(-1)];
}
