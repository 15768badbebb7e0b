// Keeps the day's page fresh and says when it is not. Without it the page is the same, as of when it was opened.
const STALE = 180_000;
const updated = document.getElementById("updated");
const day = () => document.getElementById("day");
const urgent = () => new Set(day().dataset.urgent.split(" ").filter(Boolean));

let renewedAt = Date.now();
let known = urgent();
let opened = [];

function showTitle() {
  const count = Number(day().dataset.flags);
  document.title = (count ? `(${count}) ` : "") + document.title.replace(/^\(\d+\) /, "");
}

function announceNews() {
  const news = [...urgent()].filter((one) => !known.has(one)).length;
  known = urgent();
  if (news) {
    document.getElementById("announced").textContent =
      news === 1 ? "A new urgent answer is waiting." : `${news} new urgent answers are waiting.`;
  }
}

function showAge() {
  const stale = Date.now() - renewedAt > STALE && day().dataset.today === "yes";
  const ending = day().dataset.today === "yes" ? " · refreshes every minute" : "";
  updated.textContent = stale ? `Not updated since ${day().dataset.updated}` : `Updated ${day().dataset.updated}${ending}`;
  updated.classList.toggle("late", stale);
}

function isOurs(event) {
  return event.target instanceof Element && event.target.id === "day";
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isOurs(event) && document.hidden) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isOurs(event)) return;
  // The session has ended: what came is the sign-in page, and it belongs in the whole window.
  if (!event.detail.xhr.responseText.includes('id="day"')) {
    event.detail.shouldSwap = false;
    window.location.reload();
    return;
  }
  opened = [...day().querySelectorAll("details[open][id]")].map((one) => one.id);
});

function renewed() {
  renewedAt = Date.now();
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  opened = [];
  showTitle();
  showAge();
  announceNews();
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (day() && isOurs(event)) renewed();
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() - renewedAt > 60_000) window.htmx?.trigger(day(), "renew");
  showAge();
});
window.setInterval(showAge, 10_000);
