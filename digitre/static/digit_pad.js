// <digit-pad>: an area to write a number on, as a field of a form. It reads on this device; with the attribute `server`, it asks
// that address. docs/browser.md has its attributes, events and examples.
import { Digitre } from "./digitre.js";
import { paintItems } from "./painting.js";
import { paintNumber } from "./number.js";
import { paint } from "./picture.js";

const PAUSE = 350; // milliseconds without a stroke until a number is read; it may be several strokes
const PEN = 8; // the pen's width, in CSS pixels
const THRESHOLD = 0.6;
const SENT_SIDE = 112; // pixels of the longer side of a digit that is sent to a server

const STYLE = `
  :host { display: inline-block; inline-size: 16rem; max-inline-size: 100%; color-scheme: light dark; }
  :host([hidden]) { display: none; }
  canvas { display: block; box-sizing: border-box; inline-size: 100%; block-size: 8rem; border: 1px solid;
    border-radius: 6px; background: Canvas; color: CanvasText; touch-action: none; cursor: crosshair; }
  :host(:disabled) canvas { opacity: 0.5; pointer-events: none; }
  div { display: flex; gap: 0.4rem; margin-block-start: 0.4rem; }
  input { flex: 1; min-inline-size: 0; font: inherit; padding: 0.4rem; }
  button { font: inherit; min-inline-size: 2.75rem; min-block-size: 2.75rem; }
  p { margin: 0.2rem 0 0; min-block-size: 1.3em; font-size: 0.9em; }`;

const readers = new Map(); // by address: pads of one page share their network

function readerOf(address) {
  if (!readers.has(address)) {
    const reader = Digitre.load(address);
    reader.catch(() => readers.delete(address)); // it may be there the next time
    readers.set(address, reader);
  }
  return readers.get(address);
}

export class DigitPad extends HTMLElement {
  static formAssociated = true;
  static observedAttributes = ["color", "required", "length", "signs", "label"];

  #internals = this.attachInternals();
  #canvas;
  #text;
  #status;
  #buttons;
  #strokes = []; // lists of [x, y] in CSS pixels of the canvas
  #pointer = null;
  #pointerType = "";
  #timer = 0;
  #turn = 0; // counts readings: an answer that comes late is left
  #isRefused = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    root.adoptedStyleSheets = [style];
    this.#canvas = append(root, "canvas", { part: "canvas", role: "img" });
    const controls = append(root, "div", { part: "controls" });
    this.#text = append(controls, "input", { part: "text", inputmode: "decimal", autocomplete: "off" });
    this.#buttons = ["undo", "clear"].map((name) => {
      const button = append(controls, "button", { part: name, type: "button", "aria-label": LABELS[name], title: LABELS[name] });
      button.textContent = name === "undo" ? "↶" : "✕";
      button.addEventListener("click", () => this[name]());
      return button;
    });
    this.#status = append(root, "p", { part: "status", role: "status" });
    this.#listen();
  }

  connectedCallback() {
    this.#name();
    this.#check();
    this.#fit();
    if (!this.hasAttribute("server")) readerOf(this.#source).catch(() => this.#say("The network did not load."));
  }

  attributeChangedCallback(name) {
    if (name === "color") this.#canvas.style.color = this.getAttribute("color") ?? "";
    this.#name();
    this.#paint();
    this.#check();
  }

  // The text that was read or typed; "" if there is none, or if it was refused.
  get value() {
    return this.#text.value;
  }

  set value(text) {
    this.#forget();
    this.#text.value = text;
    this.#check();
  }

  get name() {
    return this.getAttribute("name") ?? "";
  }

  get form() {
    return this.#internals.form;
  }

  get validity() {
    return this.#internals.validity;
  }

  get validationMessage() {
    return this.#internals.validationMessage;
  }

  get strokes() {
    return structuredClone(this.#strokes);
  }

  checkValidity() {
    return this.#internals.checkValidity();
  }

  reportValidity() {
    return this.#internals.reportValidity();
  }

  undo() {
    this.#strokes.pop();
    this.#drawn();
  }

  clear() {
    this.value = "";
    this.#tell("input");
    this.#tell("change");
  }

  formResetCallback() {
    this.value = this.getAttribute("value") ?? "";
  }

  formDisabledCallback(isDisabled) {
    for (const each of [this.#text, ...this.#buttons]) each.disabled = isDisabled;
  }

  formStateRestoreCallback(text) {
    this.value = text;
  }

  get #source() {
    return new URL(this.getAttribute("src") ?? new URL("network.bin", import.meta.url), document.baseURI).href;
  }

  get #pen() {
    return Number(this.getAttribute("pen")) || PEN;
  }

  get #length() {
    return Number(this.getAttribute("length")) || null;
  }

  // --- what the writer does ---

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#up(event));
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    this.#text.addEventListener("input", (event) => {
      event.stopPropagation();
      this.#forget();
      this.#check();
      this.#tell("input");
    });
    this.#text.addEventListener("change", () => this.#tell("change"));
    new ResizeObserver(() => this.#fit()).observe(canvas);
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(query).addEventListener("change", () => this.#paint());
    }
  }

  #down(event) {
    if (event.button !== 0) return;
    if (this.#pointer !== null) {
      // A hand that rests on the screen gives way to the pen; other pointers wait.
      if (this.#pointerType !== "touch" || event.pointerType !== "pen") return;
      this.#strokes.pop();
    }
    clearTimeout(this.#timer);
    this.#pointer = event.pointerId;
    this.#pointerType = event.pointerType;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#strokes.push([this.#pointOf(event)]);
    this.#paint();
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.#strokes.at(-1).push(this.#pointOf(each));
    this.#paint();
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#drawn();
  }

  #pointOf(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // --- reading ---

  // The drawing has changed: read it after a pause.
  #drawn() {
    this.#paint();
    clearTimeout(this.#timer);
    this.#turn += 1;
    if (this.#strokes.length) this.#timer = setTimeout(() => this.#read(), this.#length === 1 ? 0 : PAUSE);
    else this.#take({ text: "", reason: null });
  }

  async #read() {
    const turn = (this.#turn += 1);
    try {
      const found = this.hasAttribute("server") ? await this.#ask() : await this.#readHere();
      if (turn === this.#turn && this.#pointer === null) this.#take(found);
    } catch {
      if (turn === this.#turn) this.#say("It was not read. Please type it.");
    }
  }

  async #readHere() {
    const reader = await readerOf(this.#source);
    const threshold = Number(this.getAttribute("threshold") ?? THRESHOLD);
    const options = { pen: this.#pen, threshold, length: this.#length, signs: this.hasAttribute("signs") };
    if (this.#length !== 1) return reader.readNumber(this.#strokes, options);
    const reading = reader.read(this.#strokes, options);
    return { ...reading, text: reading.digit === null ? "" : String(reading.digit) };
  }

  // Ask a Digitre server: POST /_get_digit, or /_get_number with the strokes.
  async #ask() {
    const isOne = this.#length === 1;
    const { image, scale, left, top } = isOne
      ? paint(this.#strokes, this.#pen, SENT_SIDE)
      : paintNumber(this.#strokes, this.#pen);
    const base = new URL(this.getAttribute("server"), document.baseURI).href.replace(/\/?$/, "/");
    const url = new URL(isOne ? "_get_digit" : "_get_number", base);
    if (this.hasAttribute("threshold")) url.searchParams.set("threshold", this.getAttribute("threshold"));
    if (!isOne && this.#length) url.searchParams.set("length", this.#length);
    if (!isOne && this.hasAttribute("signs")) url.searchParams.set("signs", "1");
    const moved = this.#strokes.map((stroke) => stroke.map(([x, y]) => [x * scale + left, y * scale + top, 0]));
    const body = JSON.stringify({ image: await toDataURL(image), ...(isOne ? {} : { strokes: moved }) });
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    const answer = await response.json();
    return isOne ? { ...answer, text: answer.digit === null ? "" : String(answer.digit) } : answer;
  }

  #take(reading) {
    this.#isRefused = reading.reason !== null;
    this.#text.value = this.#isRefused ? "" : reading.text;
    this.#say(this.#isRefused ? LABELS.again : "");
    this.#check();
    this.#tell("input");
    if (this.#isRefused) this.#tell("uncertain", reading);
    this.#tell("change", reading);
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, composed: true, detail }));
  }

  #say(text) {
    this.#status.textContent = text;
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#turn += 1;
    this.#strokes = [];
    this.#isRefused = false;
    this.#say("");
    this.#paint();
  }

  // Give the form the value, and say what is wrong with it.
  #check() {
    const { value } = this;
    const signs = this.hasAttribute("signs") ? /^[-0-9.,/]*$/ : /^[0-9]*$/;
    const digits = value.replace(/[^0-9]/g, "").length;
    this.#internals.setFormValue(value);
    if (this.#isRefused) this.#wrong("badInput", LABELS.again);
    else if (!value) this.#wrong("valueMissing", this.hasAttribute("required") && LABELS.missing);
    else if (!signs.test(value)) this.#wrong("patternMismatch", LABELS.pattern);
    else this.#wrong("tooShort", this.#length && digits !== this.#length && `Please write ${this.#length} digits.`);
  }

  #wrong(kind, message) {
    this.#internals.setValidity(message ? { [kind]: true } : {}, message || "", this.#text);
  }

  // --- the screen ---

  #name() {
    const label = this.getAttribute("label") ?? this.#internals.labels[0]?.textContent.trim() ?? "Number";
    this.#canvas.setAttribute("aria-label", `${label}: area to write on. You can type into the field instead.`);
    this.#text.setAttribute("aria-label", label);
  }

  #fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    this.#canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(clientHeight * devicePixelRatio);
    this.#paint();
  }

  #paint() {
    const context = this.#canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    const items = this.#strokes.map((points) => ({ mode: "draw", width: this.#pen, points }));
    paintItems(context, items, getComputedStyle(this.#canvas).color);
  }
}

const LABELS = {
  undo: "Undo the last stroke",
  clear: "Clear",
  missing: "Please write a number.",
  again: "Please write it again, or type it: it was not read.",
  pattern: "Please write a number.",
};

async function toDataURL(image) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
  return `data:image/png;base64,${btoa(String.fromCharCode(...bytes))}`;
}

function append(parent, tag, attributes) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

customElements.get("digit-pad") ?? customElements.define("digit-pad", DigitPad);
