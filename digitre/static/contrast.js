// Which colours show up on an image that someone opens.

const SIDE = 16; // pixels per side of the thumbnail that is looked at

// { pen, backing }: the colour of a pen that shows on the image, and, for an image with transparent
// parts, the colour that must lie behind it to make it visible (else null).
export function contrastingColors(image) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  let luminance = 0; // weighted by opacity
  let opacity = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [red, green, blue, alpha] = data.subarray(i, i + 4);
    luminance += alpha * (0.3 * red + 0.6 * green + 0.1 * blue);
    opacity += alpha;
  }
  const isDark = luminance < 128 * opacity;
  const isOpaque = opacity > 0.99 * 255 * SIDE * SIDE;
  if (isOpaque) return { pen: isDark ? "#fff" : "#000", backing: null };
  return isDark ? { pen: "#000", backing: "#fff" } : { pen: "#fff", backing: "#000" };
}
