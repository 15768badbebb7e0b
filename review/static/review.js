// The review pages under the hand: keys, the page's place and size, focus, what is fetched ahead, and failures that
// lose nothing. Every control works without this file; it only presses the buttons that are there.

const main = () => document.getElementById("content");
const part = (selector) => main().querySelector(selector);
const LARGEST = 4; // steps of size, see review.css
const SEEN = 300; // ms: what was painted less than this before a press, nobody has read
const AHEAD = []; // pictures of the next record, kept so that the browser has them when the page asks
let zoom = 0;
let failed = null; // what to send again
let words = { address: "", boxes: [] };

// ---- keys

const escaped = (key) => CSS.escape(key);

function pressed(event) {
  if (document.querySelector("dialog.session[open]")) return; // nothing is decided under the end of the session
  if (event.ctrlKey && event.key === "Enter" && event.target.closest?.("#correct-form")) return save(event);
  if (event.key === "Enter" && event.target.matches?.("#correct-form :is(input, select)")) return nextDoubt(event);
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.key !== "Escape") return;
  if (!document.querySelector(":popover-open")) press(main(), "Escape", event);
}

// Told by keys.js, which knows when a key is none.
function singleKey(event) {
  const { key, open } = event.detail;
  if (!open) press(main(), key === "=" ? "+" : key, event);
  else if (/[0-9]/.test(key)) press(open, key, event);
}

function press(scope, key, event) {
  const control = [...scope.querySelectorAll(`[data-key="${escaped(key)}"]`)].find(
    (one) => one.offsetParent !== null || one.closest(":popover-open, .toast"),
  );
  if (!control || control.disabled) return;
  event.preventDefault();
  if (tooSoon(control)) return;
  if (control.matches("input:not([type=radio])")) control.focus();
  else control.click();
  if (control.type === "radio") control.focus();
}

// The second tap of a double press was meant for the record before, or answers a question nobody has read.
function tooSoon(control) {
  return control.type === "submit" && main().contains(control) && "new" in main().dataset;
}

// ---- choosing and correcting

function chosen() {
  return part("input[name=patient_id]:checked");
}

function showChoice() {
  const button = part("#approve-button");
  if (!button) return;
  const one = chosen();
  button.disabled = !one;
  button.querySelector("span").textContent = one ? `Approve: ${one.dataset.name}` : "Approve the chosen patient";
  const kept = part("#correct-form input[name=chosen]");
  if (kept) kept.value = one?.value ?? "";
}

function correct(event) {
  event.preventDefault();
  const place = part("#correct");
  place.open = true;
  const first = place.querySelector("[data-doubtful]") ?? place.querySelector("#total, #result");
  first?.focus();
  first?.select?.();
  fetchWords();
}

function nextDoubt(event) {
  event.preventDefault();
  const doubts = [...part("#correct-form").querySelectorAll("[data-doubtful], [aria-invalid]")];
  const next = doubts[doubts.indexOf(event.target) + 1] ?? doubts.find((one) => one !== event.target);
  (next ?? part("#save-approve")).focus();
  next?.select?.();
}

// Values that were typed and not saved: approving the record would send what was read instead.
function unsaved() {
  const place = part("#correct");
  if (!place) return false;
  const picked = ({ options, selectedIndex }) =>
    selectedIndex !== Math.max([...options].findIndex((one) => one.defaultSelected), 0);
  const changed = (one) => (one.matches("select") ? picked(one) : one.value !== one.defaultValue);
  return "unsaved" in place.dataset || [...place.querySelectorAll("select, input:not([type=hidden])")].some(changed);
}

function save(event) {
  event.preventDefault();
  part("#save-approve").click(); // a click, for htmx sends the value of a button that was clicked
}

function markFaults() {
  for (const field of part("#correct-form").querySelectorAll("[name]")) {
    const fault = part(`#checked [data-field="${escaped(field.name)}"]`);
    if (fault) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

// ---- the page of the report

function placePage() {
  const desk = part(".desk[data-middle]");
  if (!desk) return;
  part(".zoom").hidden = false;
  const sheet = desk.querySelector(".sheet");
  sheet.dataset.zoom = zoom;
  desk.scrollTop = (sheet.offsetHeight * desk.dataset.middle) / 100 - desk.clientHeight / 2;
}

async function fetchWords() {
  const address = part(".desk[data-words]")?.dataset.words;
  if (!address || address === words.address) return;
  const answer = await fetch(address, { headers: { accept: "application/json" } });
  if (answer.ok && !answer.redirected) words = { address, boxes: await answer.json() };
}

function wordAt(event) {
  const sheet = event.target.closest?.(".sheet");
  if (!sheet || !part("#correct")?.open || part(".desk").dataset.words !== words.address) return null;
  const box = sheet.getBoundingClientRect();
  const scale = Number(sheet.dataset.width) / box.width;
  const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  return words.boxes.find(([, x0, top, x1, bottom]) => x >= x0 - 1 && x <= x1 + 1 && y >= top - 2 && y <= bottom + 2);
}

function fill(event) {
  const word = wordAt(event);
  const field = document.activeElement;
  if (!word || !field.matches("#correct-form input:not([type=date])")) return;
  event.preventDefault(); // the field keeps the focus
  field.value = word[0];
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function hover(event) {
  const outline = part(".sheet rect.word");
  if (!outline) return;
  const [, x0, top, x1, bottom] = wordAt(event) ?? ["", 0, 0, 0, 0];
  for (const [name, value] of Object.entries({ x: x0, y: top, width: x1 - x0, height: bottom - top }))
    outline.setAttribute(name, value);
}

// ---- sending, and what goes wrong

function busy(on) {
  main().ariaBusy = on ? "true" : "false";
}

function alarm(sentence, action) {
  const bar = part("#bar-alert");
  if (!bar) return;
  bar.textContent = sentence;
  if (action) bar.append(action);
  bar.hidden = false;
}

function button(text, does) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", does);
  return made;
}

async function again() {
  part("#bar-alert").hidden = true;
  const { form, submitter } = failed;
  if (!(await renewTokens())) return location.replace("/");
  if (submitter) submitter.click();
  else if (form.matches("form")) form.requestSubmit();
  else form.click();
}

// Whoever had to sign in again has a new session: its forms carry another token. False if somebody else did.
async function renewTokens() {
  const answer = await fetch(location.pathname).catch(() => null);
  if (!answer?.ok || answer.redirected) return true;
  const anew = new DOMParser().parseFromString(await answer.text(), "text/html");
  const user = (page) => page.getElementById("session-over")?.dataset.user;
  if (user(anew) !== user(document)) return false;
  const fresh = anew.querySelector("[name=form_token]");
  for (const one of fresh ? document.querySelectorAll("[name=form_token]") : []) one.value = fresh.value;
  return true;
}

function ofPage(event) {
  return event.detail.target === main() || event.detail.target?.id === "content";
}

function sent(event) {
  if (!ofPage(event)) return;
  if (event.detail.elt.id === "approve" && unsaved()) {
    event.preventDefault();
    part("#correct").open = true;
    return alarm("The values you typed are not saved, so nothing was approved. Save them, or leave them as they were.");
  }
  const trigger = event.detail.requestConfig.triggeringEvent;
  failed = { form: event.detail.elt, submitter: trigger?.submitter ?? null };
  busy(true);
  const label = failed.submitter;
  if (label)
    setTimeout(() => {
      if (main().ariaBusy !== "true" || !label.isConnected) return;
      failed.label = [...label.childNodes];
      label.textContent = "Saving…";
    }, 300);
}

function answered(event) {
  if (!ofPage(event)) return;
  const { xhr } = event.detail;
  if (xhr.status === 401 || new URL(xhr.responseURL || location.href).pathname.startsWith("/sign-in")) {
    event.detail.shouldSwap = false;
    const link = Object.assign(document.createElement("a"), { href: "/sign-in", target: "_blank", textContent: "Sign in" });
    alarm("You were signed out. What you entered is kept here. Sign in in another tab, then try again. ", link);
    part("#bar-alert")?.append(button("Try again", again));
    return;
  }
  if (xhr.status < 500 && xhr.responseText.includes('id="content"')) event.detail.shouldSwap = true;
  else if (xhr.status >= 400) lost();
}

function lost() {
  busy(false);
  if (failed?.label) failed.submitter.replaceChildren(...failed.label);
  alarm("Not saved. Your choice is kept here.", button("Try again", again));
}

function swapped(event) {
  if (event.detail.target?.id === "checked") return markFaults();
  if (event.target.id !== "content" && event.detail.target?.id !== "content") return;
  const painted = main();
  painted.dataset.new = "";
  setTimeout(() => delete painted.dataset.new, SEEN);
  ready();
  const place = part("[data-focus]") ?? part("h1");
  if (place.tagName === "H1") place.tabIndex = -1;
  place.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

// The bar keeps its own Undo, so the notice need not cover the table for long.
function fadeNotice() {
  const notice = part(".toast");
  if (notice) setTimeout(() => notice.contains(document.activeElement) || notice.remove(), 8000);
}

function ready() {
  fadeNotice();
  showChoice();
  const scored = part("#scored");
  if (scored) scored.open = window.innerHeight >= 840;
  placePage();
  if (part("#correct")?.open) fetchWords();
  AHEAD.length = 0;
  for (const address of part("#ahead")?.dataset.images.split(" ").filter(Boolean) ?? [])
    AHEAD.push(Object.assign(new Image(), { src: address }));
}

document.addEventListener("keydown", pressed);
document.addEventListener("single-key", singleKey);
document.addEventListener("toggle", (event) => event.newState === "open" && event.target.querySelector("[data-first]")?.focus(), true);
document.addEventListener("change", (event) => event.target.name === "patient_id" && showChoice());
document.addEventListener("mousedown", fill);
document.addEventListener("pointermove", hover);
document.addEventListener("click", (event) => {
  const control = event.target.closest?.("button");
  if (!event.isTrusted || !control || !tooSoon(control)) return;
  event.preventDefault();
  event.stopPropagation();
}, true);
document.addEventListener("click", (event) => {
  const control = event.target.closest?.("[data-opens], button[data-zoom]");
  if (control?.dataset.opens) correct(event);
  if (control?.dataset.zoom) {
    zoom = Math.min(Math.max(zoom + Number(control.dataset.zoom), 0), LARGEST);
    placePage();
  }
});
for (const name of ["htmx:beforeRequest"]) document.addEventListener(name, sent);
for (const name of ["htmx:beforeSwap", "htmx:before:swap"]) document.addEventListener(name, answered);
for (const name of ["htmx:afterSwap", "htmx:after:swap"]) document.addEventListener(name, swapped);
for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, (event) => ofPage(event) && lost());
document.addEventListener("htmx:afterRequest", (event) => ofPage(event) && busy(false));
ready();
