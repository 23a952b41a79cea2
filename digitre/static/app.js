// The page: buttons, the request, the answer.
import { DrawingPad } from "./drawing_pad.js";

const byId = (id) => document.getElementById(id);
const pad = new DrawingPad(byId("canvas"));
const result = byId("result");
const probability = byId("probability");
const message = byId("message");

let request = null; // the one under way: a newer one replaces it

function show(answer) {
  result.textContent = answer.result;
  probability.textContent = answer.probability;
  message.hidden = true;
}

function complain(text) {
  result.textContent = "";
  probability.textContent = "";
  message.textContent = text;
  message.hidden = false;
}

async function submit() {
  if (pad.empty) {
    complain("There is nothing to read yet: draw a digit first.");
    return;
  }
  request?.abort();
  const mine = (request = new AbortController());
  try {
    const response = await fetch(result.dataset.url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify([{ digit: pad.toDataURL() }]),
      signal: mine.signal,
    });
    const answer = await response.json();
    if (request !== mine) return;
    if (response.ok) show(answer);
    else complain(answer.error.message);
  } catch {
    // Aborted by a newer request: that one will answer.
    if (request !== mine) return;
    complain("The server did not answer. Your drawing is still here: press Submit to try again.");
  }
}

function clear() {
  request?.abort();
  request = null;
  pad.clear();
  result.textContent = "";
  probability.textContent = "Draw, then press Submit.";
  message.hidden = true;
}

byId("submit").addEventListener("click", submit);
byId("clear").addEventListener("click", clear);
pad.addEventListener("change", () => {
  byId("hint").hidden = !pad.empty;
});
