// A canvas to draw on with mouse, finger or pen. It knows strokes and pixels, nothing of a server.

// Drawings are kept in these units, whatever the canvas measures on the screen.
export const SIDE = 250;
const PEN = 12;

export class DrawingPad extends EventTarget {
  #canvas;
  #strokes = [];
  #pointer = null; // the id of the pointer that is drawing: one at a time

  constructor(canvas) {
    super();
    this.#canvas = canvas;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.#up(event));
    }
    // Else the browser takes a quick stroke for a fling, and the next tap for the end of it: a
    // button pressed within a third of a second would not be clicked.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    new ResizeObserver(() => this.#fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
    this.#fit();
  }

  get empty() {
    return this.#strokes.length === 0;
  }

  // A copy: lists of [x, y, milliseconds].
  get strokes() {
    return structuredClone(this.#strokes);
  }

  clear() {
    this.#strokes = [];
    this.#pointer = null;
    this.#paint();
    this.dispatchEvent(new Event("change"));
  }

  // The drawing as a PNG data URL, black on white, whatever the screen shows it in.
  toDataURL() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIDE, SIDE);
    this.#draw(context, "#000");
    return canvas.toDataURL("image/png");
  }

  #down(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    event.preventDefault();
    this.#pointer = event.pointerId;
    // A stroke that leaves the canvas and comes back stays one stroke.
    this.#canvas.setPointerCapture(event.pointerId);
    this.#strokes.push([this.#point(event)]);
    this.#paint();
    this.dispatchEvent(new Event("change"));
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      this.#strokes.at(-1).push(this.#point(one));
    }
    this.#paint();
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.dispatchEvent(new Event("change"));
  }

  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * SIDE) / box.width;
    const y = ((event.clientY - box.top) * SIDE) / box.height;
    return [x, y, Math.round(event.timeStamp)];
  }

  #fit() {
    const pixels = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (pixels && this.#canvas.width !== pixels) {
      this.#canvas.width = this.#canvas.height = pixels;
    }
    this.#paint();
  }

  #paint() {
    const context = this.#canvas.getContext("2d");
    const scale = this.#canvas.width / SIDE;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    this.#draw(context, getComputedStyle(this.#canvas).color);
  }

  #draw(context, colour) {
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = context.fillStyle = colour;
    for (const stroke of this.#strokes) {
      context.beginPath();
      const [first] = stroke;
      if (stroke.every(([x, y]) => x === first[0] && y === first[1])) {
        context.arc(first[0], first[1], PEN / 2, 0, 2 * Math.PI);
        context.fill();
        continue;
      }
      // Through the middles between points, the points bending the curve: smooth at any speed.
      context.moveTo(first[0], first[1]);
      for (let i = 1; i < stroke.length - 1; i += 1) {
        const [x, y] = stroke[i];
        const [next, below] = stroke[i + 1];
        context.quadraticCurveTo(x, y, (x + next) / 2, (y + below) / 2);
      }
      const last = stroke.at(-1);
      context.lineTo(last[0], last[1]);
      context.stroke();
    }
  }
}
