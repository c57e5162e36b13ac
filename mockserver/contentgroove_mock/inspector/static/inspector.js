// Says whether updates arrive, and closes details. All else on the page is htmx and its attributes.
"use strict";
{
  const connection = document.getElementById("connection");
  const say = (text) => { if (connection.textContent !== text) connection.textContent = text; };
  document.body.addEventListener("htmx:sseOpen", () => say("Updates arrive as they happen."));
  document.body.addEventListener("htmx:sseError", () => say("Not connected: this may be out of date. Trying again."));

  // Focus returns to what has opened the details, by its id: the list may have been loaded again meanwhile.
  const openers = new Map();
  document.body.addEventListener("click", (event) => {
    const opener = event.target.closest("[aria-controls]");
    if (opener) openers.set(opener.getAttribute("aria-controls"), opener.id);
    const details = event.target.closest(".close")?.closest(".details");
    if (!details) return;
    const opened = openers.get(details.parentElement.id);
    details.remove();
    document.getElementById(opened)?.focus();
  });
}
