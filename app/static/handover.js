// Cards of a handover's items save themselves; what is not yet saved is said, and not left behind without a word.
"use strict";

const unsaved = new Set();

const status = (form, text) => {
  const line = form.querySelector("[data-saved]");
  if (line) line.textContent = text;
};

// A refusal of one card belongs into that card: the rest of the page is as true as before.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 400 || event.detail.xhr.status >= 500) return;
  if (!event.detail.xhr.getResponseHeader("HX-Retarget")) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-autosave]");
  if (!form || event.target.type === "file") return;
  unsaved.add(form);
  status(form, "还没有保存");
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt.closest("form[data-autosave]");
  if (form) status(form, "正在保存……");
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt.closest("form[data-autosave]");
  if (!form) return;
  if (event.detail.successful) unsaved.delete(form);
  else status(form, "没有保存，请检查网络后再改一次或点“保存”");
});

addEventListener("beforeunload", (event) => {
  if ([...unsaved].some((form) => form.isConnected)) event.preventDefault();
});
