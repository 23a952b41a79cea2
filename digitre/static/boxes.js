// The digits of a number on the drawing: a box around each, with a tab that chooses it, by pointer or keyboard.
import { SIDE, clip } from "./geometry.js";

const byId = (id) => document.getElementById(id);
const MARGIN = 4; // units around a digit

// Call `onChoice` with the index of the digit that is chosen, or null.
export class Boxes {
  #chosen = null;
  #onChoice;

  constructor(onChoice) {
    this.#onChoice = onChoice;
  }

  // Show the digits of a number: { character, box } with boxes in units.
  show(digits) {
    this.#chosen = null;
    byId("boxes").replaceChildren(...digits.map((digit, index) => this.#newBox(digit, index)));
  }

  hide() {
    this.#chosen = null;
    byId("boxes").replaceChildren();
  }

  choose(index) {
    this.#chosen = index;
    [...byId("boxes").children].forEach((each, place) => {
      each.classList.toggle("chosen", place === index);
      each.firstChild.setAttribute("aria-pressed", place === index);
    });
    this.#onChoice(index);
  }

  #newBox({ character, box }, index) {
    const [left, top] = [box.left - MARGIN, box.top - MARGIN].map((value) => clip(value, 0, SIDE));
    const [right, bottom] = [box.right + MARGIN, box.bottom + MARGIN].map((value) => clip(value, 0, SIDE));
    const frame = document.createElement("div");
    const share = (value) => `${(100 * value) / SIDE}%`;
    Object.assign(frame.style, {
      left: share(left),
      top: share(top),
      width: share(right - left),
      height: share(bottom - top),
    });
    const tab = document.createElement("button");
    tab.type = "button";
    tab.textContent = character;
    tab.setAttribute("aria-label", `Digit ${index + 1}: ${character}`);
    tab.setAttribute("aria-pressed", false);
    tab.addEventListener("click", () => this.choose(this.#chosen === index ? null : index));
    frame.append(tab);
    return frame;
  }
}
