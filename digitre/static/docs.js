// The documents of the API: a box to try it, and examples with the address of this server.

const byId = (id) => document.getElementById(id);
const box = byId("try");
const url = new URL(box.dataset.url, location.href);
let latest = 0; // of several files the last one counts

// The server knows its address only behind its proxies; the browser knows the one that works.
for (const example of document.querySelectorAll("pre.quick")) {
  example.textContent = example.textContent.replaceAll(box.dataset.address, url.href);
}
box.hidden = false;

byId("file").addEventListener("change", () => read(byId("file").files[0]));
// Without this the browser would leave the page and show the file.
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  read(event.dataTransfer.files[0]);
});

async function read(file) {
  if (!file) return;
  const number = ++latest;
  byId("sent").textContent = `curl --data-binary @${quoted(file.name)} ${quoted(url.href)}`;
  byId("received").textContent = "Reading...";
  const answer = await send(file);
  if (number !== latest) return;
  byId("received").textContent = answer;
}

// The status and the JSON of the answer, or a sentence if there is none.
async function send(file) {
  try {
    const response = await fetch(url, { method: "POST", body: file });
    return `${response.status} ${response.statusText}\n${inLines(await response.json())}`;
  } catch {
    return "The server did not answer.";
  }
}

// JSON with a line for each field.
function inLines(object) {
  const lines = Object.entries(object).map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  return `{\n${lines.join(",\n")}\n}`;
}

// A word of a shell's command.
const quoted = (text) => (/^[\w.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
