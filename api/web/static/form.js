// A form that is being filled in. The server validates; this shows the result, and saves meanwhile.

const form = document.querySelector("[data-form]");
const touched = new Set();
const groups = () => [...form.querySelectorAll("[data-group]")];
const fieldOf = element => element.closest?.("[data-field]");
const fieldAt = place => form.querySelector(`[data-field="${CSS.escape(place)}"]`);
const LATE = 1500, SILENCE = 20_000;
let latest = 0, timer, later;

// Once something is saved, the address is that of the draft: Back and reload return what was entered.
const become = () => {
  if (location.pathname !== form.dataset.address) history.replaceState(null, "", form.dataset.address);
};

// Saves are numbered: a late one does not undo a newer one.
const number = () => (latest = Math.max(latest + 1, Date.now()));

function posted(submitter) {
  const body = new FormData(form, submitter);
  body.set("saved", number());
  return body;
}

async function check() {
  const body = posted(), saved = latest, note = pao.noteOfCall(form);
  // Files are sent with the form only.
  for (const input of form.querySelectorAll("input[type=file]")) body.delete(input.name);
  let answer;
  try {
    const response = await fetch(form.dataset.check, { method: "POST", body, headers: { Accept: "application/json" }, signal: AbortSignal.timeout(SILENCE) });
    if (response.status === 401) { note(...signIn()); return; }
    if (!response.ok) throw new Error(response.status);
    answer = await response.json();
  } catch { note(form.dataset.unsaved); return; }
  note();
  become();
  if (saved < latest) return;
  if (answer.submitted) { location.assign(`/requests/${answer.submitted}`); return; }
  show(answer);
  await renew(Object.entries(answer.offers).filter(([place, offer]) => fieldAt(place)?.dataset.offer !== offer));
  expect();
}

// The page stays as it is, with what is not saved yet; after signing in in another window, it can be continued.
function signIn() {
  const link = document.createElement("a");
  link.href = `/signin?to=${encodeURIComponent(location.pathname)}`;
  link.target = "_blank";
  link.textContent = form.dataset.signIn;
  return [`${form.dataset.over} `, link];
}

function show({ visible, errors }) {
  const applies = new Set(visible);
  for (const field of form.querySelectorAll("[data-field]")) {
    const place = field.dataset.field;
    field.hidden = !applies.has(place);
    if (touched.has(place) || !errors[place]) mark(field, errors[place] ?? "");
  }
  for (const group of groups()) {
    group.hidden = ![...group.querySelectorAll("[data-field]")].some(field => !field.hidden);
  }
  summarize(errors);
}

// The summary repeats the errors of the fields; those that are fixed are removed silently.
function summarize(errors) {
  const box = document.querySelector(".problems");
  if (!box) return;
  box.removeAttribute("role");
  for (const link of box.querySelectorAll("a")) {
    const field = document.getElementById(link.hash.slice(1))?.closest("[data-field]");
    // For rows it names the row as well.
    if (!field || !/^#f\d+$/.test(link.hash)) continue;
    const text = errors[field.dataset.field];
    if (text) link.textContent = text;
    link.closest("li").hidden = !text;
  }
  const left = box.querySelectorAll("li:not([hidden])").length, badge = form.querySelector(".steps [aria-current] .badge");
  box.hidden = !left;
  if (!badge) return;
  badge.hidden = !left;
  badge.textContent = left === 1 ? badge.dataset.one : badge.dataset.many.replace("{n}", left);
}

function mark(field, text) {
  const error = [...field.querySelectorAll(".error")].find(one => fieldOf(one) === field && one.id);
  if (!error) return;
  error.textContent = text;
  error.hidden = !text;
  field.classList.toggle("wrong", Boolean(text));
  for (const input of field.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (fieldOf(input) !== field) continue;
    if (text) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
  }
}

// Choices that have changed, or were late, are taken from the page that the server renders.
async function renew(offers) {
  if (!offers.length) return;
  let page;
  try {
    const response = await fetch(form.dataset.address, { headers: { Accept: "text/html" } });
    if (!response.ok) return;
    page = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch { return; }
  for (const [place] of offers) put(page, place);
}

function put(page, place) {
  const fresh = page.querySelector(`[data-field="${CSS.escape(place)}"]`), old = fieldAt(place);
  if (!fresh || !old) return;
  const focused = old.contains(document.activeElement) && document.activeElement.id;
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus();
}

// While choices are loading, poll the server; it does not query their source twice.
function expect() {
  clearTimeout(later);
  if (form.querySelector("[data-awaited]")) later = setTimeout(check, LATE);
}

// The server adds and removes rows; the rest of the page stays.
// One after the other, and before the form is sent: each starts from the page that the last one returned.
let edits = Promise.resolve(), pending = 0;
function queue(command) {
  pending += 1;
  edits = edits.then(() => edit(command)).finally(() => { pending -= 1; });
}

async function edit(command) {
  const button = [...form.elements].find(one => one.name === "rows" && one.value === command);
  if (!button) return;
  const list = fieldOf(button), place = list.dataset.field, adds = button.hasAttribute("data-adds");
  const note = pao.noteOfCall(form);
  let page;
  try {
    const response = await fetch(form.action, { method: "POST", body: posted(button), signal: AbortSignal.timeout(SILENCE) });
    if (response.status === 401) { note(...signIn()); return; }
    if (!response.ok) throw new Error(response.status);
    page = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch { note(form.dataset.failed); return; }
  note();
  become();
  put(page, place);
  const rows = fieldAt(place)?.querySelectorAll(".row") ?? [];
  const target = adds ? rows[rows.length - 1] : fieldAt(place)?.querySelector("[data-adds]");
  (adds ? target?.querySelector("input:not([type=hidden]), select, textarea") : target)?.focus();
  expect();
}

// On leaving a changed field; as typed only while an error shows.
form.addEventListener("change", event => {
  const field = fieldOf(event.target);
  if (!field || event.target.type === "file" || event.target.dataset.narrows) return;
  touched.add(field.dataset.field);
  clearTimeout(timer);
  check();
});
form.addEventListener("input", event => {
  if (event.target.dataset.narrows) { narrow(event.target); return; }
  const field = fieldOf(event.target);
  if (!field?.classList.contains("wrong")) return;
  touched.add(field.dataset.field);
  clearTimeout(timer);
  timer = setTimeout(check, 300);
});
form.addEventListener("submit", event => {
  clearTimeout(timer);
  clearTimeout(later);
  const { submitter } = event;
  if (submitter?.name === "rows") { event.preventDefault(); queue(submitter.value); return; }
  if (pending) {
    event.preventDefault();
    edits.then(() => form.requestSubmit(submitter));
    return;
  }
  form.elements.saved.value = number();
  become();
});
// Enter in a filter does not submit the form.
form.addEventListener("keydown", event => {
  if (event.key === "Enter" && event.target.dataset?.narrows) event.preventDefault();
});

/** Leave the choices that hold what is typed; what is chosen stays. */
function narrow(input) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = one => words.every(word => one.textContent.toLowerCase().includes(word));
  const list = document.getElementById(input.dataset.narrows);
  // Not every browser hides the options of a select.
  const all = (list.everyOption ??= list.options ? [...list.options] : [...list.querySelectorAll("label.check")]);
  if (list.options) {
    const value = list.value;
    list.replaceChildren(...all.filter(one => fits(one) || one.selected || !one.value));
    list.value = value;
  } else for (const one of all) one.hidden = !fits(one) && !one.control.checked;
  const count = all.filter(one => fits(one)).length;
  pao.say(count ? input.dataset.some.replace("{n}", count) : input.dataset.none);
}

// A link of the summary leads into a group that may be folded.
const reach = target => { target.closest("details")?.setAttribute("open", ""); target.focus(); };
addEventListener("click", event => {
  const link = event.target.closest?.(".problems a[href*='#']");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  reach(target);
});
const named = location.hash && document.getElementById(location.hash.slice(1));
if (named && form.contains(named)) reach(named);
expect();
