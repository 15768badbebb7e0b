// The end of a session, seen from an open page: warned of a minute before, and never at the price of what was entered.
// The server decides; this module only asks how long is left, and asking does not make it longer.

const channel = new BroadcastChannel("scorebridge-session");
const warning = document.getElementById("session-warning");
const over = document.getElementById("session-over");
const seconds = document.getElementById("session-seconds");
const ACTIVITY_SECONDS = 120;

let timer;
let endsAt = Infinity;
let lastActivity = Date.now();

function token() {
  return document.querySelector('form[action="/sign-out"] input[name=form_token]').value;
}

/** What the server says is left, or null when the session has ended; undefined when the server does not answer. */
async function ask(options = {}) {
  try {
    const answer = await fetch("/session", { redirect: "manual", headers: { Accept: "application/json" }, ...options });
    return answer.ok ? await answer.json() : answer.status >= 500 ? undefined : null;
  } catch {
    return undefined;
  }
}

function again(afterSeconds) {
  clearTimeout(timer);
  timer = setTimeout(check, Math.max(afterSeconds, 1) * 1000);
}

async function check() {
  const left = await ask();
  if (left === undefined) return again(10);
  if (left === null) return end();
  if (left.user !== over.dataset.user) return location.replace("/");
  for (const field of document.querySelectorAll("input[name=form_token]")) field.value = left.form_token;
  resume(left.seconds, left.warn_seconds);
}

function resume(left, warnSeconds) {
  document.documentElement.classList.remove("signed-out");
  if (over.open) over.close();
  endsAt = Date.now() + left * 1000;
  if (left > warnSeconds) {
    if (warning.open) warning.close();
    return again(left - warnSeconds);
  }
  if (!warning.open) warning.showModal();
  count();
}

function count() {
  const left = Math.ceil((endsAt - Date.now()) / 1000);
  if (!warning.open) return;
  if (left <= 0) return check();
  seconds.textContent = left;
  setTimeout(count, 1000);
}

async function stay() {
  lastActivity = Date.now();
  const body = new URLSearchParams({ form_token: token() });
  const left = await ask({ method: "POST", body });
  if (left === undefined) return again(5);
  if (left === null) return end();
  if (warning.open) warning.close();
  channel.postMessage("alive");
  again(left.seconds - 60);
}

/** Cover the page: what it shows is nobody's business now, and what was entered stays in it. */
function end() {
  clearTimeout(timer);
  if (warning.open) warning.close();
  document.documentElement.classList.add("signed-out");
  if (!over.open) over.showModal();
}

channel.addEventListener("message", ({ data }) => {
  if (data === "alive") check();
  if (data === "signed-out") {
    end();
    setTimeout(() => location.replace("/sign-in?said=signed-out"), 1500);
  }
});
document.getElementById("session-stay").addEventListener("click", stay);
for (const dialog of [warning, over]) dialog.addEventListener("cancel", (event) => event.preventDefault());
for (const form of document.querySelectorAll('form[action="/sign-out"], form[action="/account/sessions/close-all"]')) {
  form.addEventListener("submit", () => channel.postMessage("signed-out"));
}
// What a page asks for by itself (a lock renewed, a value checked) must not lead away from it once the session has
// ended: the page is covered instead. Only what a person sends goes on to the sign-in, where it is kept.
document.addEventListener("htmx:beforeRequest", (event) => { if (over.open) event.preventDefault(); });
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (xhr.status !== 401 || ["submit", "click"].includes(requestConfig.triggeringEvent?.type)) return;
  event.preventDefault();
  check();
});
// Somebody who reads and types is there, though no request says so.
for (const kind of ["keydown", "pointerdown"]) {
  document.addEventListener(kind, () => {
    if (!warning.open && !over.open && Date.now() - lastActivity > ACTIVITY_SECONDS * 1000) stay();
  }, { passive: true });
}
// A machine that slept has not counted.
document.addEventListener("visibilitychange", () => { if (!document.hidden) check(); });

channel.postMessage("alive");
check();
