// "Right?": what the drawing really is, saved only when somebody says so.
import { Refused, ask } from "./api.js";

const byId = (id) => document.getElementById(id);
const WRITER = "digitre.writer"; // a random name, so that one person's drawings can be told apart

let pad = null;
let result = null; // what the drawing was read as
let saved = null; // { id, receipt } of what was saved of this drawing
let drawing = 0; // counts the drawings, each change another one
let available = false;

export const correcting = {
  // Offer it where the server can save.
  async begin(drawingPad) {
    pad = drawingPad;
    const { features = [] } = await ask(byId("correct").dataset.health).catch(() => ({}));
    available = features.includes("save");
    byId("kept").hidden = !available;
    byId("not-kept").hidden = available;
    this.read(result); // the answer may have been here first
  },

  // The drawing is another one now: what was said and saved of the one before is its own.
  changed() {
    drawing += 1;
    result = saved = null;
    showSaid("");
  },

  // The drawing was read as this; null where it is not read, or not any more.
  read(newResult) {
    result = newResult;
    byId("correct").hidden = !available || result === null;
    byId("right").textContent = result === "Huh..." ? "Yes, it is no digit" : `Yes, it is a ${result}`;
  },

  label,
};

async function label(digit) {
  if (!available || result === null || pad.empty) return;
  const { strokes } = pad;
  const mine = drawing;
  const before = saved;
  try {
    const now = await ask(byId("correct").dataset.url, {
      body: {
        digit: pad.toDataURL(),
        label: digit,
        ...(strokes && { strokes }),
        writer: writer(),
      },
    });
    if (before && before.id !== now.id) await remove(before); // it is one thing, not two
    if (mine !== drawing) return;
    saved = now;
    showSaid(digit === "none" ? "Saved as no digit. Thank you!" : `Saved as a ${digit}. Thank you!`);
    byId("forget").hidden = false;
  } catch (error) {
    if (mine === drawing) showSaid(error instanceof Refused ? error.message : "It could not be saved.");
  }
}

const remove = ({ id, receipt }) =>
  ask(`${byId("correct").dataset.url}/${id}`, { method: "DELETE", body: { receipt } });

async function forget() {
  try {
    await remove(saved);
    saved = null;
    showSaid("Deleted.");
  } catch (error) {
    showSaid(error instanceof Refused ? error.message : "It could not be deleted.");
    byId("forget").hidden = false;
  }
}

function showSaid(text) {
  byId("saved-text").textContent = text;
  byId("saved").hidden = !text;
  byId("forget").hidden = true;
}

function writer() {
  try {
    const known = localStorage.getItem(WRITER);
    if (known) return known;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const made = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    localStorage.setItem(WRITER, made);
    return made;
  } catch {
    return undefined; // where the browser keeps nothing
  }
}

byId("right").addEventListener("click", () => label(result === "Huh..." ? "none" : result));
byId("forget").addEventListener("click", forget);
for (const button of document.querySelectorAll("[data-label]")) {
  button.addEventListener("click", () => label(button.dataset.label));
}
