// Shows the answer: the headline, the line below it, the bars, and how the drawing was read. It asks the server for nothing.
import { glanceLine, percent, verdictLine, withArticle } from "./words.js";

const byId = (id) => document.getElementById(id);
const NOT_A_DIGIT = 10; // the bar after those of the ten digits
const TITLE = document.title;
const SEEN = 0.01; // a bar that moves by less looks the same
const HINT_TIME = 6000; // milliseconds that a hint stays

const bars = [...byId("bars").children].map((row) => ({
  row,
  bar: row.querySelector(".bar > span"),
  value: row.querySelector(".value"),
}));

// While the pen is down: the bars move, and the line below the headline says what the drawing begins to look like.
export function showGlance(verdict) {
  byId("answer").classList.add("open");
  const line = glanceLine(verdict);
  if (byId("probability").textContent !== line) byId("probability").textContent = line;
  moveBars(verdict);
}

// The pen is up and the drawing is read. A number has no bars until one of its digits is chosen.
export function showVerdict(verdict) {
  const { result, reason, number } = verdict;
  const line = verdictLine(verdict);
  byId("answer").classList.remove("open");
  byId("result").textContent = result;
  byId("result").classList.toggle("long", result.length > 3);
  byId("probability").textContent = line;
  byId("announcement").textContent = `${result}. ${line}`;
  document.title = `${result} · ${TITLE}`;
  hideMessage();
  if (number) {
    showBars({ probabilities: [], notADigit: 0 }, null);
  } else {
    const isOpen = ["unsure", "several"].includes(reason);
    showBars(verdict, verdict.digit ?? (isOpen ? null : NOT_A_DIGIT));
  }
  if (verdict.steps) showSteps(verdict);
}

// The bars of one digit of a number.
export function showDigit({ character, probabilities, notADigit }) {
  showBars({ probabilities, notADigit: notADigit ?? rest(probabilities) }, Number(character));
}

const rest = (probabilities) => Math.max(0, 1 - probabilities.reduce((sum, each) => sum + each, 0));

function showBars({ probabilities, notADigit }, best) {
  const values = [...probabilities, notADigit];
  bars.forEach(({ row, bar, value }, index) => {
    const share = probabilities.length ? values[index] : 0;
    bar.style.setProperty("--share", share);
    const text = probabilities.length ? percent(share) : "";
    if (value.textContent !== text) value.textContent = row.title = text;
    row.classList.toggle("best", index === best);
  });
}

// While the pen is down, only the bars that move by what can be seen: the pen stays quick.
function moveBars({ probabilities, notADigit }) {
  [...probabilities, notADigit].forEach((share, index) => {
    const { row, bar } = bars[index];
    row.classList.remove("best");
    if (Math.abs(share - Number(bar.style.getPropertyValue("--share"))) < SEEN) return;
    bar.style.setProperty("--share", share);
  });
}

// Empty the answer, and show an invitation in its place.
export function clearAnswer(invitation = "") {
  byId("steps").hidden = byId("grey").hidden = true;
  byId("how-empty").hidden = false;
  byId("answer").classList.remove("open");
  byId("result").textContent = byId("announcement").textContent = "";
  byId("probability").textContent = invitation;
  document.title = TITLE;
  hideMessage();
  showBars({ probabilities: [], notADigit: 0 }, null);
}

// Show a sentence at the foot of the page for a while: a hint. The answer stays.
export function showHint(text) {
  showMessage(text, { isError: false });
}

// Say what went wrong. The button, { label, action }, offers a way on. The answer stays.
export function showError(text, button) {
  showMessage(text, { isError: true, button });
}

export function hideMessage() {
  byId("message").hidden = true;
}

let timer = 0;

function showMessage(text, { isError, button = null }) {
  clearTimeout(timer);
  if (!isError) timer = setTimeout(hideMessage, HINT_TIME);
  byId("message-text").textContent = text;
  byId("message").classList.toggle("error", isError);
  byId("message").hidden = false;
  byId("retry").hidden = !button;
  byId("retry").textContent = button?.label ?? "";
  byId("retry").onclick = button?.action ?? null;
}

byId("dismiss").addEventListener("click", hideMessage);

// --- how it was read ---

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
      cell.style.color = value > 116 ? "#000" : "#fff"; // either way at least 4.5 to 1
    }
    return row;
  });
  byId("grey-values").replaceChildren(...rows);
}

byId("grey").addEventListener("toggle", () => {
  if (byId("grey").open) showGreyValues();
});
