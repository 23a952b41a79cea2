// The page: connects the drawing pad, the controls, the reader and the answer.
import { clearAnswer, hideMessage, showDigit, showError, showGlance, showHint, showVerdict } from "./answer.js";
import { isWaiting, slowness } from "./api.js";
import { Boxes } from "./boxes.js";
import { compare, resetComparison, startComparison } from "./comparison.js";
import { device, glance, startDevice } from "./device.js";
import { DrawingPad } from "./drawing_pad.js";
import { offerExamples } from "./examples.js";
import { toDataURL, toSmallCanvas } from "./export.js";
import { offerFeedback, resetFeedback, startFeedback } from "./feedback.js";
import { chooseFile, listenForFiles, offerDownloads } from "./files.js";
import { RecentDrawings } from "./history.js";
import { listenForKeys } from "./keyboard.js";
import { NetworkView } from "./network_view.js";
import { Reader } from "./reader.js";
import { keepSession } from "./session.js";

const byId = (id) => document.getElementById(id);
const INVITATION = byId("probability").dataset.invitation;

const pad = new DrawingPad(byId("canvas"));
const recent = new RecentDrawings(byId("strip"), byId("readings"), restore);
const reader = new Reader(pad);
const view = new NetworkView(pad);
const boxes = new Boxes(chooseDigit);
const isLive = () => byId("realtime").checked;
let verdict = null; // on the drawing as it is

pad.addEventListener("change", () => {
  byId("paper").classList.toggle("empty", pad.empty);
  byId("undo").disabled = !pad.canUndo;
  byId("redo").disabled = !pad.canRedo;
  byId("download").disabled = byId("copy").disabled = pad.empty;
  if (verdict) forgetVerdict();
  if (pad.empty) {
    reader.cancel();
    clearAnswer(INVITATION);
  } else if (isLive()) {
    reader.follow();
  } else {
    reader.cancel();
    if (!pad.isDrawing) clearAnswer("Press Read when you're done.");
  }
  reader.glance();
});

// The answer was about the drawing before this change.
function forgetVerdict() {
  verdict = recent.result = null;
  boxes.hide();
  resetFeedback();
  resetComparison();
}

// --- answers ---

reader.addEventListener("glance", ({ detail }) => {
  view.show(detail);
  if (detail && !verdict && isLive()) showGlance(detail);
});
reader.addEventListener("waiting", () => showHint("Still waiting for the server…"));

reader.addEventListener("verdict", ({ detail }) => {
  verdict = detail;
  recent.result = verdict.result;
  showVerdict(verdict);
  boxes.show(verdict.number && !verdict.reason ? verdict.number.digits : []);
  offerLabels();
  compare(() => pad.toSmallCanvas()?.toDataURL("image/png") ?? pad.toDataURL({ small: true }), verdict);
});

reader.addEventListener("failure", ({ detail }) => {
  forgetVerdict();
  clearAnswer("Not read yet.");
  showError(detail.message, { label: "Try again", action: () => reader.read() });
});

// Reading goes on once there is a connection, or a network on this device.
const readIfUnread = () => {
  if (!pad.empty && !verdict && isLive()) reader.follow();
  reader.glance();
};
device.addEventListener("ready", readIfUnread);
addEventListener("online", () => {
  hideMessage();
  readIfUnread();
});

// Offer to confirm or correct the answer.
function offerLabels() {
  const whole = { image: () => pad.toDataURL(), thumbnail: (options) => pad.toDataURL(options), strokes: pad.strokes };
  const { reason, number, candidates, digit } = verdict;
  if (number) {
    offerFeedback(null, pad.strokes ? "Is a digit wrong? Tap it." : "Tap a digit to see its bars.", []);
  } else if (digit !== null) {
    offerFeedback(whole, "Right?", [String(digit)]);
  } else if (reason === "unsure") {
    offerFeedback(whole, "Which?", candidates.slice(0, 2).map((each) => String(each.digit)));
  } else {
    offerFeedback(whole, "What is it?", []);
  }
}

// A digit of a number was chosen on the drawing: its bars, what the network sees of it, and its own label.
function chooseDigit(index) {
  if (!verdict?.number) return;
  if (index === null) {
    view.show(glance(pad.toSmallCanvas()));
    showVerdict({ ...verdict, steps: null });
    offerLabels();
    return;
  }
  const digit = verdict.number.digits[index];
  showDigit(digit);
  const items = pad.strokes && digit.strokes.length ? digit.strokes.map((each) => pad.items[each]) : null;
  const image = () => toDataURL(items);
  const part = items && { image, thumbnail: image, strokes: items.map(({ points }) => points) };
  if (items) view.show(glance(toSmallCanvas(items)), items);
  if (part) offerFeedback(part, `Digit ${index + 1}:`, [digit.character]);
}

function submit() {
  if (pad.empty) showHint("Draw a digit first.");
  else reader.read({ byServer: !isLive() });
}

// --- another drawing on the canvas ---

// Put the drawing that is there into the strip, then change it.
function replaceDrawing(change) {
  pad.settle();
  if (!pad.empty) recent.add(pad.items, pad.toDataURL({ small: true }));
  change();
}

function restore(items) {
  replaceDrawing(() => pad.restore(items));
  if (!isLive()) reader.read();
}

const clear = () => replaceDrawing(() => pad.clear());

async function open(file) {
  try {
    const image = await createImageBitmap(file);
    replaceDrawing(() => pad.showImage(image));
    if (!isLive()) reader.read();
  } catch {
    const another = { label: "Choose another", action: chooseFile };
    showError("Couldn't open that file. Use PNG, JPEG or WebP.", another);
  }
}

// --- the controls ---

for (const radio of document.querySelectorAll("input[name=mode]")) {
  radio.addEventListener("change", () => {
    pad.mode = radio.value;
    pad.repaint();
  });
}

pad.addEventListener("nothing", () => showHint("There is nothing to move yet. Draw first."));

byId("width").addEventListener("input", () => {
  pad.width = Number(byId("width").value);
  byId("width-value").textContent = byId("width").value;
  byId("width").setAttribute("aria-valuetext", `${pad.width} of 250 wide`);
});

byId("threshold").addEventListener("input", () => {
  reader.threshold = byId("threshold").value;
  byId("threshold-value").textContent = `${Math.round(100 * reader.threshold)}%`;
  byId("threshold").setAttribute("aria-valuetext", `${Math.round(100 * reader.threshold)} per cent`);
  if (!pad.empty && (verdict || isLive())) reader.read({ byServer: !isLive() });
});

byId("realtime").addEventListener("change", () => {
  byId("submit").hidden = isLive();
  if (isLive() && !pad.empty) reader.read();
});

byId("how").addEventListener("toggle", () => {
  if (byId("how").open && !pad.empty) reader.read();
});

byId("submit").addEventListener("click", submit);
byId("clear").addEventListener("click", clear);
byId("undo").addEventListener("click", () => pad.undo());
byId("redo").addEventListener("click", () => pad.redo());
byId("keys-open").addEventListener("click", () => byId("keys").showModal());
slowness.addEventListener("change", () => (byId("progress").hidden = !isWaiting()));

listenForFiles(open);
listenForKeys(pad, { submit, clear, leave: () => verdict && boxes.choose(null) });
offerDownloads(pad, reader);
offerExamples(pad);
startFeedback();
startComparison();
startDevice();
keepSession(pad, recent);
