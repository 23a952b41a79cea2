// What is asked of the server, and a sentence for whatever goes wrong.

const MESSAGES = {
  413: "The picture is too large to send. Your drawing is still here.",
  429: "That was too often in a short time. Wait a moment, then try again.",
};
const NO_ANSWER = "The server did not answer. Your drawing is still here.";
const BROKEN = "The server has a problem just now. Your drawing is still here.";

const SLOW = 300; // milliseconds after which the page shows that it waits

let slow = 0; // requests that have been waited for so long

// Says "change" when the page begins or ends to wait for something slow.
export const waiting = new EventTarget();
export const isWaiting = () => slow > 0;

function wait(change) {
  slow += change;
  waiting.dispatchEvent(new Event("change"));
}

// An answer that is no good: its message is for the page to show.
export class Refused extends Error {}

// Ask for JSON. Throws Refused, or what `fetch` throws where `signal` has been aborted.
export async function ask(url, { body, method = body ? "POST" : "GET", signal } = {}) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  let response;
  let answer;
  let isSlow = false;
  const timer = setTimeout(() => {
    isSlow = true;
    wait(1);
  }, SLOW);
  try {
    response = await fetch(url, { method, headers, body: body && JSON.stringify(body), signal });
    const text = await response.text();
    try {
      answer = text ? JSON.parse(text) : null;
    } catch {
      answer = null; // a proxy's own page
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(NO_ANSWER);
  } finally {
    clearTimeout(timer);
    if (isSlow) wait(-1);
  }
  if (response.ok && (answer || response.status === 204)) return answer;
  const said = response.status < 500 && answer?.error?.message;
  throw new Refused(said || MESSAGES[response.status] || BROKEN);
}
