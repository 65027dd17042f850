// What every page does in addition to htmx. It shows what the server decided, and decides nothing.

const one = (selector, inside = document) => inside.querySelector(selector);

/** Tell a person something without moving the focus. */
const say = text => { const live = one("#live"); if (live) live.textContent = text; };

/** Show a notice above a form's last buttons, and tell it once; without parts the notice goes. */
function note(form, ...parts) {
  const before = one(".noted", form), box = document.createElement("div");
  box.className = "notice warn noted";
  box.append(...parts);
  const told = before?.textContent === box.textContent;
  before?.remove();
  if (!parts.length) return;
  const buttons = [...form.querySelectorAll(".buttons")].at(-1);
  if (buttons) buttons.before(box); else form.append(box);
  if (!told) say(box.textContent);
}

/** Return `note` for what a call that begins now finds: a notice that appears while it runs is newer, and stays. */
function noteOfCall(form) {
  const before = one(".noted", form);
  return (...parts) => { if (one(".noted", form) === before) note(form, ...parts); };
}

globalThis.pao = { say, note, noteOfCall };

// The server formats times in the reader's zone, which it learns from this cookie.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const secure = location.protocol === "https:" ? "; secure" : "";
if (zone && !document.cookie.split("; ").includes(`tz=${zone}`)) {
  document.cookie = `tz=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
}

// If something is wrong, move the focus there first.
const place = document.getElementById(one("[data-place]")?.dataset.place ?? "");
(place ?? one("[data-focus]"))?.focus();

// The code for signing in is in the fragment, which no server and no log sees.
const signIn = one("#signin");
function useCode() {
  if (!signIn || location.hash.length <= 40) return;
  one("#code").value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  signIn.requestSubmit();
}
useCode();
// A link that differs only in its fragment does not reload the page.
addEventListener("hashchange", useCode);

// A search with results while typing keeps the address up to date.
document.addEventListener("htmx:after:swap", event => {
  const form = event.detail.ctx?.sourceElement;
  if (form?.matches?.("[data-address]")) {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    history.replaceState(null, "", `${form.action}${query.size ? "?" : ""}${query}`);
  }
  const told = one("[data-say]");
  if (told) say(told.textContent);
});

// If there is no answer a browser discards the page, and what was entered with it. So check first whether PAO can be
// reached; forms that are sent by a script find out by sending.
const PATIENCE = 10_000;
async function away() {
  const { offline, away, over } = one("#live").dataset;
  if (!navigator.onLine) return offline;
  try {
    const address = one("link[rel=icon]").href;
    const answer = await fetch(address, { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
    // A balancer whose session has expired redirects to its provider.
    if (answer.type === "opaqueredirect") return over;
    // After an update the file may have another name; a 404 is an answer as well.
    return answer.status < 500 ? "" : away;
  } catch { return away; }
}
const sendable = new WeakSet(), asking = new WeakSet();
const holdsInput = form => form.hasAttribute("data-kept") ||
  [...form.elements].some(one => one.matches("input:not([type=hidden]), select, textarea"));
addEventListener("submit", async event => {
  const { target: form, submitter } = event;
  if (form.method !== "post" || form.hasAttribute("data-certain") || sendable.has(form) || !holdsInput(form)) return;
  // Rows are loaded into the page.
  if (submitter?.name === "rows" && form.hasAttribute("data-form")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (asking.has(form)) return;
  asking.add(form);
  say(form.dataset.sending ?? "");
  const why = await away();
  asking.delete(form);
  note(form, ...(why ? [why] : []));
  if (why) return;
  sendable.add(form);
  // A field that was reloaded meanwhile has other buttons.
  try { form.requestSubmit(submitter?.isConnected ? submitter : null); } finally { sendable.delete(form); }
}, true);

// A request that is sent while typing, or repeatedly, may fail. That is shown once, beside its source, which continues
// until it succeeds.
const AGAIN = 3000, SILENCE = 20_000, failures = new WeakMap();
function answered(source) {
  clearTimeout(failures.get(source)?.timer);
  failures.get(source)?.box.remove();
  failures.delete(source);
}
// Reloading a page loses what was entered, so sign in in another window.
const keepsInput = source => source.matches("[hx-trigger^=every]") ||
  [...document.forms].some(form => form.method === "post" && holdsInput(form));
function sessionOver(source) {
  const { ended, over, signIn } = one("#live").dataset;
  if (!keepsInput(source)) return [ended];
  const link = document.createElement("a");
  link.href = `/signin?to=${encodeURIComponent(location.pathname)}`;
  link.target = "_blank";
  link.textContent = signIn;
  return [`${over} `, link];
}
function unanswered(source, status, again) {
  const refused = status >= 400 && status < 500 && status !== 429;
  const kind = status === 401 ? "ended" : refused ? "unread" : "disconnected";
  let failure = failures.get(source);
  if (failure?.kind !== kind) {
    const text = one("#live").dataset[kind].replace("{time}", new Date().toTimeString().slice(0, 5));
    answered(source);
    failure = { kind, box: document.createElement("p") };
    failure.box.className = "notice warn";
    failure.box.append(...(kind === "ended" ? sessionOver(source) : [text]));
    source.after(failure.box);
    failures.set(source, failure);
    say(failure.box.textContent);
  }
  clearTimeout(failure.timer);
  if (kind === "disconnected" && again) failure.timer = setTimeout(again, AGAIN);
}

// Do not wait for ever for what is loaded after the page.
function unread(event) {
  const { ctx } = event.detail, source = ctx?.sourceElement;
  if (!source) return;
  const hint = source.querySelector(":scope > .hint.with-scripts");
  if (hint) hint.textContent = one("#live").dataset.unread;
  else if (source.matches("form")) unanswered(source, ctx.response?.status, () => source.requestSubmit());
  else if (source.matches("a")) unanswered(source, ctx.response?.status, () => source.click());
  else if (source.matches("[hx-trigger^=every]")) unanswered(source, ctx.response?.status);
}
// Time out without an answer; what is loaded from other systems after the page may take longer.
document.addEventListener("htmx:config:request", event => {
  const { ctx } = event.detail;
  if (ctx.sourceElement.matches("form, a, [hx-trigger^=every]")) ctx.request.timeout = SILENCE;
});
document.addEventListener("htmx:error", unread);
document.addEventListener("htmx:response:error", unread);
document.addEventListener("htmx:after:request", event => {
  const { sourceElement, response } = event.detail.ctx;
  if (response.status < 400) answered(sourceElement);
});

// Ignore a second click; the server would not act twice either.
addEventListener("submit", event => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("data-again")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  say(form.dataset.sending ?? "");
});
// A page from the browser's back/forward cache can be sent again.
addEventListener("pageshow", event => {
  if (event.persisted) document.querySelectorAll("[data-sent]").forEach(form => delete form.dataset.sent);
});

addEventListener("click", async event => {
  const copy = event.target.closest?.("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(one(`#${CSS.escape(copy.dataset.copy)}`).innerText);
    const before = copy.textContent;
    copy.textContent = copy.dataset.copied;
    say(copy.dataset.copied);
    setTimeout(() => { copy.textContent = before; }, 2000);
  }
  const reveal = event.target.closest?.("[data-reveal]");
  if (reveal) {
    const input = one(`#${CSS.escape(reveal.dataset.reveal)}`), hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    reveal.setAttribute("aria-pressed", String(hidden));
  }
});

// The palette searches everything that has an address, on every page. Its keys can be switched off, because
// speech input and other software may need them.
const palette = one("#palette");
if (palette) {
  const words = one("#palette-words"), found = one("#palette-found"), keys = one("#palette-keys");
  const kept = "pao-palette-keys";
  let asked = 0, timer;
  keys.checked = localStorage.getItem(kept) !== "off";
  keys.addEventListener("change", () => localStorage.setItem(kept, keys.checked ? "on" : "off"));

  const again = () => { if (palette.open) find(); };
  const find = async () => {
    const number = ++asked;
    try {
      const headers = { Accept: "text/html", "HX-Request-Type": "partial" }, signal = AbortSignal.timeout(SILENCE);
      const response = await fetch(`${palette.dataset.address}?q=${encodeURIComponent(words.value)}`, { headers, signal });
      if (number !== asked) return;
      if (!response.ok) { unanswered(words, response.status, again); return; }
      found.innerHTML = await response.text();
      answered(words);
    } catch { if (number === asked) unanswered(words, 0, again); }
  };
  const open = () => { if (!palette.open) { palette.showModal(); words.select(); find(); } };
  const links = () => [...found.querySelectorAll("a")];

  words.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, 150); });
  palette.addEventListener("keydown", event => {
    const all = [words, ...links()], at = all.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && at >= 0) { event.preventDefault(); all[Math.min(Math.max(at + step, 0), all.length - 1)].focus(); }
    // Otherwise Escape only clears a search field.
    if (event.key === "Escape") { event.preventDefault(); palette.close(); }
    if (event.key === "Enter" && at === 0) { event.preventDefault(); links()[0]?.click(); }
  });
  palette.addEventListener("click", event => {
    if (event.target === palette || event.target.closest("[data-close]")) palette.close();
  });
  addEventListener("click", event => {
    if (!event.target.closest?.("[data-palette]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  addEventListener("keydown", event => {
    if (!keys.checked || event.isComposing || event.defaultPrevented) return;
    const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");
    const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    const chord = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (slash || chord) { event.preventDefault(); open(); }
  });
}

// An incomplete date would be posted as an empty one.
addEventListener("formdata", event => {
  for (const input of event.target.elements) {
    if (input.validity?.badInput) event.formData.set(input.name, "(incomplete)");
  }
});
