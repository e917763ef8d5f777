// Keeps live parts of a page honest: old content says that it is old, and nothing is fetched for a page nobody sees.
"use strict";

const stale = document.getElementById("stale");
const failed = () => { stale.hidden = false; };

// A refresh would throw away the place of a keyboard user and what somebody is about to copy; the part tells its time.
const inUse = (part) => {
  const selection = getSelection();
  return part.querySelector(":focus-visible") !== null || (!selection.isCollapsed && part.contains(selection.anchorNode));
};

document.addEventListener("htmx:sendError", failed);
document.addEventListener("htmx:timeout", failed);
document.addEventListener("htmx:responseError", (event) => {
  // Signed out: the page that says so is better than a table that silently grows old.
  if (event.detail.xhr.status === 401) location.reload();
  else failed();
});
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (event.detail.xhr.status < 400) stale.hidden = true;
});
document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (part.hasAttribute("data-live") && (document.hidden || inUse(part))) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.querySelectorAll("[data-live]").forEach((part) => htmx.trigger(part, "seen"));
});

// What a finished command brought stands in parts of the page that are not live.
document.addEventListener("htmx:beforeSwap", (event) => {
  const wasBusy = event.detail.target.hasAttribute("data-busy");
  if (wasBusy && !/ data-busy[ >]/.test(event.detail.xhr.responseText)) location.reload();
});

// The forms of a page belong to the version that they were made for. When the live part is of another, the page loads
// anew; who has begun to type, or looks at the answer to what he sent, is told instead.
const changed = document.getElementById("changed");
let typed = false;
document.addEventListener("input", (event) => { typed ||= event.target.closest("main form[method=post]") !== null; });
document.addEventListener("htmx:beforeSwap", (event) => {
  const was = event.detail.target.dataset.version, xhr = event.detail.xhr;
  const is = (/ data-version="([^"]*)"/.exec(xhr.responseText) || [])[1];
  if (was === undefined || xhr.status >= 400 || is === was) return;
  const path = event.detail.target.getAttribute("hx-get");
  changed.querySelector("a").href = path;
  if (typed || path !== location.pathname) changed.hidden = false;
  else location.reload();
});

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (!copy) return;
  const text = document.getElementById(copy.dataset.copy).textContent.trim();
  navigator.clipboard.writeText(text).then(() => { copy.textContent = "已复制"; });
});

// Filters act as soon as they are chosen.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto]");
  if (form) form.requestSubmit();
});

// A menu that is open closes by a click elsewhere.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details[name=menu][open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});
