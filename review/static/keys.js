// Single keys on every page: G and a letter go to a place, ? shows the list. What else is pressed is told to the page
// as "single-key". Nothing is taken from fields, from open dialogs or from who has turned single keys off.

const WAITS = 1500; // ms: how long G waits for its letter
const PLACES = { d: "/", r: "/queue", t: "/templates", a: "/audit" };
let waiting = 0; // timer after G

const typing = (element) =>
  element.matches?.("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=submit])");

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.key.length !== 1) return;
  if (document.querySelector("dialog[open]") || typing(event.target)) return;
  if (document.getElementById("steps").dataset.keys === "off") return;
  if (document.getElementById("content").ariaBusy === "true") return;
  const key = event.key.toLowerCase();
  const open = document.querySelector(":popover-open");
  if (!open && waiting) goTo(key, event);
  else if (!open && key === "g") waiting = setTimeout(forget, WAITS);
  else if (!open && key === "?") document.getElementById("shortcuts").showPopover();
  else tell(key, open, event);
}

function forget() {
  clearTimeout(waiting);
  waiting = 0;
}

function goTo(key, event) {
  forget();
  const link = document.querySelector(`#steps a[href="${PLACES[key] ?? ""}"]`);
  if (!link) return;
  event.preventDefault();
  link.click();
}

function tell(key, open, event) {
  const told = new CustomEvent("single-key", { detail: { key, open }, cancelable: true });
  if (!document.dispatchEvent(told)) event.preventDefault();
}

document.addEventListener("keydown", pressed);
