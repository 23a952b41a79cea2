// Shows the answer: the digit, its probabilities, and how it was read. It asks the server for nothing.

const byId = (id) => document.getElementById(id);
const NOT_A_DIGIT = 10; // the bar after those of the ten digits

const bars = [...byId("bars").children].map((row) => ({
  row,
  bar: row.querySelector(".bar > span"),
  value: row.querySelector(".value"),
}));

const percent = (probability) => `${(100 * probability).toFixed(1)}%`;

// A label as it reads in a sentence: "a 7", "an 8", "not a digit".
export function withArticle(label) {
  if (label === "none" || label === "not_a_digit") return "not a digit";
  return `${label === "8" ? "an" : "a"} ${label}`;
}

// Show the server's answer to a drawing.
export function showAnswer(answer) {
  byId("result").textContent = answer.result;
  byId("probability").textContent = answer.probability;
  byId("top").textContent = (answer.candidates ?? [])
    .map(({ digit, probability }) => `${digit}: ${percent(probability)}`)
    .join(" · ");
  byId("message").hidden = true;
  const probabilities = [...answer.probabilities, answer.not_a_digit];
  const best = answer.digit ?? (["unsure", "several"].includes(answer.reason) ? null : NOT_A_DIGIT);
  bars.forEach(({ row, bar, value }, index) => {
    bar.style.transform = `scaleX(${probabilities[index]})`;
    value.textContent = percent(probabilities[index]);
    row.classList.toggle("best", index === best);
  });
  if (answer.steps) showSteps(answer);
}

// Empty the answer, and show an invitation in its place.
export function clearAnswer(invitation = "") {
  byId("steps").hidden = byId("grey").hidden = true;
  byId("how-empty").hidden = false;
  byId("result").textContent = byId("top").textContent = "";
  byId("probability").textContent = invitation;
  byId("message").hidden = true;
  for (const { row, bar, value } of bars) {
    bar.style.transform = "scaleX(0)";
    value.textContent = "";
    row.classList.remove("best");
  }
}

// Show a sentence next to the canvas: a hint.
export function showHint(text) {
  showMessage(text, { isError: false });
}

// Empty the answer and show what went wrong. The button, { label, action }, offers a way on.
export function showError(text, button) {
  clearAnswer();
  showMessage(text, { isError: true, button });
}

function showMessage(text, { isError, button = null }) {
  byId("message-text").textContent = text;
  byId("message").classList.toggle("error", isError);
  byId("message").hidden = false;
  byId("retry").hidden = !button;
  byId("retry").textContent = button?.label ?? "";
  byId("retry").onclick = button?.action ?? null;
}

// Put each step's picture above its caption: each has the step's name in the API.
function showSteps({ steps, explanation }) {
  const images = new Map(steps.map(({ name, image }) => [name, image]));
  if (explanation) {
    images.set("explanation", explanation.image);
    byId("explained").textContent = withArticle(String(explanation.of));
  }
  for (const row of byId("steps").children) {
    const image = images.get(row.dataset.step);
    row.hidden = !image;
    if (image) row.querySelector("img").src = image;
  }
  byId("steps").hidden = byId("grey").hidden = false;
  byId("how-empty").hidden = true;
  if (byId("grey").open) showGreyValues();
}

// The network's 28 x 28 input as numbers, each on its own shade of grey.
async function showGreyValues() {
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
  if (byId("grey").open) showGreyValues();
});
