// Reads the drawing: at a glance while the pen is down, and in earnest once it has been up for a moment. This device reads, if it
// can; else, or if there is more to see in the drawing, the server does. One request at a time: a new one replaces the
// one that is under way.
import { RequestError, requestJSON } from "./api.js";
import { glance, judge } from "./device.js";
import { toGreyDataURL } from "./png.js";

const byId = (id) => document.getElementById(id);

const SETTLE = 300; // milliseconds that the pen has to be up: the next stroke may belong to the same drawing
const VERY_SLOW = 1500; // milliseconds until the page says that it is waiting
const SHARE = 2; // the drawing gets so many times the time that the glances take

// Fires "glance" and "verdict" with a verdict as `detail`: see device.js. "waiting" if the server is slow, and "failure"
// with { message } as `detail`.
export class Reader extends EventTarget {
  threshold = null; // null: the server's own, until the slider is moved

  #pad;
  #timer = 0;
  #glancing = 0; // the timer of the next glance
  #rested = 0; // when the next glance may come
  #request = null;

  constructor(pad) {
    super();
    this.#pad = pad;
  }

  // The address that drawings are sent to.
  get url() {
    return this.#address("url");
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = null;
  }

  // The drawing has changed: glance at it soon. A slow device glances less often, so that the pen stays quick.
  glance() {
    if (this.#glancing) return;
    this.#glancing = setTimeout(
      () => {
        this.#glancing = 0;
        const began = performance.now();
        this.#fire("glance", glance(this.#pad.toSmallCanvas()));
        const ended = performance.now();
        this.#rested = ended + SHARE * (ended - began);
      },
      Math.max(0, this.#rested - performance.now()),
    );
  }

  // The drawing has changed: read it once the pen has been up for a moment.
  follow() {
    this.cancel();
    if (!this.#pad.isDrawing) this.#timer = setTimeout(() => this.read(), SETTLE);
  }

  // Read the drawing. With `byServer`, this device answers only without a connection.
  async read({ byServer = false } = {}) {
    this.cancel();
    const request = (this.#request = new AbortController());
    const threshold = Number(this.threshold ?? byId("threshold").getAttribute("value"));
    const here = judge(this.#pad, threshold);
    const isEnough = here && (!navigator.onLine || (here.isFinal && !byServer && !byId("how").open));
    if (isEnough) return this.#fire("verdict", here.verdict);
    const slow = setTimeout(() => this.#fire("waiting"), VERY_SLOW);
    try {
      const verdict = await this.#ask(request.signal);
      if (request === this.#request) this.#fire("verdict", verdict);
    } catch (error) {
      if (request !== this.#request) return; // a newer request will have its answer
      if (here && !navigator.onLine) return this.#fire("verdict", here.verdict);
      const message = error instanceof RequestError ? error.message : "Something went wrong on this page.";
      this.#fire("failure", { message });
    } finally {
      clearTimeout(slow);
    }
  }

  // The server's verdict. What holds several digits is read as a number.
  async #ask(signal) {
    const withSteps = byId("how").open;
    const url = this.url;
    if (withSteps) {
      url.searchParams.set("steps", "1");
      url.searchParams.set("explain", "1");
    }
    const digit = await this.#picture({ whole: withSteps });
    const answer = await requestJSON(url, { body: [{ digit }], signal });
    const verdict = { ...answer, notADigit: answer.not_a_digit, number: null };
    if (answer.reason !== "several") return verdict;
    const { strokes } = this.#pad;
    const body = { digit: this.#pad.toDataURL({ small: !strokes }), ...(strokes && { strokes }) };
    const number = await requestJSON(this.#address("number"), { body, signal });
    if (number.digits.length < 2) return verdict;
    const scale = this.#pad.exportScale;
    const digits = number.digits.map(({ box: [left, top, right, bottom], digit: read, ...each }) => ({
      ...each,
      character: String(read ?? each.prediction),
      notADigit: each.not_a_digit,
      box: scale({ left, top, right, bottom }),
    }));
    const texts = [number.text, ...number.alternatives.map(({ text }) => text)];
    return { ...verdict, ...number, digit: null, candidates: [], number: { digits, texts } };
  }

  #address(name) {
    const url = new URL(byId("result").dataset[name], location.href);
    if (this.threshold !== null) url.searchParams.set("threshold", this.threshold);
    return url;
  }

  #fire(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // Whole if its steps will be shown, else as few bytes as can be read just as well.
  #picture({ whole }) {
    const small = whole ? null : this.#pad.toSmallCanvas();
    return small ? toGreyDataURL(small) : this.#pad.toDataURL({ small: true });
  }
}
