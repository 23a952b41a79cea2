// The examples of /pad that do more than a form does by itself.
import "./digit_pad.js";

const byId = (id) => document.getElementById(id);

// One digit: show what the event says.
byId("one").addEventListener("change", ({ target }) => {
  byId("one-says").textContent = target.value ? `You wrote ${target.value}.` : "";
});

// A maths exercise: a new one for each right answer.
let [left, right] = [6, 7];
byId("product").addEventListener("change", ({ target }) => {
  if (!target.value) return;
  const isRight = Number(target.value) === left * right;
  byId("product-says").textContent = isRight ? "Right! The next one:" : "Not yet. Try again.";
  if (!isRight) return;
  [left, right] = [2 + Math.floor(8 * Math.random()), 2 + Math.floor(8 * Math.random())];
  byId("exercise").textContent = `${left} × ${right} =`;
  target.value = "";
});

// A score sheet: the sum of its boxes.
byId("scores").addEventListener("change", () => {
  const boxes = [...byId("scores").querySelectorAll("digit-pad")];
  byId("total").textContent = boxes.reduce((sum, { value }) => sum + Number(value), 0);
});

// A phone number: show what the form would send.
byId("call").addEventListener("submit", (event) => {
  event.preventDefault();
  byId("call-says").textContent = `The form sends: ${new URLSearchParams(new FormData(event.target))}`;
});

// Keep this page for times without a connection.
navigator.serviceWorker?.register(document.body.dataset.worker).catch(() => {});
