// Sends a request or a decision by script, so that a broken connection can be shown and checked, and what was entered
// stays if it was not accepted.
// Nothing is sent again automatically; the form's key makes it harmless if a person does.

addEventListener("submit", async event => {
  const form = event.target;
  if (!form.hasAttribute("data-certain") || event.defaultPrevented) return;
  event.preventDefault();
  const action = event.submitter?.getAttribute("formaction") ?? form.getAttribute("action");
  const body = new FormData(form, event.submitter);
  try {
    const answer = await fetch(action, { method: "POST", body, headers: { Accept: "text/html" } });
    if (answer.redirected) { location.assign(answer.url); return; }
    const got = new DOMParser().parseFromString(await answer.text(), "text/html");
    const later = [401, 429].includes(answer.status) || answer.status >= 500;
    if (later && got.querySelector("#said")) refused(form, got); else show(got);
  } catch {
    delete form.dataset.sent;
    doubt(form, action);
  }
});

/** Put an answer in the page's place: what is wrong, or what a retry would do. */
function show(got) {
  const main = got.querySelector("main");
  document.querySelector("main").replaceWith(main);
  document.title = got.title;
  globalThis.htmx?.process(main);
  const place = document.getElementById(main.querySelector("[data-place]")?.dataset.place);
  (place ?? main.querySelector("[data-focus]"))?.focus();
}

/** Say beside a form why it was not taken; it can be sent again as it is. */
function refused(form, got) {
  const title = document.createElement("p"), strong = document.createElement("strong");
  strong.textContent = got.querySelector("h1")?.textContent ?? "";
  title.append(strong);
  delete form.dataset.sent;
  notice(form, title, ...got.querySelector("#said").children);
  globalThis.pao?.say(strong.textContent);
}

function notice(form, ...parts) {
  form.querySelector(".doubt")?.remove();
  const box = document.createElement("div");
  box.className = "notice warn doubt";
  box.tabIndex = -1;
  box.append(...parts);
  form.querySelector(".buttons").before(box);
  box.focus();
}

function doubt(form, action) {
  const url = new URL(form.dataset.arrived, location.href);
  url.searchParams.set("decision", action.split("/").pop());
  url.searchParams.set("key", form.elements.key.value);
  const said = document.createElement("p");
  said.textContent = form.dataset.lost;
  const check = document.createElement("button");
  check.type = "button";
  check.textContent = form.dataset.check;
  notice(form, said, check);
  globalThis.pao?.say(form.dataset.lost);
  check.addEventListener("click", async () => {
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" } });
      const got = new DOMParser().parseFromString(await answer.text(), "text/html");
      said.replaceWith(got.querySelector("#answer") ?? got.querySelector("main"));
      check.remove();
    } catch {
      said.textContent = `${form.dataset.lost} ${form.dataset.still}`;
      globalThis.pao?.say(form.dataset.still);
    }
  });
}

// Choices of another system may arrive later; what was chosen stays.
const LATE = 2000, MOST_TIMES = 5;
async function renew(left) {
  const hints = [...document.querySelectorAll("[data-awaited]")], awaited = hints.map(one => one.closest("[data-field]"));
  if (!left) for (const one of hints) one.textContent = document.querySelector("#live").dataset.unread;
  if (!awaited.length || !left) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const got = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of awaited) {
      const fresh = got.querySelector(`[data-field="${CSS.escape(old.dataset.field)}"]`);
      if (!fresh || fresh.querySelector("[data-awaited]") || old.contains(document.activeElement)) continue;
      const chosen = old.querySelector("select")?.value, select = fresh.querySelector("select");
      old.replaceWith(fresh);
      if (select && [...select.options].some(one => one.value === chosen)) select.value = chosen;
    }
  } catch { /* asked again below */ }
  setTimeout(renew, LATE, left - 1);
}
setTimeout(renew, LATE, MOST_TIMES);
