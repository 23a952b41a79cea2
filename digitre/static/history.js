// The strip of recent drawings. Each can be brought back; they stay in this tab.

const LENGTH = 8;

export class RecentDrawings {
  // What the drawing on the canvas was read as; null while it has not been read.
  result = null;

  #strip;
  #list;
  #restore;
  #entries = []; // { items, image, result }, the newest first

  // `restore` is called with the items of the drawing that someone clicks.
  constructor(strip, list, restore) {
    this.#strip = strip;
    this.#list = list;
    this.#restore = restore;
  }

  // The drawing leaves the canvas: put it into the strip if it was read.
  add(items, image) {
    const { result } = this;
    this.result = null;
    if (result === null) return;
    const others = this.#entries.filter((entry) => entry.items !== items);
    this.entries = [{ items, image, result }, ...others];
  }

  get entries() {
    return this.#entries;
  }

  set entries(entries) {
    this.#entries = entries.slice(0, LENGTH);
    this.#list.replaceChildren(...this.#entries.map((entry) => this.#row(entry)));
    this.#strip.hidden = !this.#entries.length;
  }

  #row({ items, image, result }) {
    const row = document.createElement("li");
    const button = document.createElement("button");
    const picture = document.createElement("img");
    picture.src = image;
    picture.alt = "";
    button.type = "button";
    button.setAttribute("aria-label", `Bring back the drawing read as ${result}`);
    button.append(picture, result);
    button.addEventListener("click", () => this.#restore(items));
    row.append(button);
    return row;
  }
}
