// The page's own reader: it has the server's network, and answers at once. It also keeps the page for times without a server.
import { Digitre, UnknownNetworkError } from "./digitre.js";

const byId = (id) => document.getElementById(id);
const AGAIN = [1, 10, 60]; // seconds until a network that did not arrive is fetched again
const SURE = 0.9; // a drawing of one piece that is read with this probability is one digit

let reader = null;

// Fires "ready" once drawings can be read here.
export const device = new EventTarget();

// Fetch the network once the page is usable; without it, the server reads.
export function startDevice() {
  const start = () => {
    fetchReader([...AGAIN]);
    navigator.serviceWorker?.register(byId("result").dataset.worker).catch(() => {});
  };
  for (const change of ["online", "offline"]) addEventListener(change, showWhere);
  if (globalThis.requestIdleCallback) requestIdleCallback(start, { timeout: 2000 });
  else setTimeout(start, 200);
}

async function fetchReader(waits) {
  try {
    reader = await Digitre.load(byId("result").dataset.network);
    device.dispatchEvent(new Event("ready"));
  } catch (error) {
    const willWork = waits.length && !(error instanceof UnknownNetworkError);
    if (willWork) setTimeout(fetchReader, 1000 * waits.shift(), waits);
  }
  showWhere();
}

// Say where drawings are read.
function showWhere() {
  const here = `reads on ${reader ? "this device" : "the server"}`;
  byId("where").textContent = navigator.onLine ? here : `${here} (offline)`;
}

// Read a canvas as one digit, whatever else it may be: a verdict with the `pixels` and `layers` of Reader.look; null for a
// blank, or if there is no network here.
export function glance(canvas) {
  const seen = reader && canvas ? reader.look(canvas) : null;
  return seen && { ...asVerdict(seen), pixels: seen.pixels, layers: seen.layers };
}

// The probabilities of the pixels that the network sees; only after `glance` has answered.
export const classify = (pixels) => reader.classify(pixels);

// Read the drawing of a pad: { verdict, isFinal }. It is not final if the server should look closer. Null if there is no
// network here, or if the drawing holds more than strokes.
export function judge(pad, threshold) {
  const canvas = reader && pad.toSmallCanvas();
  if (!canvas) return null;
  const digit = reader.read(canvas, { threshold });
  const verdict = asVerdict(digit);
  const isOneDigit = !digit.forServer && digit.confidence >= SURE;
  if (isOneDigit || digit.reason === "blank" || !pad.strokes) {
    return { verdict, isFinal: !digit.forServer };
  }
  const number = readNumber(pad, threshold);
  if (number.text.length > 1 && !number.reason) {
    return { verdict: asNumber(number), isFinal: !number.forServer };
  }
  const isSame = !digit.reason && number.text === String(digit.digit);
  return { verdict, isFinal: !number.forServer && (isSame || !digit.forServer) };
}

// Signs are looked for only if there is no number without them: a short 1 may be taken for a minus.
function readNumber(pad, threshold) {
  const options = { threshold, pen: pad.items[0].width };
  const plain = reader.readNumber(pad.strokes, options);
  if (!plain.reason) return plain;
  const signed = reader.readNumber(pad.strokes, { ...options, signs: true });
  return signed.reason ? plain : signed;
}

function asVerdict({ digit, confidence, probabilities, notADigit, candidates, reason, model }) {
  const result = digit === null ? "Huh..." : String(digit);
  return { result, digit, confidence, probabilities, notADigit, candidates, reason, model, number: null };
}

function asNumber({ text, confidence, digits, alternatives, model }) {
  const texts = [text, ...alternatives.map((each) => each.text)];
  return { result: text, digit: null, confidence, reason: null, candidates: [], model, number: { digits, texts } };
}
