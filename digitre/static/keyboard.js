// The keys: shortcuts on the whole page, and on the canvas a pen to draw with.
import { saveAs } from "./feedback.js";

const byId = (id) => document.getElementById(id);

const MODES = { d: "draw", l: "line", e: "erase", m: "move" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 6; // units that an arrow key moves the pen; with Shift, 1
const ZOOM = 1.1;

// `submit` reads the drawing, `clear` clears it.
export function listenForKeys(pad, { submit, clear }) {
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("dialog")) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === "z") {
      event.preventDefault();
      if (event.shiftKey) pad.redo();
      else pad.undo();
    } else if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    } else if (event.target === byId("canvas") && handleOnCanvas(pad, event)) {
      event.preventDefault();
    } else if (event.key === "Enter" && !event.target.matches("button, a, summary, input[type=file]")) {
      submit();
    } else if (event.key === "Delete") {
      clear();
    } else if (event.key === "?") {
      byId("keys").showModal();
    } else if (/^\d$/.test(key)) {
      saveAs(key);
    } else if (MODES[key]) {
      byId(`mode-${MODES[key]}`).click();
    }
  });
}

// Whether the key means something on the canvas.
function handleOnCanvas(pad, { key, shiftKey }) {
  const arrow = ARROWS[key];
  if (arrow) {
    const [right, down] = arrow.map((direction) => direction * (shiftKey ? 1 : STEP));
    if (pad.mode === "move") pad.transform(right, down);
    else pad.movePen(right, down);
  } else if (key === " " && pad.mode !== "move") {
    pad.togglePen();
  } else if (pad.mode === "move" && (key === "+" || key === "-")) {
    pad.transform(0, 0, key === "+" ? ZOOM : 1 / ZOOM);
  } else {
    return false;
  }
  return true;
}
