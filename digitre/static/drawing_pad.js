// A canvas to draw on with mouse, finger, pen or keys. It knows strokes and pixels, nothing of a
// server.
import { trace, transformed } from "./strokes.js";
import { tones } from "./contrast.js";

// Drawings are kept in these units, whatever the canvas measures on the screen.
export const SIDE = 250;

const SMALL = 112; // pixels of the longer side of the ink in a picture that is only to be read
const PICTURE_SIDE = 500; // pixels of the longer side of a picture that is handed on
const LARGE = 200_000; // characters of a PNG that a JPEG takes the place of
const HANDLE = 16; // units around the frame's corner that a finger finds

export class DrawingPad extends EventTarget {
  mode = "draw"; // or "line", "erase", "move"
  width = 12; // of the pen, in units

  #canvas;
  // What is drawn, never changed once it is there: strokes { mode, width, points: [[x, y,
  // milliseconds], ...] }, and a picture { mode: "picture", image, x, y, width, height }.
  #items = [];
  #past = [];
  #future = [];
  #current = null; // the stroke being drawn
  #pointer = null; // the id of the pointer that draws it: one at a time
  #touching = ""; // what kind of pointer that is: "mouse", "touch" or "pen"
  #moving = null; // what is being moved: { scaling, from, box, items }
  #pen = null; // where the keys have brought the pen: { x, y, down }

  constructor(canvas) {
    super();
    this.#canvas = canvas;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.#up(event));
    }
    canvas.addEventListener("blur", () => this.#putPenAway());
    // Else the browser takes a quick stroke for a fling, and the next tap for the end of it: a
    // button pressed within a third of a second would not be clicked.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    new ResizeObserver(() => this.#fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
    this.#fit();
  }

  get empty() {
    return this.#all().every((item) => item.mode === "erase");
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  // The drawing, to be brought back by `bring`.
  get items() {
    return this.#items;
  }

  // The pen's lines as [[x, y, milliseconds], ...] in 250 units; null where strokes are not all
  // that was drawn.
  get strokes() {
    const plain = this.#items.every(({ mode }) => mode === "draw" || mode === "line");
    return plain ? this.#items.map(({ points }) => points) : null;
  }

  // End what is being drawn or moved, as if the pointer were lifted: it is part of the drawing.
  settle() {
    const items = this.#all();
    this.#current = this.#pointer = this.#moving = this.#pen = null;
    if (items !== this.#items) this.#become(items);
  }

  clear() {
    this.settle();
    if (this.#items.length) this.#become([]);
    else this.#changed();
  }

  undo() {
    if (!this.canUndo) return;
    this.#future.push(this.#items);
    this.#items = this.#past.pop();
    this.#changed();
  }

  redo() {
    if (!this.canRedo) return;
    this.#past.push(this.#items);
    this.#items = this.#future.pop();
    this.#changed();
  }

  bring(items) {
    this.settle();
    this.#become(items);
  }

  // Show a picture in place of the drawing, as large as the canvas lets it be.
  showPicture(image) {
    this.settle();
    const scale = SIDE / Math.max(image.width, image.height);
    const width = image.width * scale;
    const height = image.height * scale;
    const x = (SIDE - width) / 2;
    const y = (SIDE - height) / 2;
    this.#become([{ mode: "picture", image, x, y, width, height, ...tones(image) }]);
  }

  // Move the drawing, and scale it about its middle.
  transform(right, down, factor = 1) {
    const box = this.#box();
    if (!box) return;
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    this.#become(transformed(this.#items, factor, x + right, y + down, x, y));
  }

  // Move the pen with the keys; it draws while it is down.
  movePen(right, down) {
    const pen = this.#pen ?? { x: SIDE / 2, y: SIDE / 2, down: false };
    const clip = (value) => Math.min(SIDE, Math.max(0, value));
    this.#pen = { ...pen, x: clip(pen.x + right), y: clip(pen.y + down) };
    if (this.#pen.down && this.#current) {
      this.#current.points.push(this.#penPoint());
      this.#changed();
    } else {
      this.repaint();
    }
  }

  // Put the pen down, or lift it.
  togglePen() {
    this.movePen(0, 0);
    if (this.#pen.down) return this.#liftPen();
    if (this.#pointer !== null) return;
    this.#pen.down = true;
    const mode = this.mode === "erase" ? "erase" : "draw";
    this.#current = { mode, width: this.width, points: [this.#penPoint()] };
    this.#changed();
  }

  // The drawing as a PNG data URL: black on white, whatever the screen shows it in, or the picture
  // in its own colours with what was drawn on it. A `small` one may be a JPEG.
  toDataURL({ small = false } = {}) {
    const picture = this.#all().find(({ mode }) => mode === "picture");
    const scale = picture
      ? Math.min(PICTURE_SIDE, Math.max(picture.image.width, picture.image.height)) /
        Math.max(picture.width, picture.height)
      : 1;
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round((picture?.width ?? SIDE) * scale));
    canvas.height = Math.max(1, Math.round((picture?.height ?? SIDE) * scale));
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, -(picture?.x ?? 0) * scale, -(picture?.y ?? 0) * scale);
    this.#draw(context, picture?.pen ?? "#000");
    if (!picture) {
      // Behind the ink, not before it: the eraser takes away what is there.
      context.globalCompositeOperation = "destination-over";
      context.fillStyle = "#fff";
      context.fillRect(0, 0, SIDE, SIDE);
    }
    const png = canvas.toDataURL("image/png");
    const large = small && png.length > LARGE && !picture?.sheet;
    return large ? canvas.toDataURL("image/jpeg", 0.9) : png;
  }

  // A canvas with as few pixels as are read as well: only the part with ink, without transparency,
  // and its lines drawn anew at a size that is five times what the network sees. Null where a
  // picture is part of the drawing, or where there is no ink.
  toSmallCanvas() {
    const box = this.#box({ seen: true });
    if (!box || this.#all().some(({ mode }) => mode === "picture")) return null;
    const wide = box.right - box.left;
    const high = box.bottom - box.top;
    const scale = SMALL / Math.max(wide, high);
    const margin = 4;
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(wide * scale) + 2 * margin;
    canvas.height = Math.ceil(high * scale) + 2 * margin;
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    // Strokes that erase are drawn as ground, since there is nothing behind it to be seen.
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const [left, top] = [margin - box.left * scale, margin - box.top * scale];
    context.setTransform(scale, 0, 0, scale, left, top);
    context.beginPath();
    context.rect(0, 0, SIDE, SIDE); // what ran over the canvas's edge is not to be seen
    context.clip();
    this.#draw(context, "#000", "#fff");
    return canvas;
  }

  repaint() {
    const context = this.#canvas.getContext("2d");
    const scale = this.#canvas.width / SIDE;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const style = getComputedStyle(this.#canvas);
    const picture = this.#all().find(({ mode }) => mode === "picture");
    if (picture?.sheet) {
      // Under what is transparent: else it could be black on black.
      context.fillStyle = picture.sheet;
      context.fillRect(picture.x, picture.y, picture.width, picture.height);
    }
    this.#draw(context, picture?.pen ?? style.color);
    context.strokeStyle = context.fillStyle = style.accentColor;
    context.lineWidth = 1;
    if (this.mode === "move") this.#drawFrame(context);
    if (this.#pen) this.#drawPen(context);
  }

  #all() {
    if (this.#moving) return this.#moving.items;
    return this.#current ? [...this.#items, this.#current] : this.#items;
  }

  #become(items) {
    this.#past.push(this.#items);
    this.#future = [];
    this.#items = items;
    this.#changed();
  }

  #changed() {
    this.repaint();
    this.dispatchEvent(new Event("change"));
  }

  #down(event) {
    if (event.button !== 0) return;
    if (this.#pointer !== null) {
      // A hand that lies on the screen is no stroke once the pen comes.
      if (this.#touching !== "touch" || event.pointerType !== "pen") return;
      this.#current = this.#moving = null;
    }
    this.#putPenAway();
    const point = this.#point(event);
    if (this.mode === "move") {
      const box = this.#box();
      if (!box) return;
      const scaling = Math.hypot(point[0] - box.right, point[1] - box.bottom) < HANDLE;
      this.#moving = { scaling, from: point, box, items: this.#items };
    } else {
      this.#current = { mode: this.mode, width: this.width, points: [point] };
    }
    this.#pointer = event.pointerId;
    this.#touching = event.pointerType;
    // A stroke that leaves the canvas and comes back stays one stroke.
    this.#canvas.setPointerCapture(event.pointerId);
    if (this.#current) this.#changed();
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    if (this.#moving) {
      const [x, y] = this.#point(event);
      const { scaling, from, box } = this.#moving;
      const right = x - from[0];
      const down = y - from[1];
      if (scaling) {
        const wide = (box.right - box.left + right) / (box.right - box.left);
        const high = (box.bottom - box.top + down) / (box.bottom - box.top);
        const factor = Math.min(10, Math.max(0.1, (wide + high) / 2));
        this.#moving.items = transformed(
          this.#items, factor, box.left, box.top, box.left, box.top,
        );
      } else {
        this.#moving.items = transformed(this.#items, 1, right, down, 0, 0);
      }
    } else if (this.#current) {
      const { mode, points } = this.#current;
      if (mode === "line") {
        points[1] = this.#point(event);
      } else {
        const events = event.getCoalescedEvents?.() ?? [];
        for (const one of events.length ? events : [event]) points.push(this.#point(one));
      }
    }
    this.#changed();
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    const items = this.#all();
    const moved = !this.#moving || items !== this.#items;
    this.#current = this.#pointer = this.#moving = null;
    if (moved) this.#become(items);
    else this.repaint();
  }

  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * SIDE) / box.width;
    const y = ((event.clientY - box.top) * SIDE) / box.height;
    return [x, y, Math.round(event.timeStamp)];
  }

  #penPoint() {
    return [this.#pen.x, this.#pen.y, Math.round(performance.now())];
  }

  #liftPen() {
    this.#pen.down = false;
    if (!this.#current) return;
    const items = this.#all();
    this.#current = null;
    this.#become(items);
  }

  #putPenAway() {
    if (!this.#pen) return;
    if (this.#pen.down) this.#liftPen();
    this.#pen = null;
    this.repaint();
  }

  // The box around all ink, or around what of it the canvas shows; null where there is none.
  #box({ seen = false } = {}) {
    const boxes = this.#all()
      .filter(({ mode }) => mode !== "erase")
      .map((item) => {
        if (item.mode === "picture") return [item.x, item.y, item.x + item.width, item.y + item.height];
        const xs = item.points.map(([x]) => x);
        const ys = item.points.map(([, y]) => y);
        const reach = item.width / 2;
        return [
          Math.min(...xs) - reach, Math.min(...ys) - reach,
          Math.max(...xs) + reach, Math.max(...ys) + reach,
        ];
      });
    if (!boxes.length) return null;
    const clip = (value) => (seen ? Math.min(SIDE, Math.max(0, value)) : value);
    const box = {
      left: clip(Math.min(...boxes.map((box) => box[0]))),
      top: clip(Math.min(...boxes.map((box) => box[1]))),
      right: clip(Math.max(...boxes.map((box) => box[2]))),
      bottom: clip(Math.max(...boxes.map((box) => box[3]))),
    };
    return box.left < box.right && box.top < box.bottom ? box : null;
  }

  #fit() {
    const pixels = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (pixels && this.#canvas.width !== pixels) {
      this.#canvas.width = this.#canvas.height = pixels;
    }
    this.repaint();
  }

  #drawFrame(context) {
    const box = this.#box();
    if (!box) return;
    context.setLineDash([4, 4]);
    context.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    context.setLineDash([]);
    context.beginPath();
    context.arc(box.right, box.bottom, 5, 0, 2 * Math.PI);
    context.fill();
  }

  #drawPen(context) {
    const { x, y, down } = this.#pen;
    context.beginPath();
    context.arc(x, y, Math.max(3, this.width / 2), 0, 2 * Math.PI);
    if (down) context.fill();
    context.stroke();
  }

  // `ground` is what the eraser leaves; without it, nothing.
  #draw(context, colour, ground = null) {
    context.lineCap = context.lineJoin = "round";
    context.imageSmoothingQuality = "high";
    for (const item of this.#all()) {
      if (item.mode === "picture") {
        context.drawImage(item.image, item.x, item.y, item.width, item.height);
        continue;
      }
      const { mode, width, points } = item;
      const erasing = mode === "erase";
      context.strokeStyle = context.fillStyle = erasing && ground ? ground : colour;
      context.globalCompositeOperation = erasing && !ground ? "destination-out" : "source-over";
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
