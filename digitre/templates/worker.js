// The service worker: keeps the page, its files and the network, so that it reads without a connection. Answers of the API are
// never kept. Files have a hash in their address, so what is kept never grows old; the page itself comes from the
// server whenever there is one.
const CACHE = {{ ("digitre-" ~ version) | tojson }};
const PAGE = {{ page | tojson }};
const NETWORK = {{ network | tojson }};
const FILES = {{ files | tojson }};
const KEPT = new Set([NETWORK, ...FILES]);

self.addEventListener("install", (event) => event.waitUntil(install()));

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll([new Request(PAGE, { cache: "reload" }), ...FILES]);
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
  if (request.mode === "navigate" && url.pathname === PAGE) event.respondWith(page(request));
  else if (KEPT.has(url.pathname)) event.respondWith(file(request));
});

async function page(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(PAGE);
    if (kept) return kept;
    throw error;
  }
}

async function file(request) {
  const kept = await (await caches.open(CACHE)).match(request.url);
  return kept ?? fetch(request);
}
