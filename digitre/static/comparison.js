// Six networks, one drawing: the published demos' networks and this one, each with its own preprocessing. The server has them.
import { requestJSON } from "./api.js";
import { percent } from "./words.js";

const byId = (id) => document.getElementById(id);
const OWN = "digitre"; // the row of the served network
const PAUSE = 250; // milliseconds after the verdict: the next drawing may have begun

let timer = 0;
let request = null;
let isVisible = false;
let wanted = null; // what to send once the section is in view
let own = null; // the page's verdict: the answer of the served network

// Ask only while the section is in view: most drawings need no comparison.
export function startComparison() {
  new IntersectionObserver(([{ isIntersecting }]) => {
    isVisible = isIntersecting;
    if (isVisible) ask();
  }).observe(byId("compare"));
}

// The drawing was read: let the other networks answer. `picture()` returns its data URL; the verdict fills this network's row, so
// that a number is a number there too.
export function compare(picture, verdict) {
  resetComparison();
  wanted = picture;
  own = { ...verdict, network: OWN, digit: verdict.reason ? null : verdict.result };
  if (isVisible) timer = setTimeout(ask, PAUSE);
}

// The drawing has changed.
export function resetComparison() {
  clearTimeout(timer);
  request?.abort();
  request = wanted = null;
  byId("compare").classList.add("waiting");
}

// By the timer, or because the section came into view: whichever is first.
async function ask() {
  clearTimeout(timer);
  if (!wanted) return;
  if (!navigator.onLine) return show([], "The other networks need a connection.");
  const mine = (request = new AbortController());
  const body = [{ digit: wanted() }];
  wanted = null;
  try {
    const { readings } = await requestJSON(byId("compare").dataset.url, { body, signal: mine.signal });
    if (mine === request) show(readings);
  } catch {
    if (mine === request) show([], "No answer now.");
  }
}

function show(readings, status = "") {
  const found = new Map([...readings, own].map((each) => [each.network, each]));
  byId("compare").classList.remove("waiting");
  byId("compare-status").textContent = status;
  for (const row of byId("networks").children) {
    const reading = found.get(row.dataset.network);
    row.querySelector(".says").textContent = reading?.result ?? "–";
    row.querySelector(".sure").textContent = reading && reading.digit !== null ? percent(reading.confidence) : "";
  }
}
