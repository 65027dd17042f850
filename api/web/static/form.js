// A form that is being filled in. The server judges; this shows what it says, and saves meanwhile.

const form = document.querySelector("[data-form]");
const touched = new Set();
const groups = () => [...form.querySelectorAll("[data-group]")];
const fieldOf = element => element.closest?.("[data-field]");
let latest = 0, timer;

// Once something is saved, this page is the draft's: Back and reload lead to what was entered.
const become = () => {
  if (location.pathname !== form.dataset.address) history.replaceState(null, "", form.dataset.address);
};

// Saves are numbered: a late one does not undo a newer one.
const number = () => (latest = Math.max(latest + 1, Date.now()));

async function check() {
  const saved = number(), body = new FormData(form);
  body.set("saved", saved);
  // Files are sent with the form only.
  for (const input of form.querySelectorAll("input[type=file]")) body.delete(input.name);
  let answer;
  try {
    const response = await fetch(form.dataset.check, { method: "POST", body, headers: { Accept: "application/json" } });
    if (response.status === 401) { location.reload(); return; }
    if (!response.ok) return;
    become();
    answer = await response.json();
  } catch { return; }
  if (saved < latest) return;
  if (answer.submitted) { location.assign(`/requests/${answer.submitted}`); return; }
  show(answer);
}

function show({ visible, errors }) {
  const applies = new Set(visible.map(String));
  for (const field of form.querySelectorAll("[data-field]")) {
    const index = field.dataset.field;
    field.hidden = !applies.has(index);
    if (touched.has(index) || !errors[index]) mark(field, errors[index] ?? "");
  }
  for (const group of groups()) {
    group.hidden = ![...group.querySelectorAll("[data-field]")].some(field => !field.hidden);
  }
}

function mark(field, text) {
  const error = field.querySelector(".error");
  if (!error) return;
  error.textContent = text;
  error.hidden = !text;
  field.classList.toggle("wrong", Boolean(text));
  for (const input of field.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (text) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
  }
}

// On leaving a changed field; as typed only while an error shows.
form.addEventListener("change", event => {
  const field = fieldOf(event.target);
  if (!field || event.target.type === "file") return;
  touched.add(field.dataset.field);
  clearTimeout(timer);
  check();
});
form.addEventListener("input", event => {
  const field = fieldOf(event.target);
  if (!field?.classList.contains("wrong")) return;
  touched.add(field.dataset.field);
  clearTimeout(timer);
  timer = setTimeout(check, 300);
});
form.addEventListener("submit", () => {
  clearTimeout(timer);
  form.elements.saved.value = number();
  become();
});

// A link of the summary leads into a group that may be folded.
addEventListener("click", event => {
  const link = event.target.closest?.(".problems a[href*='#']");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  target.closest("details")?.setAttribute("open", "");
  target.focus();
});
const named = location.hash && document.getElementById(location.hash.slice(1));
if (named && form.contains(named)) {
  named.closest("details")?.setAttribute("open", "");
  named.focus();
}
