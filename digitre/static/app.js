// The page: the controls, and when what is asked.
import { complain, say, show, showNothing } from "./answer.js";
import { correcting } from "./feedback.js";
import { DrawingPad } from "./drawing_pad.js";
import { toGreyDataURL } from "./png.js";
import { Readings } from "./history.js";
import { Refused, ask, isWaiting, waiting } from "./api.js";

const byId = (id) => document.getElementById(id);

const DEBOUNCE = 40; // milliseconds without a change before a drawing in the making is sent
const LONG = 100_000; // characters of a picture that is no word of a command any more
const VERY_SLOW = 1500; // milliseconds after which the page says that it waits for a reading

const pad = new DrawingPad(byId("canvas"));
const url = new URL(byId("result").dataset.url, location.href);
const readings = new Readings(byId("strip"), byId("readings"), bring);

let request = null; // the one under way: a newer one replaces it
let timer = 0;
let threshold = null; // the server's own, until the slider is moved

// --- reading ---

function forget() {
  clearTimeout(timer);
  request?.abort();
  request = null;
}

async function read() {
  forget();
  const mine = (request = new AbortController());
  const waitingLong = setTimeout(
    () => say("The server is slow; the answer is still awaited.", { retry: false }),
    VERY_SLOW,
  );
  const asked = new URL(url);
  if (threshold !== null) asked.searchParams.set("threshold", threshold);
  if (byId("how").open) {
    asked.searchParams.set("steps", "1");
    asked.searchParams.set("explain", "1");
  }
  try {
    // Where its way is shown, the whole drawing goes that way.
    const small = byId("how").open ? null : pad.toSmallCanvas();
    const digit = small ? await toGreyDataURL(small) : pad.toDataURL({ small: true });
    const answer = await ask(asked, { body: [{ digit }], signal: mine.signal });
    if (request !== mine) return;
    show(answer);
    readings.note(answer.result);
    correcting.read(answer.result);
  } catch (error) {
    // Replaced by a newer request: that one will answer.
    if (request !== mine) return;
    correcting.read(null);
    complain(error instanceof Refused ? error.message : "Something went wrong on this page.");
  } finally {
    clearTimeout(waitingLong);
  }
}

waiting.addEventListener("change", () => (byId("progress").hidden = !isWaiting()));

function readSoon() {
  clearTimeout(timer);
  timer = setTimeout(read, DEBOUNCE);
}

function submit() {
  if (pad.empty) complain("There is nothing to read yet: draw a digit first.");
  else read();
}

pad.addEventListener("change", () => {
  byId("hint").hidden = !pad.empty;
  byId("undo").disabled = !pad.canUndo;
  byId("redo").disabled = !pad.canRedo;
  // What was said is of the drawing as it was.
  readings.note(null);
  correcting.changed();
  byId("download").disabled = byId("copy").disabled = pad.empty;
  const realtime = byId("realtime").checked;
  if (realtime && !pad.empty) {
    readSoon();
  } else {
    forget();
    showNothing({ realtime });
    correcting.read(null);
  }
});

// --- drawings that come and go ---

// Another drawing takes the canvas; the one that was there goes into the strip.
function replace(change) {
  pad.settle();
  if (!pad.empty) readings.keep(pad.items, pad.toDataURL());
  change();
}

function bring(items) {
  replace(() => pad.bring(items));
  if (!byId("realtime").checked) read();
}

const clear = () => replace(() => pad.clear());

async function open(file) {
  if (!file) return;
  try {
    const image = await createImageBitmap(file);
    replace(() => pad.showPicture(image));
    if (!byId("realtime").checked) read();
  } catch {
    complain("This file is no picture that can be opened here: try a PNG or a JPEG.");
  }
}

const pictureIn = (transfer) =>
  [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/")) ?? transfer?.files?.[0];

byId("file").addEventListener("change", () => {
  open(byId("file").files[0]);
  byId("file").value = ""; // the same file may be chosen again
});
byId("open").addEventListener("click", () => byId("file").click());
document.addEventListener("paste", (event) => open(pictureIn(event.clipboardData)));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  open(pictureIn(event.dataTransfer));
});

byId("download").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = pad.toDataURL();
  const result = byId("result").textContent;
  link.download = /^\d$/.test(result) ? `digit-${result}.png` : "drawing.png";
  link.click();
});

byId("copy").addEventListener("click", async () => {
  const picture = pad.toSmallCanvas()?.toDataURL("image/png") ?? pad.toDataURL({ small: true });
  const asked = new URL(url);
  if (threshold !== null) asked.searchParams.set("threshold", threshold);
  // A shell takes only so much in a word.
  const sent = picture.length < LONG ? `-d '${picture}'` : `-d @- <<'END'\n${picture}\nEND`;
  const line = `curl '${asked.href}' ${sent}`;
  try {
    await navigator.clipboard.writeText(line);
    byId("copy").textContent = "Copied";
    setTimeout(() => (byId("copy").textContent = "Copy curl"), 2000);
  } catch {
    // Without HTTPS a page may not write to the clipboard: then a person copies it.
    byId("line").value = line;
    byId("line-box").showModal();
    byId("line").select();
  }
});

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
  threshold = byId("threshold").value;
  byId("threshold-value").textContent = `${Math.round(100 * threshold)}%`;
  if (!pad.empty && byId("result").textContent) readSoon();
});

byId("realtime").addEventListener("change", () => {
  if (byId("realtime").checked && !pad.empty) read();
});

byId("how").addEventListener("toggle", () => {
  if (byId("how").open && !pad.empty) read();
});

byId("submit").addEventListener("click", submit);
byId("retry").addEventListener("click", submit);
byId("clear").addEventListener("click", clear);
byId("undo").addEventListener("click", () => pad.undo());
byId("redo").addEventListener("click", () => pad.redo());
byId("keys-open").addEventListener("click", () => byId("keys").showModal());

// --- the keyboard ---

const MODES = { d: "draw", l: "line", e: "erase", m: "move" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FAR = 6; // units that an arrow key goes; with Shift, 1

function onCanvas(event) {
  const arrow = ARROWS[event.key];
  if (arrow) {
    const [right, down] = arrow.map((step) => step * (event.shiftKey ? 1 : FAR));
    if (pad.mode === "move") pad.transform(right, down);
    else pad.movePen(right, down);
  } else if (event.key === " " && pad.mode !== "move") {
    pad.togglePen();
  } else if (pad.mode === "move" && (event.key === "+" || event.key === "-")) {
    pad.transform(0, 0, event.key === "+" ? 1.1 : 1 / 1.1);
  } else {
    return false;
  }
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest("dialog")) return;
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "z") {
    event.preventDefault();
    if (event.shiftKey) pad.redo();
    else pad.undo();
  } else if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (event.target === byId("canvas") && onCanvas(event)) {
    event.preventDefault();
  } else if (event.key === "Enter" && !event.target.matches("button, a, summary, input[type=file]")) {
    submit();
  } else if (event.key === "Delete") {
    clear();
  } else if (event.key === "?") {
    byId("keys").showModal();
  } else if (/^\d$/.test(key)) {
    correcting.label(key);
  } else if (MODES[key]) {
    byId(`mode-${MODES[key]}`).click();
  }
});

byId("canvas").addEventListener(
  "wheel",
  (event) => {
    if (pad.mode !== "move" || pad.empty) return;
    event.preventDefault();
    if (event.deltaY) pad.transform(0, 0, event.deltaY < 0 ? 1.1 : 1 / 1.1);
  },
  { passive: false },
);

correcting.begin(pad);
