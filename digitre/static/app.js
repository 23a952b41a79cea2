// The page: connects the drawing pad, the controls, the reader and the answer.
import { clearAnswer, showError, showHint } from "./answer.js";
import { isWaiting, slowness } from "./api.js";
import { startDevice } from "./device.js";
import { DrawingPad } from "./drawing_pad.js";
import { resetFeedback, setResult, startFeedback } from "./feedback.js";
import { chooseFile, listenForFiles, offerDownloads } from "./files.js";
import { RecentDrawings } from "./history.js";
import { listenForKeys } from "./keyboard.js";
import { Reader } from "./reader.js";

const byId = (id) => document.getElementById(id);

const pad = new DrawingPad(byId("canvas"));
const recent = new RecentDrawings(byId("strip"), byId("readings"), restore);
const reader = new Reader(pad, (result) => {
  if (result !== null) recent.result = result;
  setResult(result);
});
const isLive = () => byId("realtime").checked;

pad.addEventListener("change", () => {
  byId("hint").hidden = !pad.empty;
  byId("undo").disabled = !pad.canUndo;
  byId("redo").disabled = !pad.canRedo;
  byId("download").disabled = byId("copy").disabled = pad.empty;
  // The last answer was about the drawing before this change.
  recent.result = null;
  resetFeedback();
  if (isLive() && !pad.empty) {
    reader.readSoon();
  } else {
    reader.cancel();
    clearAnswer(isLive() ? "Start drawing: the answer appears here." : "Press Read when you're done.");
    setResult(null);
  }
});

function submit() {
  if (pad.empty) {
    clearAnswer();
    showHint("Draw a digit first.");
  } else {
    reader.read();
  }
}

// --- another drawing on the canvas ---

// Put the drawing that is there into the strip, then change it.
function replaceDrawing(change) {
  pad.settle();
  if (!pad.empty) recent.add(pad.items, pad.toDataURL());
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

byId("width").addEventListener("input", () => {
  pad.width = Number(byId("width").value);
  byId("width-value").textContent = byId("width").value;
});

byId("threshold").addEventListener("input", () => {
  reader.threshold = byId("threshold").value;
  byId("threshold-value").textContent = `${Math.round(100 * reader.threshold)}%`;
  if (!pad.empty && byId("result").textContent) reader.readSoon();
});

byId("realtime").addEventListener("change", () => {
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
listenForKeys(pad, { submit, clear });
offerDownloads(pad, reader);
startFeedback(pad);
startDevice();
