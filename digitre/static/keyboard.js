// The keys. Single keys act only while the canvas or the correction has the focus, so that none acts by accident (WCAG 2.1.4).
import { saveAs } from "./feedback.js";

const byId = (id) => document.getElementById(id);

const MODES = { d: "draw", l: "line", e: "erase", m: "move" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 6; // units that an arrow key moves the pen; with Shift, 1
const ZOOM = 1.1;

// `submit` reads the drawing, `clear` clears it, `leave` leaves what was chosen.
export function listenForKeys(pad, { submit, clear, leave }) {
  document.addEventListener("pointerdown", () => document.body.classList.remove("by-keys"));
  document.addEventListener("keydown", (event) => {
    document.body.classList.add("by-keys");
    const { target } = event;
    if (target.closest("dialog")) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      const isRedo = key === "y" || (key === "z" && event.shiftKey);
      if (key !== "z" && !isRedo) return;
      event.preventDefault();
      if (isRedo) pad.redo();
      else pad.undo();
    } else if (event.key === "Escape") {
      leave();
    } else if (event.altKey) {
      return;
    } else if (target === byId("canvas")) {
      if (onCanvas(pad, event, { submit, clear })) event.preventDefault();
    } else if (target.closest("#feedback") && /^\d$/.test(key)) {
      saveAs(key);
    }
  });
}

// Whether the key means something on the canvas.
function onCanvas(pad, event, { submit, clear }) {
  const { key, shiftKey } = event;
  const arrow = ARROWS[key];
  if (arrow) {
    const [right, down] = arrow.map((direction) => direction * (shiftKey ? 1 : STEP));
    if (pad.mode === "move") pad.transform(right, down);
    else pad.movePen(right, down);
  } else if (key === " " && pad.mode !== "move") {
    pad.togglePen();
  } else if (pad.mode === "move" && (key === "+" || key === "-")) {
    pad.transform(0, 0, key === "+" ? ZOOM : 1 / ZOOM);
  } else if (key === "Enter") {
    submit();
  } else if (key === "Delete") {
    clear();
  } else if (key === "?") {
    byId("keys").showModal();
  } else if (/^\d$/.test(key)) {
    saveAs(key);
  } else if (MODES[key.toLowerCase()]) {
    byId(`mode-${MODES[key.toLowerCase()]}`).checked = true;
    pad.mode = MODES[key.toLowerCase()];
    pad.repaint();
  } else {
    return false;
  }
  return true;
}
