// The contact sheet: keys move over the drawings and judge them, one request each.

const sheet = document.querySelector("#sheet");
const message = document.querySelector("#message");
const items = sheet ? [...sheet.children] : [];
const undone = []; // what each judged drawing was before, the last one last

const WORDS = { accepted: "✓ accepted", rejected: "✗ rejected", pending: "" };

function said(text) {
  message.textContent = text;
  message.hidden = !text;
}

function count() {
  const judged = items.filter((item) => item.querySelector(".verdict").textContent).length;
  document.querySelector("#left").textContent = `${judged} judged, ${items.length - judged} to go`;
}

function go(item) {
  if (!item) return;
  for (const each of items) each.tabIndex = each === item ? 0 : -1;
  item.focus();
}

function show(item, { status, label }) {
  item.dataset.status = status;
  item.dataset.label = label;
  item.querySelector(".label").textContent = label;
  item.querySelector(".verdict").textContent = WORDS[status];
  count();
}

async function judge(item, status, label) {
  try {
    const response = await fetch("judge", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ id: item.dataset.id, status, label }),
    });
    const answer = await response.json().catch(() => null);
    if (!response.ok) throw new Error(answer?.error?.message ?? "The review has a problem.");
    said("");
    show(item, answer);
    return true;
  } catch (error) {
    said(error instanceof TypeError ? "The review in the terminal has ended." : error.message);
    return false;
  }
}

async function decide(item, status, label) {
  const before = { item, status: item.dataset.status, label: item.dataset.label };
  if (!(await judge(item, status, label ?? before.label))) return;
  undone.push(before);
  go(items[items.indexOf(item) + 1]);
}

async function undo() {
  const last = undone.at(-1);
  if (last && (await judge(last.item, last.status, last.label))) {
    undone.pop();
    go(last.item);
  }
}

// How many drawings stand in a row just now.
const columns = () => items.filter((item) => item.offsetTop === items[0].offsetTop).length;

sheet?.addEventListener("keydown", (event) => {
  const item = event.target.closest("li");
  if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = items.indexOf(item);
  const key = event.key.toLowerCase();
  const moves = { arrowleft: -1, arrowright: 1, arrowup: -columns(), arrowdown: columns() };
  if (key in moves) go(items[at + moves[key]]);
  else if (key === "a") decide(item, "accepted");
  else if (key === "r") decide(item, "rejected");
  else if (key === "n") decide(item, "accepted", "none");
  else if (/^[0-9]$/.test(key)) decide(item, "accepted", key);
  else if (key === "u") undo();
  else return;
  event.preventDefault();
});

count();
go(items[0]);
