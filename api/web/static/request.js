// Keeps the page of a request up to date: by a stream, or by polling where streams are not possible.

const stream = document.querySelector("#stream"), lost = document.querySelector("#lost");
const MOST_STREAMS = 4, ASK_EVERY = 5000, TRY_AGAIN = 3000, LISTEN_EVERY = 1000;

const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));
const visible = () => document.hidden
  ? new Promise(done => document.addEventListener("visibilitychange", () => done(), { once: true })).then(visible)
  : Promise.resolve();

function tell(text) { lost.textContent = text; lost.hidden = !text; }
function isLost() {
  if (!lost.hidden) return;
  tell(lost.dataset.lost.replace("{time}", new Date().toTimeString().slice(0, 5)));
}
function unconnected(status) { if (status === 401) tell(lost.dataset.over); else isLost(); }

// Title and announcement follow the state.
let state = document.querySelector("#now")?.dataset.status;
function follow() {
  const now = document.querySelector("#now");
  if (!now || now.dataset.status === state) return;
  state = now.dataset.status;
  document.title = now.dataset.title;
  pao.say(now.querySelector(".standing").textContent.trim());
}

/** Hold one of the browser's places for a stream while the work runs; six streams block a site. */
async function withPlace(work) {
  if (!navigator.locks) { await work(); return true; }
  for (let number = 0; number < MOST_STREAMS; number++) {
    const got = await navigator.locks.request(`pao-stream-${number}`, { ifAvailable: true }, async lock => {
      if (lock) await work();
      return Boolean(lock);
    });
    if (got) return true;
  }
  return false;
}

const closed = new Promise(done => {
  document.addEventListener("htmx:sse:close", event => { if (event.detail.reason === "message") done(); });
});
document.addEventListener("htmx:sse:error", event => unconnected(event.detail.status));
document.addEventListener("htmx:sse:after:connection", () => tell(""));
document.addEventListener("htmx:sse:after:message", follow);

// A connection may break silently; then its heartbeat is missing. Closing it opens another.
let lastEvent = Date.now();
const letGo = () => stream?._htmx?.sse?.reader?.cancel();
for (const name of ["htmx:sse:after:connection", "htmx:sse:after:message"]) {
  document.addEventListener(name, () => { lastEvent = Date.now(); });
}
function listen() {
  if (document.hidden || !stream._htmx?.sse?.reader || Date.now() - lastEvent < Number(stream.dataset.silence)) return;
  lastEvent = Date.now();
  isLost();
  letGo();
}
addEventListener("offline", () => { if (stream?._htmx?.sse) isLost(); });
addEventListener("online", letGo);

async function connect() {
  // The library does not retry a first connection that fails.
  let status;
  document.addEventListener("htmx:response:error", event => {
    const { sourceElement, response } = event.detail.ctx;
    if (sourceElement === stream) status = response.status;
  });
  while (!stream._htmx?.sse) {
    await visible();
    status = 0;
    try { await htmx.ajax("GET", stream.getAttribute("hx-sse:connect"), { source: stream }); } catch { /* said below */ }
    if (stream._htmx?.sse) break;
    unconnected(status);
    await wait(TRY_AGAIN);
  }
  const listening = setInterval(listen, LISTEN_EVERY);
  await closed;
  clearInterval(listening);
}

async function ask() {
  for (;;) {
    await wait(ASK_EVERY);
    await visible();
    try {
      const response = await fetch(stream.dataset.now, { headers: { Accept: "text/html", "HX-Request-Type": "partial" } });
      if (response.status === 401) { tell(lost.dataset.over); return; }
      if (!response.ok) { isLost(); continue; }
      document.querySelector("#now").outerHTML = await response.text();
      tell("");
      follow();
    } catch { isLost(); continue; }
    if (["completed", "aborted", "escalated"].includes(state)) return;
  }
}

// Durations of running steps.
const span = s => s < 10 ? `${s.toFixed(1)} s` : s < 90 ? `${Math.round(s)} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`;
setInterval(() => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[data-since]")) {
    const text = span((Date.now() - Date.parse(element.dataset.since)) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
}, 1000);

// Title and icon follow the state; readers who asked for it are notified.
const asked = () => sessionStorage.getItem(`told-${location.pathname}`) === "yes";
const tellButton = document.querySelector("#tell");
function change() {
  const now = document.querySelector("#now"), icon = document.querySelector("link[rel=icon]");
  if (!now || icon.getAttribute("href") === now.dataset.icon) return;
  icon.href = now.dataset.icon;
  if (["completed", "aborted", "escalated"].includes(now.dataset.status)) tellButton?.parentElement?.remove();
  if (asked() && globalThis.Notification?.permission === "granted") new Notification(now.dataset.said, { tag: location.pathname });
}
tellButton?.addEventListener("click", async () => {
  const allowed = globalThis.Notification && await Notification.requestPermission() === "granted";
  if (allowed) sessionStorage.setItem(`told-${location.pathname}`, "yes");
  const said = allowed ? tellButton.dataset.asked : tellButton.dataset.denied;
  tellButton.parentElement.replaceChildren(said);
  pao.say(said);
});
const place = document.querySelector("#now")?.parentElement;
if (place) new MutationObserver(change).observe(place, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-icon"] });

// A log follows its end while the reader is there; otherwise it shows how many lines are new.
const NEAR = 24;
for (const box of document.querySelectorAll(".log-lines")) {
  const list = box.querySelector("ol"), more = box.parentElement.querySelector(".more-lines");
  if (!more) continue;
  const atEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
  const toEnd = () => { box.scrollTop = box.scrollHeight; more.hidden = true; unseen = 0; };
  let follows = true, unseen = 0;
  box.scrollTop = box.scrollHeight;
  box.addEventListener("scroll", () => { follows = atEnd(); if (follows) { more.hidden = true; unseen = 0; } });
  box.closest("details").addEventListener("toggle", () => { if (follows) toEnd(); });
  more.addEventListener("click", () => { toEnd(); box.focus({ preventScroll: true }); });
  let last = list.lastElementChild;
  new MutationObserver(() => {
    // Earlier lines are inserted before; only lines after the last are new.
    let added = 0;
    for (let line = list.lastElementChild; line && line !== last; line = line.previousElementSibling) added++;
    if (list.lastElementChild === last) return;
    last = list.lastElementChild;
    if (follows) { toEnd(); return; }
    unseen += added;
    more.textContent = unseen === 1 ? more.dataset.one : more.dataset.many.replace("{n}", unseen);
    more.hidden = false;
  }).observe(list, { childList: true });
}

if (stream) {
  await visible();
  const streams = globalThis.htmx && await withPlace(connect);
  if (!streams) await ask();
}
