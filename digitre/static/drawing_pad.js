// A canvas to draw on with mouse, finger or pen. It knows strokes and pixels, nothing of a server.

// Drawings are kept in these units, whatever the canvas measures on the screen.
export const SIDE = 250;

export class DrawingPad extends EventTarget {
  mode = "draw"; // or "line", "erase"
  width = 12; // of the pen, in units

  #canvas;
  #strokes = []; // each { mode, width, points: [[x, y, milliseconds], ...] }, never changed once drawn
  #past = [];
  #future = [];
  #current = null; // the stroke being drawn
  #pointer = null; // the id of the pointer that draws it: one at a time

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
    return this.#all().every((stroke) => stroke.mode === "erase");
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  clear() {
    this.#current = this.#pointer = null;
    if (this.#strokes.length) this.#become([]);
    else this.#changed();
  }

  undo() {
    if (!this.canUndo) return;
    this.#future.push(this.#strokes);
    this.#strokes = this.#past.pop();
    this.#changed();
  }

  redo() {
    if (!this.canRedo) return;
    this.#past.push(this.#strokes);
    this.#strokes = this.#future.pop();
    this.#changed();
  }

  // The drawing as a PNG data URL, black on white, whatever the screen shows it in.
  toDataURL() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const context = canvas.getContext("2d");
    this.#draw(context, "#000");
    // Behind the ink, not before it: the eraser takes away what is there.
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIDE, SIDE);
    return canvas.toDataURL("image/png");
  }

  #all() {
    return this.#current ? [...this.#strokes, this.#current] : this.#strokes;
  }

  #become(strokes) {
    this.#past.push(this.#strokes);
    this.#future = [];
    this.#strokes = strokes;
    this.#changed();
  }

  #changed() {
    this.#paint();
    this.dispatchEvent(new Event("change"));
  }

  #down(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    event.preventDefault();
    this.#pointer = event.pointerId;
    // A stroke that leaves the canvas and comes back stays one stroke.
    this.#canvas.setPointerCapture(event.pointerId);
    this.#current = { mode: this.mode, width: this.width, points: [this.#point(event)] };
    this.#changed();
  }

  #move(event) {
    if (event.pointerId !== this.#pointer || !this.#current) return;
    const { mode, points } = this.#current;
    if (mode === "line") {
      points[1] = this.#point(event);
    } else {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const one of events.length ? events : [event]) points.push(this.#point(one));
    }
    this.#changed();
  }

  #up(event) {
    if (event.pointerId !== this.#pointer || !this.#current) return;
    const strokes = this.#all();
    this.#current = this.#pointer = null;
    this.#become(strokes);
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
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = context.fillStyle = colour;
    for (const { mode, width, points } of this.#all()) {
      context.globalCompositeOperation = mode === "erase" ? "destination-out" : "source-over";
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
    context.globalCompositeOperation = "source-over";
  }
}

// Through the middles between points, the points bending the curve: smooth at any speed.
function trace(context, points) {
  context.moveTo(points[0][0], points[0][1]);
  for (let i = 1; i < points.length - 1; i += 1) {
    const [x, y] = points[i];
    const [next, below] = points[i + 1];
    context.quadraticCurveTo(x, y, (x + next) / 2, (y + below) / 2);
  }
  const last = points.at(-1);
  context.lineTo(last[0], last[1]);
}
