// The page: controls, the request, the answer.
import { DrawingPad } from "./drawing_pad.js";

const byId = (id) => document.getElementById(id);
const pad = new DrawingPad(byId("canvas"));

const DEBOUNCE = 40; // milliseconds without a change before a drawing in the making is sent
const SLOW = 300; // milliseconds after which the page shows that it waits
const WELCOME = "It is read while you draw.";

let request = null; // the one under way: a newer one replaces it
let timer = 0;
let threshold = null; // the server's own, until the slider is moved

// --- the answer ---

const bars = [...byId("bars").children].map((row) => ({
  row,
  bar: row.querySelector(".bar > span"),
  value: row.querySelector(".value"),
}));

function percent(probability) {
  return `${(100 * probability).toFixed(1)}%`;
}

function show(answer) {
  byId("result").textContent = answer.result;
  byId("probability").textContent = answer.probability;
  byId("message").hidden = true;
  const all = [...answer.probabilities, answer.not_a_digit];
  const best = answer.digit ?? (answer.reason === "unsure" ? -1 : 10);
  bars.forEach(({ row, bar, value }, index) => {
    bar.style.transform = `scaleX(${all[index]})`;
    value.textContent = percent(all[index]);
    row.classList.toggle("best", index === best);
  });
}

function showSteps(steps) {
  const pictures = byId("steps").querySelectorAll("img");
  steps.forEach((step, index) => (pictures[index].src = step.image));
  byId("steps").hidden = false;
  byId("how-empty").hidden = true;
}

function showNothing() {
  byId("steps").hidden = true;
  byId("how-empty").hidden = false;
  byId("result").textContent = "";
  byId("probability").textContent = WELCOME;
  byId("message").hidden = true;
  for (const { row, bar, value } of bars) {
    bar.style.transform = "scaleX(0)";
    value.textContent = "";
    row.classList.remove("best");
  }
}

function complain(text) {
  showNothing();
  byId("probability").textContent = "";
  byId("message-text").textContent = text;
  byId("message").hidden = false;
}

// --- the request ---

function forget() {
  clearTimeout(timer);
  request?.abort();
  request = null;
  byId("progress").hidden = true;
}

async function read() {
  forget();
  const mine = (request = new AbortController());
  const waiting = setTimeout(() => (byId("progress").hidden = false), SLOW);
  try {
    const query = new URLSearchParams();
    if (threshold !== null) query.set("threshold", threshold);
    if (byId("how").open) query.set("steps", "1");
    const asked = `${query}` ? `?${query}` : "";
    const response = await fetch(byId("result").dataset.url + asked, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify([{ digit: pad.toDataURL() }]),
      signal: mine.signal,
    });
    const answer = await response.json();
    if (request !== mine) return;
    if (answer.steps) showSteps(answer.steps);
    if (response.ok) show(answer);
    else complain(answer.error.message);
  } catch {
    // Replaced by a newer request: that one will answer.
    if (request !== mine) return;
    complain("The server did not answer. Your drawing is still here.");
  } finally {
    clearTimeout(waiting);
    if (request === mine) byId("progress").hidden = true;
  }
}

function readSoon() {
  clearTimeout(timer);
  timer = setTimeout(read, DEBOUNCE);
}

function submit() {
  if (pad.empty) complain("There is nothing to read yet: draw a digit first.");
  else read();
}

// --- the controls ---

pad.addEventListener("change", () => {
  byId("hint").hidden = !pad.empty;
  byId("undo").disabled = !pad.canUndo;
  byId("redo").disabled = !pad.canRedo;
  if (pad.empty) {
    forget();
    showNothing();
  } else if (byId("realtime").checked) {
    readSoon();
  }
});

for (const radio of document.querySelectorAll("input[name=mode]")) {
  radio.addEventListener("change", () => (pad.mode = radio.value));
}

byId("width").addEventListener("input", () => {
  pad.width = Number(byId("width").value);
  byId("width-value").textContent = byId("width").value;
});

byId("threshold").addEventListener("input", () => {
  threshold = byId("threshold").value;
  byId("threshold-value").textContent = `${Math.round(100 * threshold)}%`;
  if (!pad.empty && byId("result").textContent) readSoon();
});

byId("how").addEventListener("toggle", () => {
  if (byId("how").open && !pad.empty) read();
});

byId("submit").addEventListener("click", submit);
byId("retry").addEventListener("click", submit);
byId("clear").addEventListener("click", () => pad.clear());
byId("undo").addEventListener("click", () => pad.undo());
byId("redo").addEventListener("click", () => pad.redo());

const MODES = { d: "draw", l: "line", e: "erase" };

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "z") {
    event.preventDefault();
    if (event.shiftKey) pad.redo();
    else pad.undo();
  } else if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (event.key === "Enter" && !event.target.matches("button, a, summary")) {
    submit();
  } else if (event.key === "Delete") {
    pad.clear();
  } else if (MODES[key]) {
    byId(`mode-${MODES[key]}`).click();
  }
});
