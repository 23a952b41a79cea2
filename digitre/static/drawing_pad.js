// A canvas to draw on with mouse, finger, pen or keys. It knows nothing of the page around it or of a
// server; geometry.js describes the items of a drawing.
import { contrastingColors } from "./contrast.js";
import { imageScale, toDataURL, toSmallCanvas } from "./export.js";
import { SIDE, boundingBox, clip, imageOf, transform } from "./geometry.js";
import { paintFrame, paintItems, paintPen } from "./painting.js";
import { UndoStack } from "./undo.js";

const HANDLE = 16; // units around the frame's corner within which a pointer grabs it
const ZOOM = 1.1; // per notch of the mouse wheel
const SMALLEST = 15; // units of a drawing's longer side: the wheel makes it no smaller ...
const LARGEST = 3 * SIDE; // ... and no larger

// Fires "change" whenever the drawing changes, also in the middle of a stroke; and "nothing" if there is nothing to move.
export class DrawingPad extends EventTarget {
  mode = "draw"; // or "line", "erase", "move"
  width = 12; // of the pen, in units

  #canvas;
  #history = new UndoStack([]); // lists of items
  #stroke = null; // the stroke that is being drawn
  #drag = null; // a drag in move mode: { scaling, from, box, items }
  #pointer = null; // the ID of the pointer that draws or drags; only one can at a time
  #pointerType = ""; // "mouse", "touch" or "pen"
  #pen = null; // the pen that the arrow keys move: { x, y, down }
  #preview = null; // the items of an example that is being drawn

  constructor(canvas) {
    super();
    this.#canvas = canvas;
    canvas.addEventListener("pointerdown", (event) => this.#pointerDown(event));
    canvas.addEventListener("pointermove", (event) => this.#pointerMove(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.#pointerUp(event));
    }
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("blur", () => this.#putPenAway());
    // Otherwise the browser takes a quick stroke for a fling and the next tap for the end of it: a
    // button tapped within a third of a second would not be clicked.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    new ResizeObserver(() => this.#fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
    this.#fit();
  }

  // --- the drawing ---

  get empty() {
    return this.#visible().every(({ mode }) => mode === "erase");
  }

  // Whether the pen is down.
  get isDrawing() {
    return this.#pointer !== null || Boolean(this.#pen?.down) || this.isPreviewing;
  }

  get isPreviewing() {
    return this.#preview !== null;
  }

  get canUndo() {
    return this.#history.canUndo;
  }

  get canRedo() {
    return this.#history.canRedo;
  }

  // The finished items; `restore` brings them back.
  get items() {
    return this.#history.current;
  }

  // The pen's strokes as [[x, y, milliseconds], ...] in units; null if the drawing holds more than
  // strokes (an image, or erased parts).
  get strokes() {
    const onlyStrokes = this.items.every(({ mode }) => mode === "draw" || mode === "line");
    return onlyStrokes ? this.items.map(({ points }) => points) : null;
  }

  // Finish the stroke or drag that is under way, as if the pointer were lifted.
  settle() {
    const items = this.#visible();
    this.#stroke = this.#pointer = this.#drag = this.#pen = this.#preview = null;
    if (items !== this.items) this.#push(items);
  }

  clear() {
    this.settle();
    if (this.items.length) this.#push([]);
    else this.#changed();
  }

  undo() {
    if (!this.canUndo) return;
    this.#history.undo();
    this.#changed();
  }

  redo() {
    if (!this.canRedo) return;
    this.#history.redo();
    this.#changed();
  }

  restore(items) {
    this.settle();
    this.#push(items);
  }

  // Show items that are not finished, as if a pen were drawing them; null ends it.
  preview(items) {
    this.#preview = items;
    if (items) this.#changed();
  }

  // Show an image in place of the drawing, as large as the canvas allows.
  showImage(image) {
    this.settle();
    const scale = SIDE / Math.max(image.width, image.height);
    const width = image.width * scale;
    const height = image.height * scale;
    const x = (SIDE - width) / 2;
    const y = (SIDE - height) / 2;
    this.#push([{ mode: "image", image, x, y, width, height, ...contrastingColors(image) }]);
  }

  // Move the drawing, and scale it about its middle; its middle stays on the canvas.
  transform(right, down, factor = 1) {
    const box = boundingBox(this.#visible());
    if (!box) return this.#nothing();
    const longest = Math.max(box.right - box.left, box.bottom - box.top);
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const to = [clip(x + right, 0, SIDE), clip(y + down, 0, SIDE)];
    const by = clip(factor, Math.min(1, SMALLEST / longest), Math.max(1, LARGEST / longest));
    this.#push(transform(this.items, by, [x, y], to));
  }

  #nothing() {
    this.dispatchEvent(new Event("nothing"));
  }

  // Turns a box in pixels of the data URL into units.
  get exportScale() {
    return imageScale(this.items);
  }

  // As a data URL: see export.js.
  toDataURL(options) {
    return toDataURL(this.#visible(), options);
  }

  // As a canvas with few pixels, or null: see export.js.
  toSmallCanvas() {
    return toSmallCanvas(this.#visible());
  }

  // The items including the stroke or drag that is under way.
  #visible() {
    if (this.#preview) return this.#preview;
    if (this.#drag) return this.#drag.items;
    return this.#stroke ? [...this.items, this.#stroke] : this.items;
  }

  #push(items) {
    this.#history.push(items);
    this.#changed();
  }

  #changed() {
    this.repaint();
    this.dispatchEvent(new Event("change"));
  }

  // --- the screen ---

  repaint() {
    const context = this.#canvas.getContext("2d");
    const scale = this.#canvas.width / SIDE;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const style = getComputedStyle(this.#canvas);
    const items = this.#visible();
    const image = imageOf(items);
    if (image?.backing) {
      context.fillStyle = image.backing;
      context.fillRect(image.x, image.y, image.width, image.height);
    }
    paintItems(context, items, image?.pen ?? style.color);
    context.strokeStyle = context.fillStyle = style.accentColor;
    context.lineWidth = 1;
    const box = this.mode === "move" && boundingBox(items);
    if (box) paintFrame(context, box);
    if (this.#pen) paintPen(context, this.#pen, this.width);
  }

  // Give the canvas as many pixels as it covers on the screen.
  #fit() {
    const pixels = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (pixels && this.#canvas.width !== pixels) {
      this.#canvas.width = this.#canvas.height = pixels;
    }
    this.repaint();
  }

  // --- mouse, finger and pen ---

  #pointerDown(event) {
    if (event.button !== 0) return;
    this.#canvas.focus({ preventScroll: true }); // so that the keys act on the drawing
    if (this.#pointer !== null) {
      // A hand that rests on the screen gives way to the pen; other pointers wait.
      if (this.#pointerType !== "touch" || event.pointerType !== "pen") return;
      this.#stroke = this.#drag = null;
    }
    this.#putPenAway();
    this.#preview = null;
    const point = this.#pointOf(event);
    if (this.mode === "move") {
      const box = boundingBox(this.#visible());
      if (!box) return this.#nothing();
      const scaling = Math.hypot(point[0] - box.right, point[1] - box.bottom) < HANDLE;
      this.#drag = { scaling, from: point, box, items: this.items };
    } else {
      this.#stroke = { mode: this.mode, width: this.width, points: [point] };
    }
    this.#pointer = event.pointerId;
    this.#pointerType = event.pointerType;
    // So that a stroke that leaves the canvas and comes back stays one stroke.
    this.#canvas.setPointerCapture(event.pointerId);
    if (this.#stroke) this.#changed();
  }

  #pointerMove(event) {
    if (event.pointerId !== this.#pointer) return;
    if (this.#drag) {
      this.#drag.items = this.#dragged(this.#pointOf(event));
    } else if (this.#stroke) {
      const { mode, points } = this.#stroke;
      if (mode === "line") {
        points[1] = this.#pointOf(event);
      } else {
        // A fast pointer reports several points in one event.
        const events = event.getCoalescedEvents?.() ?? [];
        for (const each of events.length ? events : [event]) points.push(this.#pointOf(each));
      }
    }
    this.#changed();
  }

  #pointerUp(event) {
    if (event.pointerId !== this.#pointer) return;
    const items = this.#visible();
    const hasChanged = !this.#drag || items !== this.items;
    this.#stroke = this.#pointer = this.#drag = null;
    if (hasChanged) this.#push(items);
    else this.repaint();
  }

  // The items as a drag to this point moves or scales them.
  #dragged([x, y]) {
    const { scaling, from, box } = this.#drag;
    const right = x - from[0];
    const down = y - from[1];
    if (!scaling) return transform(this.items, 1, [0, 0], [right, down]);
    const wider = (box.right - box.left + right) / (box.right - box.left);
    const higher = (box.bottom - box.top + down) / (box.bottom - box.top);
    const corner = [box.left, box.top];
    return transform(this.items, clip((wider + higher) / 2, 0.1, 10), corner, corner);
  }

  #wheel(event) {
    if (this.mode !== "move" || this.empty) return;
    event.preventDefault();
    if (event.deltaY) this.transform(0, 0, event.deltaY < 0 ? ZOOM : 1 / ZOOM);
  }

  #pointOf(event) {
    const box = this.#canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * SIDE) / box.width;
    const y = ((event.clientY - box.top) * SIDE) / box.height;
    return [x, y, Math.round(event.timeStamp)];
  }

  // --- the pen that the keys move ---

  // Move the pen; it draws while it is down.
  movePen(right, down) {
    const pen = this.#pen ?? { x: SIDE / 2, y: SIDE / 2, down: false };
    this.#pen = { ...pen, x: clip(pen.x + right, 0, SIDE), y: clip(pen.y + down, 0, SIDE) };
    if (this.#pen.down && this.#stroke) {
      this.#stroke.points.push(this.#penPoint());
      this.#changed();
    } else {
      this.repaint();
    }
  }

  // Put the pen down or lift it.
  togglePen() {
    this.movePen(0, 0);
    if (this.#pen.down) return this.#liftPen();
    if (this.#pointer !== null) return;
    this.#pen.down = true;
    const mode = this.mode === "erase" ? "erase" : "draw";
    this.#stroke = { mode, width: this.width, points: [this.#penPoint()] };
    this.#changed();
  }

  #penPoint() {
    return [this.#pen.x, this.#pen.y, Math.round(performance.now())];
  }

  #liftPen() {
    this.#pen.down = false;
    if (!this.#stroke) return;
    const items = this.#visible();
    this.#stroke = null;
    this.#push(items);
  }

  #putPenAway() {
    if (!this.#pen) return;
    if (this.#pen.down) this.#liftPen();
    this.#pen = null;
    this.repaint();
  }
}
