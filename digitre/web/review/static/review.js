// The review page: keys move over the drawings and judge them, with one request each.

const sheet = document.querySelector("#sheet");
const message = document.querySelector("#message");
const items = sheet ? [...sheet.children] : [];
const undoable = []; // what each reviewed drawing was before, the latest last

const VERDICTS = { accepted: "✓ accepted", rejected: "✗ rejected", pending: "" };

function showMessage(text) {
  message.textContent = text;
  message.hidden = !text;
}

function showCount() {
  const done = items.filter((item) => item.querySelector(".verdict").textContent).length;
  document.querySelector("#left").textContent = `${done} reviewed, ${items.length - done} left`;
}

function focusOn(item) {
  if (!item) return;
  for (const each of items) each.tabIndex = each === item ? 0 : -1;
  item.focus();
}

function showVerdict(item, { status, label }) {
  item.dataset.status = status;
  item.dataset.label = label;
  item.querySelector(".label").textContent = label;
  item.querySelector(".verdict").textContent = VERDICTS[status];
  showCount();
}

// Give a drawing this status and label. Returns whether the server has stored them.
async function judge(item, status, label) {
  try {
    const response = await fetch("judge", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ id: item.dataset.id, status, label }),
    });
    const answer = await response.json().catch(() => null);
    if (!response.ok) throw new Error(answer?.error?.message ?? "The server has a problem.");
    showMessage("");
    showVerdict(item, answer);
    return true;
  } catch (error) {
    // `fetch` throws a TypeError if no server answers.
    const stopped = error instanceof TypeError;
    showMessage(stopped ? "The review was stopped in the terminal." : error.message);
    return false;
  }
}

async function decide(item, status, label) {
  const before = { item, status: item.dataset.status, label: item.dataset.label };
  if (!(await judge(item, status, label ?? before.label))) return;
  undoable.push(before);
  focusOn(items[items.indexOf(item) + 1]);
}

async function undo() {
  const last = undoable.at(-1);
  if (last && (await judge(last.item, last.status, last.label))) {
    undoable.pop();
    focusOn(last.item);
  }
}

// How many drawings are in a row. It changes with the width of the window.
const columns = () => items.filter((item) => item.offsetTop === items[0].offsetTop).length;

sheet?.addEventListener("keydown", (event) => {
  const item = event.target.closest("li");
  if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = items.indexOf(item);
  const key = event.key.toLowerCase();
  const moves = { arrowleft: -1, arrowright: 1, arrowup: -columns(), arrowdown: columns() };
  if (key in moves) focusOn(items[at + moves[key]]);
  else if (key === "a") decide(item, "accepted");
  else if (key === "r") decide(item, "rejected");
  else if (key === "n") decide(item, "accepted", "none");
  else if (/^[0-9]$/.test(key)) decide(item, "accepted", key);
  else if (key === "u") undo();
  else return;
  event.preventDefault();
});

showCount();
focusOn(items[0]);
