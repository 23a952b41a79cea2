// The drawing and the strip survive a reload of the page, in this tab only.

const KEY = "digitre.session";

// Restore what was kept into the pad and the strip, then keep what changes.
export async function keepSession(pad, recent) {
  const kept = load();
  if (kept) {
    recent.entries = (kept.entries ?? []).filter(({ items }) => isDrawing(items));
    if (isDrawing(kept.items)) pad.restore(kept.items);
    else if (kept.image) await showImage(pad, kept.image);
  }
  addEventListener("pagehide", () => store(pad, recent));
}

function load() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null; // the browser blocks it, or something else wrote there
  }
}

// Whether these are strokes: an image does not survive as JSON.
const isStrokes = (items) => items.every(({ mode }) => mode !== "image");
const isDrawing = (items) => Array.isArray(items) && items.length > 0;

function store(pad, recent) {
  const { items } = pad;
  const drawing = isStrokes(items) ? { items } : { image: pad.toDataURL({ small: true }) };
  const entries = recent.entries.filter((entry) => isStrokes(entry.items));
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...drawing, entries }));
  } catch {
    // no room: a reload begins with an empty page
  }
}

async function showImage(pad, url) {
  const image = new Image();
  image.src = url;
  await image.decode().then(
    () => pad.showImage(image),
    () => {},
  );
}
