// Requests to the server, and a sentence for each way that one can fail.

const MESSAGES = {
  413: "The image is too large to send. Your drawing is still here.",
  429: "Too many requests. Wait a moment, then try again.",
};
const NO_ANSWER = "The server did not answer. Your drawing is still here.";
const SERVER_PROBLEM = "The server has a problem right now. Your drawing is still here.";

const SLOW = 300; // milliseconds until a request counts as slow

let slowRequests = 0;

// Fires "change" when a request becomes slow, and when a slow one ends.
export const slowness = new EventTarget();
export const isWaiting = () => slowRequests > 0;

function countSlow(change) {
  slowRequests += change;
  slowness.dispatchEvent(new Event("change"));
}

// A request that failed. The page can show its message.
export class RequestError extends Error {}

// Send a request and return the JSON of the answer; null if the answer has no body. Throws
// RequestError, or, once `signal` is aborted, the error of `fetch`.
export async function requestJSON(url, { body, method = body ? "POST" : "GET", signal } = {}) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  let response;
  let answer;
  let isSlow = false;
  const timer = setTimeout(() => {
    isSlow = true;
    countSlow(1);
  }, SLOW);
  try {
    response = await fetch(url, { method, headers, body: body && JSON.stringify(body), signal });
    const text = await response.text();
    try {
      answer = text ? JSON.parse(text) : null;
    } catch {
      answer = null; // not from the application: a proxy's error page
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestError(NO_ANSWER);
  } finally {
    clearTimeout(timer);
    if (isSlow) countSlow(-1);
  }
  if (response.ok && (answer || response.status === 204)) return answer;
  // The application's own message tells what to change; it has none to give about its own faults.
  const explanation = response.status < 500 && answer?.error?.message;
  throw new RequestError(explanation || MESSAGES[response.status] || SERVER_PROBLEM);
}
