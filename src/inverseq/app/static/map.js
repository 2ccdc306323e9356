// A map of places that can be coloured, walked on and pointed at.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

/** A colour between those of a scale, "#rrggbb" at equal distances. */
function blend(scale, share) {
  const at = Math.min(Math.max(share, 0), 1) * (scale.length - 1);
  const low = Math.min(Math.floor(at), scale.length - 2);
  const parts = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  const above = parts(scale[low + 1]);
  const mixed = parts(scale[low]).map((v, i) => Math.round(v + (above[i] - v) * (at - low)));
  return `rgb(${mixed.join(",")})`;
}

function drawn(kind, parent, told = {}) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(told)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

/** A number as people read it. */
function number(value, digits = 2) {
  return Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "unknown";
}

class PlaceMap {
  /** @param svg Where to draw. @param world Places, doors, steps. @param scales Those of figures. */
  constructor(svg, world, scales) {
    this.svg = svg;
    this.world = world;
    this.scales = scales;
    svg.replaceChildren();
    const xy = world.xy, gap = PlaceMap.spacing(xy, world.doors);
    this.unit = gap;
    const xs = xy.map((p) => p[0] / gap), ys = xy.map((p) => p[1] / gap);
    this.at = xs.map((x, i) => [x, ys[i]]);
    const left = Math.min(...xs) - 0.7, top = Math.min(...ys) - 0.7;
    const wide = Math.max(...xs) - left + 0.7, high = Math.max(...ys) - top + 0.7;
    svg.setAttribute("viewBox", `${left} ${top} ${wide} ${high}`);
    this.doors = new Map();
    for (const [a, b] of world.doors) {
      this.doors.set(`${a} ${b}`, drawn("line", svg, {
        x1: this.at[a][0], y1: this.at[a][1], x2: this.at[b][0], y2: this.at[b][1], class: "door",
      }));
    }
    const ends = new Set(world.ends);
    this.spots = this.at.map(([x, y], i) => drawn("rect", svg, {
      x: x - 0.42, y: y - 0.42, width: 0.84, height: 0.84, rx: 0.1, "data-place": i,
      class: ends.has(i) ? "spot end" : "spot",
    }));
    this.arrows = drawn("g", svg);
    for (const [name, places] of Object.entries(world.marks)) {
      for (const place of places) {
        const [x, y] = this.at[place];
        const side = x > left + wide - 2 ? "end" : x < left + 2 ? "start" : "middle";
        const shift = {end: 0.45, start: -0.45, middle: 0}[side];
        const label = drawn("text", svg, {class: "mark", x: x + shift, y: y - 0.52});
        label.setAttribute("text-anchor", side);
        label.textContent = name;
      }
    }
    this.trail = drawn("polyline", svg, {class: "trail"});
    this.then = drawn("polyline", svg, {class: "trail then"});
    this.animal = drawn("circle", svg, {class: "animal", r: 0.27, visibility: "hidden"});
  }

  /** How far neighbours are apart, as a rule. */
  static spacing(xy, doors) {
    const far = doors.map(([a, b]) => Math.hypot(xy[a][0] - xy[b][0], xy[a][1] - xy[b][1]));
    far.sort((a, b) => a - b);
    return far[0] || 1;
  }

  /** Colour places by numbers, around zero where `signed`. */
  colour(values, signed) {
    const finite = values.filter(Number.isFinite);
    const most = Math.max(...finite.map(Math.abs), 1e-9);
    const low = Math.min(...finite), high = Math.max(...finite);
    values.forEach((value, i) => {
      const share = signed ? (value / most + 1) / 2 : (value - low) / Math.max(high - low, 1e-9);
      const fill = Number.isFinite(value) ? blend(signed ? this.scales.signed : this.scales.plain, share) : "#e4e4e4";
      this.spots[i].setAttribute("fill", fill);
    });
  }

  /** Arrows for what is done most there, where there is a choice. */
  point(policy) {
    this.arrows.replaceChildren();
    policy.forEach((chances, place) => {
      if (chances.filter((p) => p > 0.005).length < 2) return;
      const most = Math.max(...chances);
      chances.forEach((chance, action) => {
        const [dx, dy] = this.world.steps[place][action];
        const far = Math.hypot(dx, dy);
        if (chance < 0.9 * most || far < 1e-6) return;
        const size = 0.2 + 0.18 * chance, [x, y] = this.at[place];
        const ux = dx / far, uy = dy / far, back = 0.14;
        const bx = x - ux * size * 0.7, by = y - uy * size * 0.7, ex = x + ux * size, ey = y + uy * size;
        const d = `M${bx} ${by}L${ex} ${ey}M${ex - back * (ux - uy)} ${ey - back * (uy + ux)}` +
          `L${ex} ${ey}L${ex - back * (ux + uy)} ${ey - back * (uy - ux)}`;
        drawn("path", this.arrows, {class: "arrow halo", d});
        drawn("path", this.arrows, {class: "arrow", d});
      });
    });
  }

  /** A way over places, as it was or as it would be. */
  way(places, then = false) {
    const points = places.filter((p) => p >= 0).map((p) => this.at[p].join(",")).join(" ");
    (then ? this.then : this.trail).setAttribute("points", points);
  }

  /** Where the animal stands; nowhere for -1. */
  stand(place) {
    this.animal.setAttribute("visibility", place >= 0 ? "visible" : "hidden");
    if (place < 0) return;
    this.animal.setAttribute("cx", this.at[place][0]);
    this.animal.setAttribute("cy", this.at[place][1]);
  }

  /** Ring some places. */
  ring(places) {
    for (const spot of this.svg.querySelectorAll(".spot.at")) spot.classList.remove("at");
    for (const place of places) this.spots[place]?.classList.add("at");
  }

  /** Doors that are closed. */
  shut(pairs) {
    for (const line of this.doors.values()) line.setAttribute("class", "door");
    for (const [a, b] of pairs) {
      this.doors.get(`${Math.min(a, b)} ${Math.max(a, b)}`)?.setAttribute("class", "door shut");
    }
  }

  /** Whether one gets from one place to the other in a step. */
  isDoor(a, b) {
    return this.doors.has(`${Math.min(a, b)} ${Math.max(a, b)}`);
  }

  name(place) {
    const [x, y] = this.world.xy[place];
    const mark = Object.entries(this.world.marks).find(([, at]) => at.includes(place));
    return mark?.[0] || this.world.names[place] || `place ${place} (${number(x, 0)}, ${number(y, 0)})`;
  }

  /** The nearest place in a direction. */
  beside(place, dx, dy) {
    const [x, y] = this.at[place];
    let best = place, least = Infinity;
    this.at.forEach(([u, v], i) => {
      const along = (u - x) * dx + (v - y) * dy, aside = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
      const far = along + 2 * aside;
      if (along > 0.1 && far < least) { best = i; least = far; }
    });
    return best;
  }
}
