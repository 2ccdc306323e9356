// The page World, of states that are connected: with the mouse or with the keys.
"use strict";

const canvas = document.getElementById("canvas"), WIDE = 24, HIGH = 16;
const SVG_SPACE = "http://www.w3.org/2000/svg";
const net = {...JSON.parse(canvas.dataset.known), over: canvas.dataset.world, from: null, held: null};
const field = (id) => document.getElementById(id);
const tool = () => document.querySelector('input[name="tool"]:checked').value;
const within = (value, most) => Math.round(10 * Math.min(Math.max(value, 0.8), most - 0.8)) / 10;

function part(kind, parent, told = {}) {
  const made = document.createElementNS(SVG_SPACE, kind);
  for (const [name, value] of Object.entries(told)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

function tell(words, bad = false) { say(field("told"), words, bad); }

/** Where a way runs: a bow, so that the way back is another; a ring where it stays. */
function course(a, b) {
  const far = Math.hypot(b.x - a.x, b.y - a.y);
  if (far < 0.01) {
    return {d: `M${a.x - 0.35} ${a.y - 0.4}C${a.x - 1.3} ${a.y - 1.9} ${a.x + 1.3} ${a.y - 1.9} ${a.x + 0.35} ${a.y - 0.4}`,
      at: [a.x, a.y - 1.6], head: [a.x + 0.35, a.y - 0.4, 0.5, 1]};
  }
  const ux = (b.x - a.x) / far, uy = (b.y - a.y) / far, bow = 0.12 * far + 0.25;
  const mx = (a.x + b.x) / 2 - uy * bow, my = (a.y + b.y) / 2 + ux * bow;
  const ends = (from, to) => { const f = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
    return [from[0] + (to[0] - from[0]) / f * 0.55, from[1] + (to[1] - from[1]) / f * 0.55]; };
  const [sx, sy] = ends([a.x, a.y], [mx, my]), [ex, ey] = ends([b.x, b.y], [mx, my]);
  return {d: `M${sx} ${sy}Q${mx} ${my} ${ex} ${ey}`, at: [(a.x + b.x) / 4 + mx / 2, (a.y + b.y) / 4 + my / 2],
    head: [ex, ey, ex - mx, ey - my]};
}

function draw() {
  const focus = document.activeElement?.dataset?.state;
  canvas.replaceChildren();
  const places = new Map(net.states.map((state) => [state.name, state]));
  const pairs = new Map();
  net.ways.forEach((way) => {
    const key = JSON.stringify([way.from, way.to]);
    pairs.set(key, [...(pairs.get(key) ?? []), way]);
  });
  for (const [key, ways] of pairs) {
    const [from, to] = JSON.parse(key), {d, at, head} = course(places.get(from), places.get(to));
    const group = part("g", canvas, {class: "way", "data-pair": key});
    part("path", group, {class: "reach", d});
    part("path", group, {class: "line", d});
    const [x, y, dx, dy] = head, f = Math.hypot(dx, dy) || 1, ux = dx / f * 0.32, uy = dy / f * 0.32;
    part("path", group, {class: "head", d: `M${x} ${y}L${x - ux - uy * 0.5} ${y - uy + ux * 0.5}L${x - ux + uy * 0.5} ${y - uy - ux * 0.5}z`});
    const names = [...new Set(ways.map((way) => way.action))];
    const label = part("text", group, {x: at[0], y: at[1], class: "what"});
    label.textContent = names.slice(0, 2).join(", ") + (names.length > 2 ? " …" : "");
  }
  for (const state of net.states) {
    const ways = net.ways.filter((way) => way.from === state.name);
    const led = ways.map((way) => `${way.action} to ${way.to}`).join(", ") || "an end";
    const spot = part("g", canvas, {
      class: `state${ways.length ? "" : " end"}${net.from === state.name ? " from" : ""}`, role: "button", tabindex: 0,
      "data-state": state.name, "aria-label": `${state.name}: ${led}`,
    });
    part("circle", spot, {cx: state.x, cy: state.y, r: 0.5});
    part("text", spot, {x: state.x, y: state.y + 0.95}).textContent = state.name;
    if (state.name === focus) spot.focus({preventScroll: true});
  }
  const rows = net.ways.map((way, i) => {
    const row = document.createElement("tr"), likely = document.createElement("input");
    for (const words of [way.from, way.action, way.to]) row.insertCell().textContent = words;
    Object.assign(likely, {value: way.weight, inputMode: "decimal"});
    likely.setAttribute("aria-label", `How likely ${way.action} leads from ${way.from} to ${way.to}`);
    likely.addEventListener("change", () => {
      if (Number(likely.value) > 0) way.weight = Number(likely.value);
      likely.value = way.weight;
    });
    row.insertCell().append(likely);
    const button = Object.assign(document.createElement("button"), {type: "button", textContent: "Remove"});
    button.setAttribute("aria-label", `Remove ${way.action} from ${way.from} to ${way.to}`);
    button.addEventListener("click", () => { net.ways.splice(i, 1); draw(); });
    row.insertCell().append(button);
    return row;
  });
  document.querySelector("#ways tbody").replaceChildren(...rows);
  field("actions").replaceChildren(...[...new Set(net.ways.map((way) => way.action))].map((a) => new Option(a)));
}

function find(name) { return net.states.find((state) => state.name === name); }

/** A state at a place, under the name that was told or the next that is free. */
function add(x, y) {
  let name = field("state-name").value.trim(), n = net.states.length + 1;
  if (name && find(name)) return tell(`There is a state ${name} already.`, true);
  while (!name || find(name)) name = `s${n++}`;
  field("state-name").value = "";
  net.states.push({name, x: within(x, WIDE), y: within(y, HIGH)});
  draw();
  return tell(`${name} is there.`);
}

/** Begin a way at a state, or end it there. */
function connect(name) {
  if (net.from === null) {
    net.from = name;
    draw();
    return tell(`From ${name}: now the state that it leads to, or the same.`);
  }
  const way = {from: net.from, action: field("action").value.trim() || "go", to: name, weight: 1};
  net.from = null;
  const twice = net.ways.some((w) => w.from === way.from && w.action === way.action && w.to === way.to);
  if (!twice) net.ways.push(way);
  draw();
  return tell(`${way.action} leads from ${way.from} to ${way.to}.`);
}

function remove(name) {
  net.states = net.states.filter((state) => state.name !== name);
  net.ways = net.ways.filter((way) => way.from !== name && way.to !== name);
  if (net.from === name) net.from = null;
  draw();
  tell(`${name} and its ways are gone.`);
}

/** Where nobody said: states that lead to one another near, all others apart (Fruchterman and Reingold 1991). */
function arrange() {
  const n = net.states.length, ideal = Math.sqrt(WIDE * HIGH / Math.max(n, 1)) * 0.8;
  const at = net.states.map((_, i) => [Math.cos(2 * Math.PI * i / n) * WIDE / 3, Math.sin(2 * Math.PI * i / n) * HIGH / 3]);
  const number = new Map(net.states.map((state, i) => [state.name, i]));
  const pairs = net.ways.map((way) => [number.get(way.from), number.get(way.to)]).filter(([a, b]) => a !== b);
  for (let heat = WIDE / 8; heat > 0.02; heat *= 0.95) {
    const push = at.map(() => [0, 0]);
    const between = (a, b, force) => {
      const dx = at[a][0] - at[b][0] || 0.01 * (a - b), dy = at[a][1] - at[b][1], far = Math.hypot(dx, dy) || 0.01;
      const f = force(far) / far;
      push[a][0] += dx * f; push[a][1] += dy * f; push[b][0] -= dx * f; push[b][1] -= dy * f;
    };
    for (let a = 0; a < n; a++) for (let b = 0; b < a; b++) between(a, b, (far) => ideal * ideal / far);
    for (const [a, b] of pairs) between(a, b, (far) => -far * far / ideal);
    at.forEach((p, i) => {
      const f = Math.hypot(...push[i]) || 1, step = Math.min(f, heat);
      p[0] += push[i][0] / f * step; p[1] += push[i][1] / f * step;
    });
  }
  lay(at);
}

/** Put the states where they are told to be, as large as the canvas. */
function lay(at) {
  const low = (k) => Math.min(...at.map((p) => p[k])), high = (k) => Math.max(...at.map((p) => p[k]));
  const [x0, y0] = [low(0), low(1)], [w, h] = [high(0) - x0, high(1) - y0];
  const zoom = Math.min((WIDE - 3) / (w || 1), (HIGH - 3.5) / (h || 1));
  net.states.forEach((state, i) => {
    state.x = within(WIDE / 2 + (at[i][0] - x0 - w / 2) * zoom, WIDE);
    state.y = within(HIGH / 2 + (at[i][1] - y0 - h / 2) * zoom, HIGH);
  });
  draw();
}

function point(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * WIDE, (event.clientY - box.top) / box.height * HIGH];
}

canvas.addEventListener("pointerdown", (event) => {
  const name = event.target.closest("[data-state]")?.dataset.state, pair = event.target.closest("[data-pair]");
  if (tool() === "add" && !name) add(...point(event));
  else if (tool() === "way" && name) connect(name);
  else if (tool() === "remove" && name) remove(name);
  else if (tool() === "remove" && pair) {
    const [from, to] = JSON.parse(pair.dataset.pair);
    net.ways = net.ways.filter((way) => way.from !== from || way.to !== to);
    draw();
  } else if (tool() === "move" && name) net.held = find(name);
  else return;
  event.preventDefault();
});
addEventListener("pointermove", (event) => {
  if (!net.held) return;
  const [x, y] = point(event);
  Object.assign(net.held, {x: within(x, WIDE), y: within(y, HIGH)});
  draw();
});
addEventListener("pointerup", () => { net.held = null; });
canvas.addEventListener("keydown", (event) => {
  const state = find(event.target.closest("[data-state]")?.dataset.state);
  const ways = {ArrowUp: [0, -0.5], ArrowRight: [0.5, 0], ArrowDown: [0, 0.5], ArrowLeft: [-0.5, 0]};
  if (!state) return;
  if (ways[event.key]) {
    state.x = within(state.x + ways[event.key][0], WIDE);
    state.y = within(state.y + ways[event.key][1], HIGH);
    draw();
  } else if (event.key === "Enter" || event.key === " ") connect(state.name);
  else if (event.key === "Delete") remove(state.name);
  else if (event.key === "Escape") { net.from = null; draw(); tell(""); } else return;
  event.preventDefault();
});
field("add-state").addEventListener("click", () => add(2 + 2.5 * (net.states.length % 8), 2 + 2.5 * (Math.floor(net.states.length / 8) % 6)));
field("arrange").addEventListener("click", arrange);
field("connect").addEventListener("submit", async (event) => {
  event.preventDefault();
  const saved = field("saved"), name = field("name");
  try {
    const {world, told} = await send("/api/worlds", {name: name.value, over: net.over, states: net.states, ways: net.ways});
    net.over = world;
    name.value = world.slice("worlds/".length, -".csv".length);  // saved again, it is the same file
    say(saved, `Saved as ${world}. ${told.map((line) => line.trim()).join(". ")}.`);
  } catch (error) {
    say(saved, error.message, true);
  }
});

async function begin() {
  if (!canvas.dataset.laid) return draw();
  tell("Reading the table …");
  try {
    const told = await answered(await fetch(`/api/states?${canvas.dataset.laid}`));
    Object.assign(net, told);
    if (net.states.every((state) => "x" in state)) lay(net.states.map((state) => [state.x, state.y]));
    else arrange();
    return tell(`${net.states.length} states and ${net.ways.length} ways, as they were seen. Remove what cannot be, add what can.`);
  } catch (error) {
    draw();
    return tell(error.message, true);
  }
}

begin();
