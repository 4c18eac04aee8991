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
  document.getElementById("top").classList.remove("locked");
  if (!firstPage) main.focus({ preventScroll: true });
  firstPage = false;
}

function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

/** What a server that knows its people shows to somebody it does not know yet. */
function askWho() {
  if (document.getElementById("login")) return;
  client.abandon();
  document.title = "Log in – Tracery";
  document.getElementById("top").classList.add("locked");
  const failed = el("p", { class: "bad", role: "alert" });
  const input = (name, label, more) => el("label", {}, label, el("input", { name, required: true, ...more }));
  const form = el("form", { id: "login", class: "login", onsubmit: async (event) => {
    event.preventDefault();
    failed.textContent = "";
    const given = new FormData(form);
    try {
      await client.logIn(given.get("name"), given.get("password"));
      form.remove();
      await fillEnvironments();
      open();
    } catch (error) {
      failed.textContent = /\(401\)$/.test(error.message) ? "Name and password do not fit." : error.message;
    }
  } },
  el("h1", {}, "Log in"),
  input("name", "Name", { autocomplete: "username", spellcheck: "false" }),
  input("password", "Password", { type: "password", autocomplete: "current-password" }),
  el("button", {}, "Log in"), failed,
  el("p", { class: "note" }, "The first account is made on the server: ", el("code", {}, "tracery users create-admin --name NAME")));
  replace(main, form);
  form.querySelector("input").focus();
}

async function showWho() {
  const leave = document.getElementById("leave");
  let who = null;
  try { who = await client.session(); } catch { /* Nobody yet. */ }
  leave.hidden = who?.kind !== "session";
  leave.title = who?.user ? `Logged in as ${who.user}` : "";
}

async function fillEnvironments() {
  showWho();
  const select = document.getElementById("environment");
  const current = client.environment.get();
  let known = [];
  try { known = await client.environments(); } catch { /* The page below says what is wrong. */ }
  if (!known.some((one) => one.slug === current)) known = [{ slug: current, name: current }, ...known];
  replace(select, known.map((one) => el("option", { value: one.slug, selected: one.slug === current }, one.name || one.slug)));
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
document.getElementById("environment").addEventListener("change", (event) => { client.environment.set(event.target.value); open(); });
document.getElementById("leave").addEventListener("click", async () => {
  try { await client.logOut(); } catch { /* The page that opens says what is wrong. */ }
  open();
});
addEventListener("unauthenticated", askWho);
addEventListener("hashchange", open);
setUpTheme();
open();
fillEnvironments();
