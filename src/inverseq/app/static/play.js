// The page of `inverseq play`: sends each key press once and draws what the server answers.
"use strict";

const KEYS = { ArrowUp: 0, ArrowRight: 1, ArrowDown: 2, ArrowLeft: 3 };
const [WALL, PLAYER, WIN] = [1, 2, 3];
const COMPANION_PAUSE = 150; // milliseconds between moves of a companion that plays on alone
const LABELS = {
  "static-walls": "Static walls",
  "random-walls": "Random walls",
  "random-win": "Random walls and star",
  none: "Nobody",
  expert: "Expert (shortest path)",
  random: "Random",
};
const at = (id) => document.getElementById(id);
const label = (name) => LABELS[name] ?? name;

let socket = null;
let view = null;
let following = 0;
const wanted = {}; // what the person chose, to be chosen again after the connection was lost

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function choose(type, value) {
  wanted[type] = value;
  if (type === "difficulty") at("result").textContent = "Getting the board ready …";
  send({ type, value });
}

function move(action) {
  if (view && !view.person.ended) send({ type: "move", action, board: view.board });
}

function next() {
  if (view?.person.ended) send({ type: "next" });
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/socket`);
  socket.onopen = () => {
    for (const [type, value] of Object.entries(wanted)) send({ type, value });
  };
  socket.onmessage = (event) => {
    const received = JSON.parse(event.data);
    if (received.preparing) prepare(received.preparing);
    else show(received);
  };
  socket.onclose = (event) => {
    view = null;
    const reason = event.code === 1003 ? event.reason : "waiting for it to come back";
    warn(`No connection to the server (${reason}). The running game has ended.`);
    at("next").hidden = at("pad-next").hidden = true;
    if (event.code !== 1003) setTimeout(connect, 1000);
  };
}

function prepare(file) {
  warn("");
  at("file").textContent = file;
  at("result").textContent =
    `Getting the first board ready: a few seconds, once. Games will be added to ${file}.`;
}

function warn(text) {
  at("notice").textContent = text;
  at("notice").hidden = !text;
}

function shape(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function star(x, y) {
  const points = [];
  for (let i = 0; i < 10; i++) {
    const [radius, angle] = [i % 2 ? 0.18 : 0.42, (i * Math.PI) / 5];
    points.push(`${x + 0.5 + radius * Math.sin(angle)},${y + 0.53 - radius * Math.cos(angle)}`);
  }
  return shape("polygon", { class: "win", points: points.join(" ") });
}

function draw(svg, { tiles, ended }, isPerson) {
  const [height, width] = [tiles.length, tiles[0].length];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.style.aspectRatio = `${width} / ${height}`;
  const parts = [];
  tiles.forEach((row, y) =>
    row.forEach((tile, x) => {
      const square = { x, y, width: 1, height: 1, class: tile === WALL ? "wall" : "floor" };
      parts.push(shape("rect", square));
      if (tile === WALL) {
        const d = `M${x + 0.1} ${y + 0.5}l.4 -.4M${x + 0.1} ${y + 0.9}l.8 -.8M${x + 0.5} ${y + 0.9}l.4 -.4`;
        parts.push(shape("path", { d, class: "hatch" }));
      }
      if (tile === WIN) parts.push(star(x, y));
      if (tile === PLAYER && isPerson) {
        parts.push(shape("circle", { cx: x + 0.5, cy: y + 0.5, r: 0.34, class: "player" }));
      } else if (tile === PLAYER) {
        const d = `M${x + 0.5} ${y + 0.1}l.4 .4l-.4 .4l-.4 -.4z`;
        parts.push(shape("path", { d, class: "player" }));
      }
      if (tile === PLAYER && ended === "won") parts.push(star(x, y));
    }),
  );
  svg.replaceChildren(...parts);
}

function find(tiles, code) {
  const cell = tiles.flat().indexOf(code);
  const width = tiles[0].length;
  return cell < 0 ? "" : `row ${Math.floor(cell / width) + 1}, column ${(cell % width) + 1}`;
}

function speak(before) {
  const { person, board } = view;
  const here = find(person.tiles, PLAYER);
  if (!before || before.board !== board) {
    const walls = person.tiles.flat().filter((tile) => tile === WALL).length;
    return `New board with ${walls} walls. You are at ${here}, the star at ${find(person.tiles, WIN)}.`;
  }
  if (before.person.moves === person.moves || person.ended) return at("spoken").textContent;
  const blocked = find(before.person.tiles, PLAYER) === here ? ", blocked" : "";
  return `${person.action}${blocked}: ${here}`;
}

function verdict({ person, companion, best, companionName }) {
  if (!person.ended) return "";
  const fewest = person.moves === best ? "the fewest possible" : `${best} were possible`;
  const told = [person.ended === "won"
    ? `Reached in ${person.moves} ${person.moves === 1 ? "move" : "moves"}: ${fewest}.`
    : `The limit of ${person.moves} moves is reached; ${best} were possible.`];
  if (companion?.ended === "won") told.push(`${label(companionName)}: ${companion.moves}.`);
  else if (companion?.ended) told.push(`${label(companionName)} did not arrive.`);
  else if (companion) told.push(`${label(companionName)} is still on the way …`);
  return told.join(" ");
}

function options(place, names, chosen, type) {
  const buttons = [...place.children];
  if (buttons.length !== names.length) {
    place.replaceChildren(...names.map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label(name);
      button.dataset.value = name;
      button.addEventListener("click", () => choose(type, name));
      return button;
    }));
  }
  for (const button of place.children) {
    button.setAttribute("aria-pressed", String(button.dataset.value === chosen));
  }
}

function show(received) {
  const before = view;
  view = received;
  const { person, companion } = view;
  draw(at("person").querySelector("svg"), person, true);
  const place = find(person.tiles, PLAYER);
  at("person").querySelector("svg").setAttribute("aria-label", `Your board. You are at ${place}.`);
  at("companion").hidden = !companion;
  document.body.classList.toggle("alone", !companion);
  if (companion) {
    draw(at("companion").querySelector("svg"), companion, false);
    at("companion-name").textContent = label(view.companionName);
    at("companion-moves").textContent = companion.moves;
  }
  at("moves").textContent = person.moves;
  at("score").textContent = String(person.score).replace("-", "−");
  at("best").textContent = view.best;
  at("games").textContent = view.games;
  at("ratio").textContent = view.ratio === null ? "–" : view.ratio.toFixed(2);
  at("recorded").textContent = view.recorded;
  at("file").textContent = view.file;
  at("result").textContent = verdict(view);
  at("next").hidden = at("pad-next").hidden = !person.ended;
  warn(view.notice);
  at("spoken").textContent = speak(before);
  options(at("difficulty"), view.difficulties, view.difficulty, "difficulty");
  options(at("companion-choice"), view.companions, view.companionName, "companion");
  clearTimeout(following);
  if (person.ended && companion && !companion.ended) {
    following = setTimeout(() => send({ type: "follow" }), COMPANION_PAUSE);
  }
  document.body.dataset.board = view.board;
  document.body.dataset.moves = person.moves;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target instanceof HTMLInputElement) return;
  if (event.key in KEYS) {
    event.preventDefault(); // arrow keys would scroll the page as well
    if (!event.repeat) move(KEYS[event.key]); // a key that is held down is one press
  } else if (["Enter", " "].includes(event.key) && !(event.target instanceof HTMLButtonElement)) {
    event.preventDefault();
    if (!event.repeat) next();
  }
});
for (const button of document.querySelectorAll("[data-action]")) {
  button.addEventListener("click", () => move(Number(button.dataset.action)));
}
at("next").addEventListener("click", next);
at("pad-next").addEventListener("click", next);
at("name").addEventListener("change", () => choose("name", at("name").value));
at("name").addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.target.blur();
});
connect();
