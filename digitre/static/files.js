// Images that come in (opened, dropped, pasted) and drawings that go out (downloaded, copied as curl).

const byId = (id) => document.getElementById(id);

const LONG = 100_000; // characters of an image that may be too long for an argument of a command
const COPIED = 2000; // milliseconds for which the button says so

// Call `onFile` with each file that is opened, dropped or pasted.
export function listenForFiles(onFile) {
  const receive = (file) => file && onFile(file);
  for (const input of [byId("file"), byId("photo")]) {
    input.addEventListener("change", () => {
      receive(input.files[0]);
      input.value = ""; // so that choosing the same file again is a change too
    });
  }
  byId("open").addEventListener("click", chooseFile);
  byId("camera").addEventListener("click", () => byId("photo").click());
  document.addEventListener("paste", (event) => receive(imageIn(event.clipboardData)));
  // Without this the browser would leave the page and show the file.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    byId("paper").classList.add("target");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) byId("paper").classList.remove("target");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    byId("paper").classList.remove("target");
    receive(imageIn(event.dataTransfer));
  });
}

export const chooseFile = () => byId("file").click();

// The first image among the files, else the first file.
function imageIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0];
}

// Let the buttons download the drawing, and copy a curl command that sends it to the reader's address.
export function offerDownloads(pad, reader) {
  byId("download").addEventListener("click", () => download(pad));
  byId("copy").addEventListener("click", () => copy(curlCommand(pad, reader.url)));
}

function download(pad) {
  const link = document.createElement("a");
  link.href = pad.toDataURL();
  const result = byId("result").textContent;
  link.download = /^\d+$/.test(result) ? `digit-${result}.png` : "drawing.png";
  link.click();
}

function curlCommand(pad, url) {
  const image = pad.toSmallCanvas()?.toDataURL("image/png") ?? pad.toDataURL({ small: true });
  const data = image.length < LONG ? `-d '${image}'` : `-d @- <<'END'\n${image}\nEND`;
  return `curl '${url.href}' ${data}`;
}

async function copy(command) {
  const button = byId("copy");
  try {
    await navigator.clipboard.writeText(command);
  } catch {
    // Without HTTPS a page may not write to the clipboard: show the command to be copied by hand.
    byId("command").value = command;
    byId("command-dialog").showModal();
    byId("command").select();
    return;
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy as curl"), COPIED);
}
