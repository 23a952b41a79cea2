// The receipts of saved drawings stay in this browser, so that its drawings can be seen and deleted later, one or all.
import { requestJSON } from "./api.js";
import { withArticle } from "./words.js";

const byId = (id) => document.getElementById(id);
const KEY = "digitre.receipts";
const MOST = 200; // older ones are forgotten

// [{ id, receipt, label, image }], the newest first.
export function receipts() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return []; // the browser blocks local storage, or something else wrote there
  }
}

function store(list) {
  try {
    localStorage.setItem(KEY, JSON.stringify(list.slice(0, MOST)));
  } catch {
    // no room, or no local storage: the drawing can still be removed while its answer is shown
  }
  byId("mine").textContent = list.length ? `Your saved drawings (${list.length})` : "Your saved drawings";
}

export const keep = (receipt) => store([receipt, ...receipts()]);

// Delete a saved drawing from the server, and forget its receipt. Throws what `requestJSON` throws.
export async function remove({ id, receipt }) {
  const url = `${byId("feedback").dataset.url}/${encodeURIComponent(id)}`;
  await requestJSON(url, { method: "DELETE", body: { receipt } });
  store(receipts().filter((each) => each.id !== id));
}

function show() {
  const list = receipts();
  byId("mine-empty").hidden = Boolean(list.length);
  byId("remove-all").hidden = !list.length;
  byId("mine-list").replaceChildren(...list.map(rowOf));
}

function rowOf(entry) {
  const row = document.createElement("li");
  const picture = document.createElement("img");
  const button = document.createElement("button");
  picture.src = entry.image;
  picture.alt = `A drawing saved as ${withArticle(entry.label)}`;
  button.type = "button";
  button.textContent = "Delete";
  button.setAttribute("aria-label", `Delete the drawing saved as ${withArticle(entry.label)}`);
  button.addEventListener("click", () => removeThese([entry]));
  row.append(picture, withArticle(entry.label), button);
  return row;
}

async function removeThese(list) {
  byId("mine-status").textContent = "";
  try {
    for (const entry of list) await remove(entry);
    byId("mine-status").textContent = list.length > 1 ? "All deleted." : "Deleted.";
  } catch (error) {
    byId("mine-status").textContent = error.message;
  }
  show();
}

export function startReceipts() {
  store(receipts());
  byId("mine").addEventListener("click", () => {
    byId("mine-status").textContent = "";
    show();
    byId("mine-dialog").showModal();
  });
  byId("remove-all").addEventListener("click", () => removeThese(receipts()));
}
