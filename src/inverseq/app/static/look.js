// The page Look: the map, a walk over it, and what would be done if something were otherwise.
"use strict";

const $ = (id) => document.getElementById(id);
const alive = $("alive");
const look = {
  fit: alive?.dataset.fit, scene: null, map: null, world: "", part: 0, walk: null, place: -1,
  closed: [], swapped: null, start: null, discount: null, picked: [], plan: null, timer: 0, asked: 0,
};

async function begin() {
  try {
    look.scene = await answered(await fetch(`/api/fits/${look.fit}/scene`));
    if (look.scene.error && !look.scene.trajectories) throw new Error(look.scene.error);
  } catch (error) {
    return only(error.message);
  }
  tellTrajectories();
  if (look.scene.error) {  // decisions can be gone through without a map
    only(look.scene.error);
    alive.querySelector(".stage").hidden = $("what-if").hidden = true;
    alive.querySelector(".alive").classList.add("flat");
    alive.querySelector(".alive").hidden = false;
    look.map = {stand() {}, way() {}, name: () => ""};
    return look.scene.trajectories.length ? follow(look.scene.trajectories[0].begins) : undefined;
  }
  const worlds = Object.keys(look.scene.worlds);
  $("world").replaceChildren(...worlds.map((name) => new Option(name, name)));
  $("which-world").hidden = worlds.length < 2;
  const parts = look.scene.worlds[worlds[0]].intentions.length;
  $("intention").replaceChildren(...Array.from({length: parts}, (_, k) => new Option(k + 1, k)));
  $("which-intention").hidden = parts < 2;
  $("discount").value = look.scene.discount;
  $("discount-told").textContent = number(look.scene.discount);
  $("drawing").remove();
  alive.querySelector(".alive").hidden = false;
  enter(worlds[0]);
  if (look.scene.trajectories.length) await follow(look.scene.trajectories[0].begins);
  const at = new URLSearchParams(location.search).get("at");
  if (at) $(at)?.scrollIntoView({block: "center"});
  return undefined;
}

/** Say why there is no map; the report below says all there is. */
function only(why) {
  $("drawing").remove();
  $("no-map").textContent = `${why[0].toUpperCase()}${why.slice(1)}.`;
  $("no-map").hidden = false;
}

function tellTrajectories() {
  $("trajectory").replaceChildren(...look.scene.trajectories.map((each) => {
    const whose = [each.subject, each.session, each.world].filter(Boolean).join(", ");
    const name = each.trajectory ?? each.begins;
    return new Option(`${name}${whose ? ` (${whose})` : ""}: ${each.count}`, each.begins);
  }));
}

/** The world that is shown. */
function here() { return look.scene.worlds[look.world]; }

function enter(name) {
  look.world = name;
  $("world").value = name;
  look.map = new PlaceMap($("map"), here(), look.scene.scales);
  Object.assign(look, {closed: [], swapped: null, start: null, picked: [], plan: null, place: -1});
  paint();
}

/** Colours and arrows, of the plan where something is otherwise. */
function paint() {
  const part = here().intentions[look.part], by = $("colour").value;
  const shown = look.plan && by !== "reward" ? look.plan[by] : part[by];
  look.map.colour(shown, by === "reward");
  look.map.point((look.plan ?? part).policy);
  look.map.way(look.plan ? look.plan.path : [], true);
  look.map.shut(look.closed);
  const changed = look.closed.length || look.swapped || look.start !== null || look.discount !== null;
  $("undo").disabled = !changed;
}

/** Say what there is to say of a place. */
function tell(place) {
  look.place = place;
  look.map.ring([place, ...look.picked]);
  const part = here().intentions[look.part], policy = (look.plan ?? part).policy[place];
  const does = policy.map((p, a) => [p, look.scene.actions[a]]).filter(([p]) => p >= 0.01)
    .sort((a, b) => b[0] - a[0]).map(([p, name]) => `${name} ${Math.round(100 * p)} %`).join(", ");
  $("place").textContent = `${look.map.name(place)}: reward ${number(part.reward[place])}, value ` +
    `${number((look.plan ?? part).value[place])}, seen ${Math.round(part.visits[place])} times; ${does}`;
}

/** A click, or the enter key, on a place. */
function pick(place) {
  const tool = document.querySelector('input[name="tool"]:checked').value;
  if (tool === "look") return tell(place);
  if (tool === "start") {
    look.start = place;
    look.picked = [];
    return replan();
  }
  look.picked = [...look.picked, place].slice(-2);
  tell(place);
  if (look.picked.length < 2) return undefined;
  const [a, b] = look.picked;
  look.picked = [];
  if (a === b) return undefined;
  if (tool === "swap") {
    look.swapped = [a, b];
  } else if (look.map.isDoor(a, b)) {
    const same = ([c, d]) => (c === a && d === b) || (c === b && d === a);
    const open = look.closed.filter((pair) => !same(pair));
    look.closed = open.length < look.closed.length ? open : [...look.closed, [a, b]];
  } else {
    $("planned").textContent = `There is no door between ${look.map.name(a)} and ${look.map.name(b)}.`;
    return undefined;
  }
  return replan();
}

/** Plan with all changes; the answer to the last question counts. */
async function replan() {
  const mine = look.asked += 1, first = here().first, count = here().xy.length;
  if (!look.closed.length && !look.swapped && look.start === null && look.discount === null) {
    look.plan = null;
    $("planned").textContent = "As it was fitted.";
    return paint();
  }
  const began = performance.now();
  try {
    const plan = await send(`/api/fits/${look.fit}/plan`, {
      intention: look.part, within: [first, first + count],
      start: look.start === null ? null : first + look.start,
      closed: look.closed.map((pair) => pair.map((p) => p + first)),
      swapped: look.swapped && look.swapped.map((p) => p + first),
      discount: look.discount,
    });
    if (mine !== look.asked) return undefined;
    look.plan = plan;
    const way = plan.path.slice(0, 12).map((p) => look.map.name(p)).join(" → ");
    const long = plan.moves === null ? "" : `${number(plan.moves, 1)} moves expected to an end. `;
    $("planned").textContent = `Planned in ${Math.round(performance.now() - began)} ms. ${long}` +
      `Most likely: ${way}${plan.path.length > 12 ? " …" : ""}`;
    $("planned").classList.remove("problem");
  } catch (error) {
    if (mine !== look.asked) return undefined;
    look.closed = look.closed.slice(0, -1);
    look.plan = null;
    say($("planned"), error.message, true);
  }
  return paint();
}

/** The decisions of a trajectory. */
async function follow(begins) {
  stop();
  try {
    look.walk = await answered(await fetch(`/api/fits/${look.fit}/walk?begins=${begins}`));
  } catch (error) {
    $("step").textContent = error.message;
    return;
  }
  if (!look.scene.error && look.walk.world !== look.world) enter(look.walk.world);
  $("scrub").max = look.walk.places.length - 1;
  $("scrub").value = 0;
  strip();
  list();
  step(0);
}

/** The decisions as a table; the one that is stood at is marked, and a click goes to another. */
function list() {
  const {places, actions, probability, beliefs} = look.walk;
  $("how-likely").textContent = beliefs.length ? "intention" : "likely";
  const told = (i) => (beliefs.length ? beliefs.map((b, k) => [b[i], k + 1]).sort((a, b) => b[0] - a[0])[0][1] :
    probability[i] == null ? "" : `${Math.round(100 * probability[i])} %`);
  $("decisions").tBodies[0].replaceChildren(...places.map((_, i) => {
    const row = document.createElement("tr");
    row.dataset.step = i;
    for (const words of [i + 1, where(i).replace(/^place /, ""), actions[i], told(i)]) row.insertCell().textContent = words;
    row.cells[0].className = row.cells[3].className = "number";
    return row;
  }));
  const box = $("decisions").parentElement;
  look.rows = [$("decisions").tBodies[0].rows[0]?.offsetHeight ?? 1, box.clientHeight];
  look.top = box.scrollTop = 0;
  look.marked = null;
  look.surprises = [...places.keys()].filter((i) => probability[i] != null)
    .sort((a, b) => probability[a] - probability[b]);
  look.surprised = 0;
  $("surprises").hidden = !look.surprises.length;
}

/** Where a decision stands, in words. */
function where(i) {
  return (look.walk.places[i] >= 0 && look.map.name(look.walk.places[i])) || look.walk.states[i];
}

/** Mark the row of a decision, in sight of its own box; the page stays where it is. */
function mark(i) {
  const row = $("decisions").tBodies[0].rows[i], [high, shown] = look.rows;
  look.marked?.classList.remove("now");
  row.classList.add("now");
  look.marked = row;
  // No size is asked for here: that would lay out the page anew with each step.
  if (i * high < look.top || i * high > look.top + shown - 3 * high) {
    look.top = Math.max(0, i * high - shown / 3);
    $("decisions").parentElement.scrollTop = look.top;
  }
}

/** How likely each decision was, or which intention was pursued, along the trajectory. */
function strip() {
  const svg = $("strip"), {probability, beliefs, places} = look.walk, n = places.length;
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${n} 100`);
  svg.setAttribute("preserveAspectRatio", "none");
  const lines = beliefs.length ? beliefs : [probability];
  lines.forEach((line, k) => {
    const points = line.map((p, i) => (p === null ? "" : `${i + 0.5},${96 - 92 * p}`)).join(" ");
    const course = drawn("polyline", svg, {class: "chance", points});
    if (beliefs.length) course.style.stroke = look.scene.scales.intentions[k];
  });
  look.now = drawn("line", svg, {class: "now", y1: 0, y2: 100});
  svg.setAttribute("aria-label", beliefs.length ?
    "Which intention was pursued, decision by decision" : "How likely each decision was");
}

/** Stand at a decision. */
function step(i) {
  const {places, actions, probability, beliefs, rows} = look.walk;
  if (!(i >= 0 && i < places.length)) return;
  look.map.stand(places[i]);
  look.map.way(places.slice(Math.max(0, i - 20), i + 1));
  look.now.setAttribute("x1", i + 0.5);
  look.now.setAttribute("x2", i + 0.5);
  const chance = probability[i];
  const how = beliefs.length ?
    beliefs.map((b, k) => `intention ${k + 1}: ${Math.round(100 * b[i])} %`).join(", ") :
    chance == null ? "" : `likely by ${Math.round(100 * chance)} %`;
  mark(i);
  $("step").textContent = `${i + 1} of ${places.length}` + (rows.length ? ` (row ${rows[i]})` : "") +
    `: at ${where(i)}, ${actions[i] || "nothing"}${how ? `; ${how}` : ""}`;
  $("scrub").setAttribute("aria-valuetext", $("step").textContent);
}

function stop() {
  clearInterval(look.timer);
  look.timer = 0;
  $("go").setAttribute("aria-pressed", "false");
  $("go").textContent = "Walk";
}

function go() {
  if (look.timer) return stop();
  $("go").setAttribute("aria-pressed", "true");
  $("go").textContent = "Stand still";
  look.timer = setInterval(() => {
    const next = Number($("scrub").value) + 1;
    if (next > Number($("scrub").max)) return stop();
    $("scrub").value = next;
    return step(next);
  }, 160);
  return undefined;
}

if (alive) {
  const spot = (event) => event.target.closest("[data-place]")?.dataset.place;
  $("map").addEventListener("pointermove", (event) => {
    if (spot(event) !== undefined) tell(Number(spot(event)));
  });
  $("map").addEventListener("click", (event) => {
    if (spot(event) !== undefined) pick(Number(spot(event)));
  });
  $("map").addEventListener("keydown", (event) => {
    const ways = {ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowDown: [0, 1], ArrowLeft: [-1, 0]};
    const place = Math.max(look.place, 0);
    if (ways[event.key]) tell(look.map.beside(place, ...ways[event.key]));
    else if (event.key === "Enter" || event.key === " ") pick(place);
    else return;
    event.preventDefault();
  });
  $("colour").addEventListener("change", paint);
  $("world").addEventListener("change", () => { enter($("world").value); look.map.stand(-1); });
  $("intention").addEventListener("change", () => {
    look.part = Number($("intention").value);
    replan();
  });
  $("trajectory").addEventListener("change", () => follow($("trajectory").value));
  $("scrub").addEventListener("input", () => step(Number($("scrub").value)));
  $("strip").addEventListener("pointermove", (event) => {
    const box = $("strip").getBoundingClientRect();
    const at = Math.floor((event.clientX - box.left) / box.width * look.walk.places.length);
    $("scrub").value = at;
    step(Number($("scrub").value));
  });
  $("go").addEventListener("click", go);
  $("decisions").parentElement.addEventListener("scroll", (event) => { look.top = event.target.scrollTop; });
  const goTo = (i) => { $("scrub").value = i; step(i); };
  $("decisions").addEventListener("click", (event) => {
    const row = event.target.closest("[data-step]");
    if (row) goTo(Number(row.dataset.step));
  });
  $("surprise").addEventListener("click", () => {
    goTo(look.surprises[look.surprised]);
    look.surprised = (look.surprised + 1) % look.surprises.length;
  });
  $("discount").addEventListener("input", () => {
    look.discount = Number($("discount").value);
    $("discount-told").textContent = number(look.discount);
    replan();
  });
  $("undo").addEventListener("click", () => {
    Object.assign(look, {closed: [], swapped: null, start: null, discount: null, picked: []});
    $("discount").value = look.scene.discount;
    $("discount-told").textContent = number(look.scene.discount);
    replan();
  });
  begin();
}
