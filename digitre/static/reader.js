// Reads the drawing and shows the answer: while it is drawn, on this device; else, or if there is more to see in it than one
// drawing, on the server. One request at a time: a new one replaces the one that is under way.
import { showAnswer, showError, showHint } from "./answer.js";
import { RequestError, requestJSON } from "./api.js";
import { readHere } from "./device.js";
import { toGreyDataURL } from "./png.js";

const byId = (id) => document.getElementById(id);

const DEBOUNCE = 40; // milliseconds without a change until an unfinished drawing is sent
const VERY_SLOW = 1500; // milliseconds until the page says that it is waiting

export class Reader {
  threshold = null; // null: the server's own, until the slider is moved

  #pad;
  #onResult;
  #timer = 0;
  #request = null;

  // `onResult` is called with what each drawing was read as; null if reading failed.
  constructor(pad, onResult) {
    this.#pad = pad;
    this.#onResult = onResult;
  }

  // The address that drawings are sent to.
  get url() {
    const url = new URL(byId("result").dataset.url, location.href);
    if (this.threshold !== null) url.searchParams.set("threshold", this.threshold);
    return url;
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = null;
  }

  readSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // In the middle of a stroke, and without a connection, this device's answer has to do.
      const evenIfUnsure = this.#pad.isDrawing || !navigator.onLine;
      if (!this.#readHere({ evenIfUnsure })) this.read();
    }, DEBOUNCE);
  }

  // Read on this device, if it can: a drawing of strokes, whose steps nobody wants to see.
  #readHere({ evenIfUnsure = false } = {}) {
    if (byId("how").open && navigator.onLine) return false;
    const threshold = Number(this.threshold ?? byId("threshold").getAttribute("value"));
    const answer = readHere(this.#pad.toSmallCanvas(), threshold, { evenIfUnsure });
    if (!answer) return false;
    this.cancel();
    showAnswer(answer);
    this.#onResult(answer.result);
    return true;
  }

  async read() {
    this.cancel();
    const request = (this.#request = new AbortController());
    const verySlow = setTimeout(() => showHint("Still waiting for the server…"), VERY_SLOW);
    const withSteps = byId("how").open;
    const url = this.url;
    if (withSteps) {
      url.searchParams.set("steps", "1");
      url.searchParams.set("explain", "1");
    }
    try {
      const digit = await this.#picture({ whole: withSteps });
      const answer = await requestJSON(url, { body: [{ digit }], signal: request.signal });
      if (request !== this.#request) return;
      showAnswer(answer);
      this.#onResult(answer.result);
    } catch (error) {
      if (request !== this.#request) return; // a newer request will show its answer
      if (!navigator.onLine && this.#readHere({ evenIfUnsure: true })) return;
      this.#onResult(null);
      const message = error instanceof RequestError ? error.message : "Something went wrong on this page.";
      showError(message, { label: "Try again", action: () => this.read() });
    } finally {
      clearTimeout(verySlow);
    }
  }

  // Whole if its steps will be shown, else as few bytes as can be read just as well.
  #picture({ whole }) {
    const small = whole ? null : this.#pad.toSmallCanvas();
    return small ? toGreyDataURL(small) : this.#pad.toDataURL({ small: true });
  }
}
