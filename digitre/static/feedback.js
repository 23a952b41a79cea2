// "Right?": the user confirms or corrects an answer. Only then is the drawing saved, with its label.
import { RequestError, requestJSON } from "./api.js";
import { keep, receipts, remove, startReceipts } from "./receipts.js";
import { withArticle } from "./words.js";

const byId = (id) => document.getElementById(id);
const WRITER = "digitre.writer"; // the key of this browser's random ID in its local storage
const MAX_POINTS = 2000; // the server takes no more: then only the picture is saved
const THUMBNAIL = { small: true };

const isOffered = Boolean(byId("feedback")); // whether the server saves drawings
const chips = [...document.querySelectorAll("[data-label]")];

let part = null; // what would be saved: { image(), thumbnail(), strokes }
let saved = null; // the receipt of the saved drawing, until the drawing changes
let version = 0; // of what would be saved: every change is a new one

export function startFeedback() {
  if (!isOffered) return;
  startReceipts();
  byId("confirm").addEventListener("click", ({ target }) => target.dataset.confirm && saveAs(target.dataset.confirm));
  byId("remove").addEventListener("click", removeSaved);
  for (const chip of chips) chip.addEventListener("click", () => saveAs(chip.dataset.label));
}

// The drawing has changed: what was answered and saved belongs to the one before.
export function resetFeedback() {
  version += 1;
  part = saved = null;
  if (!isOffered) return;
  byId("feedback").classList.add("off");
  showStatus("");
  press(null);
}

// Offer to save something with a label: `question` in words, and the labels of the first buttons. `newPart` has
// `image()`, `thumbnail()` and `strokes`, or null.
export function offerFeedback(newPart, question, labels) {
  resetFeedback();
  if (!isOffered) return;
  part = newPart;
  byId("question").textContent = question;
  const buttons = labels.map((label) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.confirm = label;
    button.textContent = labels.length > 1 ? withArticle(label) : `Yes, it's ${withArticle(label)}`;
    return button;
  });
  byId("confirm").replaceChildren(byId("question"), ...buttons);
  byId("feedback").classList.remove("off");
  byId("feedback").classList.toggle("without-labels", !newPart);
}

// Save the drawing with this label: "0" to "9", or "none" if it is not a digit.
export async function saveAs(label) {
  if (!part) return;
  const { strokes } = part;
  const ofVersion = version;
  const previous = saved;
  press(label);
  try {
    const answer = await requestJSON(byId("feedback").dataset.url, {
      body: {
        digit: part.image(),
        label,
        ...(strokes && strokes.flat().length <= MAX_POINTS && { strokes }),
        writer: writerId(),
      },
    });
    const receipt = { ...answer, label, image: part?.thumbnail(THUMBNAIL) };
    if (previous && previous.id !== answer.id) await remove(previous); // one drawing, one label
    if (!receipts().some(({ id }) => id === answer.id)) keep(receipt);
    if (ofVersion !== version) return;
    saved = receipt;
    showStatus(`Saved as ${withArticle(label)}. Thank you!${count()}`, { isRemovable: true });
  } catch (error) {
    if (ofVersion !== version) return;
    press(saved?.label ?? null);
    showStatus(messageOf(error, "Could not save the drawing."), { isRemovable: Boolean(saved) });
  }
}

function count() {
  const { length } = receipts();
  return length > 1 ? ` That makes ${length}.` : "";
}

async function removeSaved() {
  try {
    await remove(saved);
    saved = null;
    press(null);
    showStatus("Removed from the server.");
  } catch (error) {
    showStatus(messageOf(error, "Could not remove the drawing."), { isRemovable: true });
  }
}

const messageOf = (error, otherwise) => (error instanceof RequestError ? error.message : otherwise);

function press(label) {
  for (const chip of chips) chip.setAttribute("aria-pressed", chip.dataset.label === label);
}

function showStatus(text, { isRemovable = false } = {}) {
  byId("saved-text").textContent = text;
  byId("saved").classList.toggle("off", !text);
  byId("confirm").classList.toggle("off", Boolean(text));
  byId("remove").hidden = !isRemovable;
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
