// What a picture looks like on the whole: which pen shows on it, and, where it is transparent, which
// sheet must lie under it to be seen.

const SIDE = 16; // pixels a side that are looked at

export function tones(image) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  let light = 0;
  let cover = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, alpha] = data.subarray(at, at + 4);
    light += alpha * (0.3 * red + 0.6 * green + 0.1 * blue);
    cover += alpha;
  }
  const dark = light < 128 * cover;
  const opaque = cover > 0.99 * 255 * SIDE * SIDE;
  if (opaque) return { pen: dark ? "#fff" : "#000", sheet: null };
  return dark ? { pen: "#000", sheet: "#fff" } : { pen: "#fff", sheet: "#000" };
}
