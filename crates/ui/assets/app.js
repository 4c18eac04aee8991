// The page's frame: reads the address after `#`, shows the page it names, and keeps the header in step. State lives
// in that address, so that every view can be reloaded, bookmarked and sent to somebody.

import { el, replace } from "./dom.js";
import * as client from "./client.js";
import { homePage } from "./home.js";
import { queryPage } from "./query.js";
import { traceSearchPage } from "./traces.js";
import { tracePage } from "./trace.js";

// First match wins. Each page gets the element to fill, what its pattern caught, and the address's parameters.
const PAGES = [
  { pattern: /^\/?$/, name: "home", title: "Services", page: homePage },
  { pattern: /^\/query$/, name: "query", title: "Query", page: queryPage },
  { pattern: /^\/traces$/, name: "traces", title: "Traces", page: traceSearchPage },
  { pattern: /^\/trace\/([^/]+)$/, name: "traces", title: "Trace", page: tracePage },
];

const main = document.getElementById("main");
let firstPage = true;

function open() {
  client.abandon();
  const [path, parameters] = location.hash.replace(/^#/, "").split(/\?(.*)/s);
  const found = PAGES.map((entry) => ({ ...entry, match: entry.pattern.exec(path) })).find((entry) => entry.match);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.page === found?.name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = found ? `${found.title} – Tracery` : "Tracery";
  // A fresh element for each page: what an earlier page still has under way fills an element nobody sees.
  const page = el("div", { class: "page" });
  replace(main, page);
  if (found) found.page(page, found.match.slice(1).map(decode), new URLSearchParams(parameters ?? ""));
  else replace(page, el("h1", {}, "No such page"), el("p", {}, el("a", { href: "#/" }, "Back to the services")));
  if (!firstPage) main.focus({ preventScroll: true });
  firstPage = false;
}

function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

async function fillEnvironments() {
  const select = document.getElementById("environment");
  const current = client.environment.get();
  let known = [];
  try { known = await client.environments(); } catch { /* The page below says what is wrong. */ }
  if (!known.some((one) => one.slug === current)) known = [{ slug: current, name: current }, ...known];
  replace(select, known.map((one) => el("option", { value: one.slug, selected: one.slug === current }, one.name || one.slug)));
  select.addEventListener("change", () => { client.environment.set(select.value); open(); });
}

function setUpTheme() {
  const kept = localStorage.getItem("tracery.theme");
  if (kept) document.documentElement.dataset.theme = kept;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("tracery.theme", document.documentElement.dataset.theme);
    // Canvases took their colours when they were drawn.
    dispatchEvent(new Event("resize"));
  });
}

document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
addEventListener("hashchange", open);
setUpTheme();
open();
fillEnvironments();
