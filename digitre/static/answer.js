// The answer: the digit, its bars, how it was read. Nothing here asks a server.

const byId = (id) => document.getElementById(id);
const WELCOME = "It is read while you draw.";
const BY_HAND = "Submit has it read.";
const NO_DIGIT = 10;

const bars = [...byId("bars").children].map((row) => ({
  row,
  bar: row.querySelector(".bar > span"),
  value: row.querySelector(".value"),
}));

export function percent(probability) {
  return `${(100 * probability).toFixed(1)}%`;
}

export function show(answer) {
  byId("result").textContent = answer.result;
  byId("probability").textContent = answer.probability;
  const top = answer.candidates ?? [];
  byId("top").textContent = top
    .map(({ digit, probability }) => `${digit}: ${percent(probability)}`)
    .join(" · ");
  byId("message").hidden = true;
  const all = [...answer.probabilities, answer.not_a_digit];
  const best = answer.digit ?? (answer.reason === "unsure" ? -1 : NO_DIGIT);
  bars.forEach(({ row, bar, value }, index) => {
    bar.style.transform = `scaleX(${all[index]})`;
    value.textContent = percent(all[index]);
    row.classList.toggle("best", index === best);
  });
  if (answer.steps) showSteps(answer);
}

export function showNothing({ realtime = true } = {}) {
  byId("steps").hidden = byId("grey").hidden = true;
  byId("how-empty").hidden = false;
  byId("result").textContent = byId("top").textContent = "";
  byId("probability").textContent = realtime ? WELCOME : BY_HAND;
  byId("message").hidden = true;
  for (const { row, bar, value } of bars) {
    bar.style.transform = "scaleX(0)";
    value.textContent = "";
    row.classList.remove("best");
  }
}

// A sentence by the canvas; `retry` offers to try again.
export function say(text, { retry = true } = {}) {
  byId("message-text").textContent = text;
  byId("retry").hidden = !retry;
  byId("message").hidden = false;
}

export function complain(text) {
  showNothing();
  byId("probability").textContent = "";
  say(text);
}

function showSteps({ steps, explanation }) {
  const pictures = [...byId("steps").querySelectorAll("img")];
  const images = steps.map(({ image }) => image);
  if (explanation) images.push(explanation.image);
  pictures.forEach((picture, index) => {
    picture.closest("li").hidden = index >= images.length;
    if (images[index]) picture.src = images[index];
  });
  if (explanation) {
    const of = explanation.of === "not_a_digit" ? "no digit" : `a ${explanation.of}`;
    byId("explained").textContent = of;
  }
  byId("steps").hidden = byId("grey").hidden = false;
  byId("how-empty").hidden = true;
  if (byId("grey").open) showGrey();
}

// The network's 28 x 28 grey values, as numbers in their own shade.
async function showGrey() {
  const picture = byId("seen");
  await picture.decode().catch(() => {});
  const side = picture.naturalWidth;
  if (!side) return;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, side, side);
  const rows = [...Array(side).keys()].map((y) => {
    const row = document.createElement("tr");
    for (let x = 0; x < side; x += 1) {
      const value = data[4 * (y * side + x)];
      const cell = row.insertCell();
      cell.textContent = value;
      cell.style.background = `rgb(${value} ${value} ${value})`;
      cell.style.color = value > 120 ? "#000" : "#fff";
    }
    return row;
  });
  byId("grey-values").replaceChildren(...rows);
}

byId("grey").addEventListener("toggle", () => {
  if (byId("grey").open) showGrey();
});
