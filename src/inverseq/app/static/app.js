// What all pages share: files that come in, parts that are loaded, the queue, things to copy.
"use strict";

const PIECE = 4 << 20;

/** Send JSON; the answer, or an error that says what to do. */
async function send(address, told) {
  return answered(await fetch(address, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(told),
  }));
}

/** The object in an answer. */
async function answered(answer) {
  const told = await answer.json().catch(() => ({error: "The server did not answer. Is it still running?"}));
  if (!answer.ok) throw new Error(told.error);
  return told;
}

/** Say something in a place of the page; nothing hides the place. */
function say(place, words, bad = false) {
  place.hidden = !words;
  place.textContent = words;
  place.classList.toggle("problem", bad);
}

/* Parts of a page that are loaded when they are ready. */
async function load(place, address) {
  const mine = place.dataset.asked = String(Math.random());
  place.setAttribute("aria-busy", "true");
  let words;
  try {
    words = await (await fetch(address)).text();
  } catch {
    words = '<p class="problem" role="alert">The server does not answer. Start inverseq app again: ' +
      "everything finished is there.</p>";
  }
  if (place.dataset.asked !== mine) return;  // something else was asked for since
  place.innerHTML = words;
  place.removeAttribute("aria-busy");
  ready(place);
}

function ready(place) {
  for (const part of place.querySelectorAll("[data-load]")) load(part, part.dataset.load);
  const told = place.querySelector("[data-query]:not(button)");
  if (told && place.id === "part") {
    const tour = new URLSearchParams(location.search).get("tour");
    history.replaceState(null, "", `/data?${told.dataset.query}${tour ? `&tour=${tour}` : ""}`);
  }
}

/* Columns and settings: each change is read anew, and the page stays where it is. */
document.addEventListener("change", (event) => {
  const form = event.target.closest("form");
  if (form?.matches("[data-part]")) {
    const focus = event.target.name;
    load(document.getElementById("part"), `/part/table?${new URLSearchParams(new FormData(form))}`)
      .then(() => document.getElementsByName(focus)[0]?.focus({preventScroll: true}));
  } else if (event.target.matches("[data-go]")) {
    form.submit();
  } else if (event.target.id === "file" && event.target.files.length) {
    upload(event.target.files[0]);
  } else if (event.target.name === "question") {
    question(form);
  }
});

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-part]")) event.preventDefault();
  if (event.target.id === "ask") {
    event.preventDefault();
    ask(event.target);
  } else if (event.target.id === "game-of") {
    event.preventDefault();
    play(event.target);
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.query) {
    load(document.getElementById("part"), `/part/table?${button.dataset.query}`);
  } else if (button.dataset.cancel) {
    button.disabled = true;
    await send(`/api/fits/${button.dataset.cancel}/cancel`, {}).catch(() => {});
  } else if (button.matches("[data-copy]")) {
    copy(button);
  }
});

/** Copy what stands beside a button. */
async function copy(button) {
  const words = button.parentElement.querySelector("pre");
  try {
    await navigator.clipboard.writeText(words.innerText.trim());
    button.textContent = "Copied";
  } catch {  // not allowed here: selected, it can be copied by hand
    getSelection().selectAllChildren(words);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

/** Begin the game in the maze that is chosen, and lead to it. */
async function play(form) {
  const told = document.getElementById("game"), button = form.querySelector("button");
  button.disabled = true;
  say(told, "Getting the game ready …");
  try {
    const {address, table} = await send("/api/play", {world: form.elements.world.value});
    const link = Object.assign(document.createElement("a"), {
      href: address, target: "_blank", rel: "noopener", textContent: "Play in a new tab",
    });
    const fit = Object.assign(document.createElement("a"), {
      href: `/fit?${new URLSearchParams({table})}`, textContent: "fit yourself",
    });
    told.replaceChildren(link, ", and after a few games ", fit, ".");
    link.focus();
  } catch (error) {
    say(told, error.message, true);
  }
  button.disabled = false;
}

/* Files, in pieces: a large one needs no more memory than a small one. */
async function upload(file) {
  const told = document.getElementById("arriving");
  if (file.size > Number(document.getElementById("drop").dataset.limit)) {
    // The server would say so too; it says how to change it.
    say(told, "");
  }
  try {
    const {number} = await send("/api/uploads", {name: file.name, size: file.size});
    let table = null;
    for (let at = 0; table === null; at += PIECE) {
      say(told, `${file.name}: ${Math.round(100 * at / Math.max(file.size, 1))} %`);
      const piece = file.slice(at, at + PIECE);
      const answer = await fetch(`/api/uploads/${number}?at=${at}`, {method: "PUT", body: piece});
      ({table} = await answered(answer));
      if (at + PIECE >= file.size && table === null) throw new Error("The file did not arrive whole.");
    }
    location.assign(`/data?table=${encodeURIComponent(table)}`);
  } catch (error) {
    say(told, error.message, true);
  }
}

const drop = document.getElementById("drop");
if (drop) {
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) upload(event.dataTransfer.files[0]);
    });
  }
}

/* The question, and what belongs to it alone. */
function question(form) {
  const asked = form.elements.question.value;
  for (const row of form.querySelectorAll("[data-for]")) {
    row.hidden = !row.dataset.for.split(" ").includes(asked);
    for (const field of row.querySelectorAll("input, select")) field.disabled = row.hidden;
  }
}

async function ask(form) {
  const refused = document.getElementById("refused");
  const told = Object.fromEntries(new FormData(form));
  const command = told.question === "neurons" ? "neural" : "fit";
  delete told.question;
  try {
    await send("/api/fits", {...told, table: form.dataset.table, command});
    say(refused, "");
    refresh(document.getElementById("queue"));
  } catch (error) {
    say(refused, error.message, true);
  }
}

/* The queue: told by the server. A browser has six lines to a server for all its tabs, and a page
   that finds none free never loads; so one tab listens, and tells the others. */
const tabs = new BroadcastChannel("inverseq-queue");
let stream = null, lastHeard = null;

function listen() {
  stream = new EventSource("/api/events");
  stream.onmessage = (event) => heard(event.data);
  stream.onerror = () => heard("");  // it tries again by itself
}

/** What the line said: to this tab, and to the others. */
function heard(words) {
  lastHeard = words;
  tabs.postMessage(words);
  standing(words);
}

/** How the queue stands; "" where the server does not answer. */
function standing(words) {
  const {busy} = words ? JSON.parse(words) : {busy: 0};
  document.getElementById("busy").textContent =
    words ? (busy ? `${busy} to fit` : "") : "No connection: is inverseq app still running?";
  const queue = document.getElementById("queue");
  if (words && queue) refresh(queue);
}

tabs.onmessage = (event) => {
  if (event.data !== "?") standing(event.data);
  else if (lastHeard !== null && stream) tabs.postMessage(lastHeard);  // a tab that has just been opened asks
};

/** Listen once the tab that did is gone; where tabs cannot agree on one, while this one is seen. */
function watch() {
  if (navigator.locks) {
    tabs.postMessage("?");
    navigator.locks.request("inverseq-queue", () => new Promise(listen));
    return;
  }
  const seen = () => {
    stream?.close();
    stream = null;
    if (!document.hidden) listen();
  };
  document.addEventListener("visibilitychange", seen);
  seen();
}

async function refresh(queue) {
  const answer = await fetch("/part/queue").catch(() => null);
  if (!answer?.ok) return;
  const held = document.activeElement?.dataset.cancel;
  queue.innerHTML = await answer.text();
  if (held) queue.querySelector(`[data-cancel="${held}"]`)?.focus();
}

ready(document);
const asking = document.getElementById("ask");
if (asking) question(asking);
watch();
