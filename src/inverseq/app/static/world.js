// The page World: a maze to paint, with the mouse or with the keys.
"use strict";

const maze = document.getElementById("maze");
const MARKS = "#.SG";
const NAMES = {"#": "wall", ".": "free", S: "start", G: "goal"};
const given = maze.dataset.rows ? maze.dataset.rows.split("/") : null;
let rows = given ?? Array.from({length: 10}, () => ".".repeat(10));
let painting = false, last = [0, 0], over = maze.dataset.world;

function draw() {
  const wide = rows[0].length;
  maze.style.gridTemplateColumns = `repeat(${wide}, 1fr)`;
  maze.replaceChildren(...rows.map((row, y) => {
    const line = document.createElement("div");
    line.setAttribute("role", "row");
    line.append(...[...row].map((mark, x) => {
      const cell = document.createElement("button");
      cell.type = "button";
      cell.setAttribute("role", "gridcell");
      Object.assign(cell.dataset, {x, y});
      cell.tabIndex = x === last[0] && y === last[1] ? 0 : -1;
      show(cell, mark);
      return cell;
    }));
    return line;
  }));
  document.getElementById("columns").value = wide;
  document.getElementById("lines").value = rows.length;
}

function show(cell, mark) {
  cell.className = `m${MARKS.indexOf(mark)}`;
  cell.textContent = mark === "S" || mark === "G" ? mark : "";
  cell.setAttribute("aria-label", `row ${Number(cell.dataset.y) + 1}, column ${Number(cell.dataset.x) + 1}: ${NAMES[mark]}`);
}

function cellAt(x, y) { return maze.querySelector(`[data-x="${x}"][data-y="${y}"]`); }

function put(cell) {
  const x = Number(cell.dataset.x), y = Number(cell.dataset.y);
  const mark = document.querySelector('input[name="mark"]:checked').value;
  rows[y] = rows[y].slice(0, x) + mark + rows[y].slice(x + 1);
  show(cell, mark);
  move(x, y, false);
}

function move(x, y, focus = true) {
  const there = cellAt(x, y);
  if (!there) return;
  const before = cellAt(...last);
  if (before) before.tabIndex = -1;
  there.tabIndex = 0;
  last = [x, y];
  if (focus) there.focus();
}

function resize() {
  const wanted = (id) => Math.min(Math.max(Number(document.getElementById(id).value) || 1, 1), 100);
  const wide = wanted("columns"), high = wanted("lines");
  rows = Array.from({length: high}, (_, y) => (rows[y] ?? "").padEnd(wide, ".").slice(0, wide));
  last = [0, 0];
  draw();
}

const cellOf = (event) => {
  const found = document.elementFromPoint(event.clientX, event.clientY);
  return found?.matches("#maze button") ? found : null;
};
maze.addEventListener("pointerdown", (event) => {
  const cell = cellOf(event);
  if (cell) { painting = true; put(cell); event.preventDefault(); }
});
addEventListener("pointermove", (event) => {
  const cell = painting && cellOf(event);
  if (cell) put(cell);
});
addEventListener("pointerup", () => { painting = false; });
maze.addEventListener("keydown", (event) => {
  const ways = {ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowDown: [0, 1], ArrowLeft: [-1, 0]};
  if (ways[event.key]) move(last[0] + ways[event.key][0], last[1] + ways[event.key][1]);
  else if (event.key === " " || event.key === "Enter") put(cellAt(...last));
  else return;
  event.preventDefault();
});
for (const id of ["columns", "lines"]) document.getElementById(id).addEventListener("change", resize);
document.getElementById("paint").addEventListener("submit", async (event) => {
  event.preventDefault();
  const saved = document.getElementById("saved");
  try {
    const name = document.getElementById("name");
    const {world, told} = await send("/api/worlds", {name: name.value, rows, over});
    over = world;
    name.value = world.slice("worlds/".length, -".json".length);  // saved again, it is the same file
    const play = Object.assign(document.createElement("a"), {
      href: `/play?${new URLSearchParams({world})}`, textContent: "Play in it",
    });
    say(saved, `Saved as ${world}. ${told.map((line) => line.trim()).join(". ")}. `);
    saved.append(play, ".");
  } catch (error) {
    say(saved, error.message, true);
  }
});
draw();
