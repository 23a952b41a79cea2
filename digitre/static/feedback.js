// "Correct?": the user confirms or corrects an answer. Only then is the drawing saved, with its label.
import { withArticle } from "./answer.js";
import { RequestError, requestJSON } from "./api.js";

const byId = (id) => document.getElementById(id);
const WRITER = "digitre.writer"; // the key of this browser's random ID in its local storage

let pad = null;
let available = false; // whether the server saves drawings
let result = null; // what the drawing was read as
let saved = null; // { id, receipt } of the saved drawing, until the drawing changes
let version = 0; // of the drawing: every change is a new one

// Offer feedback if the server saves drawings.
export async function startFeedback(drawingPad) {
  pad = drawingPad;
  const health = await requestJSON(byId("feedback").dataset.health).catch(() => ({}));
  available = (health.features ?? []).includes("save");
  byId("saving-on").hidden = !available;
  byId("saving-off").hidden = available;
  setResult(result); // the first answer may have come before
}

// The drawing has changed: what was answered and saved belongs to the one before.
export function resetFeedback() {
  version += 1;
  result = saved = null;
  showStatus("");
}

// The drawing was read as `newResult`; null if it has no answer now.
export function setResult(newResult) {
  result = newResult;
  byId("feedback").hidden = !available || result === null;
  byId("right").textContent = `Yes, it's ${withArticle(labelOf(result))}`;
}

const MAX_POINTS = 2000; // the server takes no more: then only the picture is saved
const labelOf = (answer) => (answer === "Huh..." ? "none" : answer);

// Save the drawing with this label: "0" to "9", or "none" if it is not a digit.
export async function saveAs(label) {
  if (!available || result === null || pad.empty) return;
  const { strokes } = pad;
  const ofVersion = version;
  const previous = saved;
  try {
    const answer = await requestJSON(byId("feedback").dataset.url, {
      body: {
        digit: pad.toDataURL(),
        label,
        ...(strokes && strokes.flat().length <= MAX_POINTS && { strokes }),
        writer: writerId(),
      },
    });
    if (previous && previous.id !== answer.id) await remove(previous); // one drawing, one label
    if (ofVersion !== version) return;
    saved = answer;
    showStatus(`Saved as ${withArticle(label)}. Thank you!`);
    byId("remove").hidden = false;
  } catch (error) {
    if (ofVersion === version) showStatus(messageOf(error, "Could not save the drawing."));
  }
}

const remove = ({ id, receipt }) =>
  requestJSON(`${byId("feedback").dataset.url}/${id}`, { method: "DELETE", body: { receipt } });

async function removeSaved() {
  try {
    await remove(saved);
    saved = null;
    showStatus("Removed from the server.");
  } catch (error) {
    showStatus(messageOf(error, "Could not remove the drawing."));
    byId("remove").hidden = false;
  }
}

const messageOf = (error, otherwise) => (error instanceof RequestError ? error.message : otherwise);

function showStatus(text) {
  byId("saved-text").textContent = text;
  byId("saved").hidden = !text;
  byId("remove").hidden = true;
}

// A random ID, so that the drawings of one person can be told apart from those of others.
function writerId() {
  try {
    const stored = localStorage.getItem(WRITER);
    if (stored) return stored;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const id = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    localStorage.setItem(WRITER, id);
    return id;
  } catch {
    return undefined; // the browser blocks local storage
  }
}

byId("right").addEventListener("click", () => saveAs(labelOf(result)));
byId("remove").addEventListener("click", removeSaved);
for (const button of document.querySelectorAll("[data-label]")) {
  button.addEventListener("click", () => saveAs(button.dataset.label));
}
