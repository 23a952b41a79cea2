// The page's own reader: it has the server's network, and answers at once. It also keeps the page for times without a server.
import { Digitre } from "./digitre.js";

const byId = (id) => document.getElementById(id);

let reader = null;

// Fetch the network once the page is usable; without it, the server reads.
export function startDevice() {
  const start = () => {
    Digitre.load(byId("result").dataset.network)
      .then((loaded) => (reader = loaded))
      .catch(() => {})
      .finally(showWhere);
    navigator.serviceWorker?.register(byId("result").dataset.worker).catch(() => {});
  };
  for (const change of ["online", "offline"]) addEventListener(change, showWhere);
  if (globalThis.requestIdleCallback) requestIdleCallback(start, { timeout: 2000 });
  else setTimeout(start, 200);
}

// Say where drawings are read.
function showWhere() {
  const here = reader ? " on this device" : "";
  byId("where").textContent = navigator.onLine ? here : `${here} (offline)`;
}

// Read a canvas, and answer as the server does; null if there is no reader, or if the server should look closer.
export function readHere(canvas, threshold, { evenIfUnsure = false } = {}) {
  if (!reader || !canvas) return null;
  const reading = reader.read(canvas, { threshold });
  return reading.forServer && !evenIfUnsure ? null : asAnswer(reading);
}

function asAnswer({ digit, confidence, probabilities, notADigit, candidates, reason, model }) {
  const isRead = digit !== null;
  return {
    result: isRead ? String(digit) : "Huh...",
    probability: isRead ? `(${(100 * confidence).toFixed(1)}% probability)` : "You call that a digit?",
    digit,
    confidence,
    probabilities,
    not_a_digit: notADigit,
    candidates,
    prediction: candidates.length ? String(candidates[0].digit) : null,
    reason,
    model,
  };
}
