// Uploads a film with a progress bar, and shows the films as the server reports them. What comes from people or from the
// service is only ever set as text.

const [form, file, send, cancel, sending, progress, percent, status, offline, empty, films] =
  "form file send cancel sending progress percent status offline empty films".split(" ").map((id) => document.getElementById(id));
const processing = new Map(); // the names of the films that are being processed, by id
let request = null;

function say(text, isProblem = false) {
  status.textContent = text;
  status.classList.toggle("problem", isProblem);
}

function setSending(isSending) {
  sending.hidden = cancel.hidden = !isSending;
  file.disabled = send.disabled = isSending;
  (isSending ? cancel : file).focus();
}

function showProgress(share) {
  progress.value = share;
  percent.textContent = `${Math.floor(share * 100)}%`;
}

function upload(film) {
  request = new XMLHttpRequest(); // fetch() reports no progress of what it sends
  request.open("POST", `films?name=${encodeURIComponent(film.name)}`);
  request.responseType = "json";
  request.upload.onprogress = (event) => showProgress(event.loaded / event.total);
  request.upload.onload = () => say(`${film.name} was sent. ContentGroove is confirming it.`);
  request.onload = () => {
    if (request.status === 201) {
      say(`${film.name} was uploaded.`);
      form.reset();
    } else {
      const detail = request.response?.detail;
      say(typeof detail === "string" ? detail : `${film.name} was not uploaded. Try again later.`, true);
    }
  };
  request.onerror = () => say(`The connection broke. ${film.name} was not uploaded. Try again.`, true);
  request.onabort = () => say(`${film.name} was not uploaded: you cancelled it.`);
  request.onloadend = () => setSending(false);
  say(`Uploading ${film.name}.`);
  showProgress(0);
  setSending(true);
  request.send(film);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const film = file.files[0];
  // The browser tells a type by the name; the server looks into the file, but only after a part of it was sent.
  if (film.type && !/^(audio|video)\//.test(film.type)) {
    say(`${film.name} is neither a video nor an audio file. Choose another file.`, true);
  } else {
    upload(film);
  }
});
cancel.addEventListener("click", () => request.abort());

function element(name, text, ...children) {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

const time = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function filmItem({ name, clips }) {
  const title = element("h3", name);
  if (clips === null) {
    return element("li", "", title, element("p", "Being processed…"));
  }
  const items = clips.map(([start, end, text]) => {
    return element("li", "", element("span", `${time(start)} to ${time(end)}`), text ?? "(no speech)");
  });
  return element("li", "", title, element("p", clips.length === 1 ? "1 clip" : `${clips.length} clips`), element("ol", "", ...items));
}

const events = new EventSource("events"); // reconnects by itself, and gets all films again
events.onopen = () => { offline.textContent = ""; };
events.onerror = () => { offline.textContent = "The connection to this page's server is lost. It is tried again."; };
events.onmessage = (event) => {
  const all = JSON.parse(event.data);
  films.replaceChildren(...all.map(filmItem));
  empty.hidden = all.length > 0;
  for (const { id, name, clips } of all) {
    if (clips === null) {
      processing.set(id, name);
    } else if (processing.delete(id)) {
      say(`The clips of ${name} are ready.`);
    }
  }
};
