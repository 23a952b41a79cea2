// The strip of the last readings: each can be brought back. They live in this page alone.

const KEPT = 8;

export class Readings {
  #strip;
  #list;
  #bring;
  #kept = []; // { items, image, result }, the newest first
  #result = null; // what the drawing on the canvas was read as last

  constructor(strip, list, bring) {
    this.#strip = strip;
    this.#list = list;
    this.#bring = bring;
  }

  // The drawing on the canvas has been read.
  note(result) {
    this.#result = result;
  }

  // The drawing leaves the canvas: it goes into the strip, if it was read.
  keep(items, image) {
    const left = { items, image, result: this.#result };
    this.#result = null;
    if (left.result === null) return;
    this.#kept = [left, ...this.#kept.filter(({ items }) => items !== left.items)].slice(0, KEPT);
    this.#list.replaceChildren(...this.#kept.map((reading) => this.#row(reading)));
    this.#strip.hidden = false;
  }

  #row(reading) {
    const row = document.createElement("li");
    const button = document.createElement("button");
    const picture = document.createElement("img");
    picture.src = reading.image;
    picture.alt = "";
    button.type = "button";
    button.setAttribute("aria-label", `Bring back the drawing read as ${reading.result}`);
    button.append(picture, reading.result);
    button.addEventListener("click", () => this.#bring(reading.items));
    row.append(button);
    return row;
  }
}
