// The service worker: keeps the pages, their files and the network, so that it reads without a connection. Answers of the API are
// never kept. Files have a hash in their address, so what is kept never grows old; the pages themselves come from
// the server whenever there is one.
const CACHE = {{ ("digitre-" ~ version) | tojson }};
const PAGES = {{ pages | tojson }};
const NETWORK = {{ network | tojson }};
const FILES = {{ files | tojson }};
const KEPT = new Set([NETWORK, ...FILES]);

self.addEventListener("install", (event) => event.waitUntil(install()));

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...PAGES.map((each) => new Request(each, { cache: "reload" })), ...FILES]);
  await cache.add(NETWORK).catch(() => {}); // a network that can't be packed has no file
  await self.skipWaiting();
}

self.addEventListener("activate", (event) => event.waitUntil(removeOld()));

async function removeOld() {
  for (const name of await caches.keys()) {
    if (name.startsWith("digitre-") && name !== CACHE) await caches.delete(name);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate" && PAGES.includes(url.pathname)) event.respondWith(page(request, url.pathname));
  else if (KEPT.has(url.pathname)) event.respondWith(file(request));
});

async function page(request, path) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(path);
    if (kept) return kept;
    throw error;
  }
}

async function file(request) {
  const kept = await (await caches.open(CACHE)).match(request.url);
  return kept ?? fetch(request);
}
