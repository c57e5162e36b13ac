// What htmx's attributes cannot: whether updates arrive, outcomes of controls, files as bodies, closing of details.
"use strict";
{
  const element = (id) => document.getElementById(id);
  const write = (id, text) => { if (element(id).textContent !== text) element(id).textContent = text; };
  const on = (name, act) => document.body.addEventListener(name, act);

  on("htmx:sseOpen", () => write("connection", "Updates arrive as they happen."));
  on("htmx:sseError", () => write("connection", "Not connected: this may be out of date. Trying again."));

  // Errors of the control interface are JSON:API documents, whose details say what to do.
  const tell = (title, ok, body) => {
    let reason = body;
    try { reason = JSON.parse(body).errors[0].detail; } catch { /* it is told as it is */ }
    element("outcome").className = ok ? "good" : "bad";
    write("outcome", ok ? `✓ Done: ${title}` : `✕ Not done: ${title}. ${reason}`);
  };
  on("htmx:afterRequest", ({ detail }) => {
    // An update may have replaced the button meanwhile; then the event comes from what contained it.
    const title = detail.requestConfig.elt.dataset.done;
    if (title) tell(title, detail.successful, detail.xhr.responseText || "The mock did not respond.");
  });
  // A parameter whose name is in the path belongs there.
  on("htmx:configRequest", ({ detail }) => {
    detail.path = detail.path.replace(/\{(\w+)\}/g, (_, name) => {
      const value = detail.parameters[name];
      delete detail.parameters[name];
      return encodeURIComponent(value);
    });
  });
  on("submit", async (event) => {
    const { file, method, done } = event.target.dataset;
    if (!file) return;
    event.preventDefault();
    try {
      const body = await event.target.querySelector("[type=file]").files[0].text();
      const response = await fetch(file, { method, body, headers: { "Content-Type": "application/json" } });
      tell(done, response.ok, await response.text());
    } catch (error) {
      tell(done, false, String(error));
    }
  });

  // A list that is replaced between the press and the release of a button of the mouse would lose the click.
  let isPressed = false;
  const late = new Set();
  const release = () => {
    isPressed = false;
    setTimeout(() => {
      for (const part of late) htmx.trigger(part, part.getAttribute("hx-trigger"));
      late.clear();
    });
  };
  on("pointerdown", () => { isPressed = true; });
  on("pointerup", release);
  on("pointercancel", release);
  on("pointermove", ({ buttons }) => { if (isPressed && !buttons) release(); });
  on("htmx:beforeSwap", ({ detail }) => {
    const part = detail.requestConfig.elt;
    if (!isPressed || !part.getAttribute("hx-trigger")?.startsWith("sse:")) return;
    detail.shouldSwap = false;
    late.add(part);
  });

  // Focus returns to what has opened the details, by its id: the list may have been loaded again meanwhile.
  const openers = new Map();
  on("click", ({ target }) => {
    const opener = target.closest("[aria-controls]");
    if (opener) openers.set(opener.getAttribute("aria-controls"), opener.id);
    const details = target.closest(".close")?.closest(".details");
    if (!details) return;
    const opened = openers.get(details.parentElement.id);
    details.remove();
    element(opened)?.focus();
  });
}
