// Accuracy over versions: a line a domain through the versions that became champion.

import { at, element } from "./shared.js";
import { share } from "./verdict.js";

const SIGNS = ["circle", "square", "diamond", "triangle"]; // colours alone do not tell everyone
const COLOURS = 6;
const ROOM = { left: 48, right: 16, top: 12, bottom: 26 }; // pixels around the plot
const HIGH = 240;

// `versions` as /api/models tells them, newest first.
export function draw(versions) {
  const shown = [...versions].reverse().filter((one) => one.accuracy !== null || domainsOf(one).length);
  const lines = shown.length > 1 ? linesOf(shown) : [];
  at("curves").hidden = !lines.length;
  if (!lines.length) return;
  const plot = plotOf(shown, lines, at("curve").clientWidth);
  at("curve").replaceChildren(...grid(plot), ...axis(plot), ...lines.flatMap((line) => drawn(plot, line)));
  at("curve").setAttribute("viewBox", `0 0 ${plot.width} ${HIGH}`);
  at("names").replaceChildren(...lines.map((line) => {
    const sign = svg("svg", { viewBox: "-8 -8 16 16", class: `${line.tone} sign`, "aria-hidden": "true" });
    sign.append(mark(line.sign, 0, 0, 5, { class: "mark" }));
    return element("li", {}, sign, line.name);
  }));
}

const domainsOf = (one) => Object.keys(one.domains);
const became = (one) => one.verdict !== "refused";

function linesOf(shown) {
  const names = [...new Set(shown.flatMap(domainsOf))];
  const lines = names.map((name, number) => ({
    name,
    tone: `tone-${number % COLOURS}`,
    sign: SIGNS[number % SIGNS.length],
    points: shown.flatMap((one, place) => (one.domains[name] ? [{ one, place, value: one.domains[name].candidate }] : [])),
  }));
  const means = shown.flatMap((one, place) => (one.accuracy === null ? [] : [{ one, place, value: one.accuracy }]));
  if (names.length !== 1) lines.unshift({ name: "mean over domains", tone: "tone-mean", sign: "circle", points: means });
  return lines;
}

function plotOf(shown, lines, width) {
  const values = lines.flatMap((line) => line.points.map((point) => point.value));
  const least = Math.min(...values);
  const most = Math.max(...values);
  const step = most - least > 0.3 ? 0.2 : most - least > 0.12 ? 0.1 : 0.05;
  const low = Math.max(0, step * Math.floor(least / step + 1e-9));
  const high = Math.min(1, Math.max(low + step, step * Math.ceil(most / step - 1e-9)));
  const wide = width - ROOM.left - ROOM.right;
  const tall = HIGH - ROOM.top - ROOM.bottom;
  return {
    shown, width, low, high, step,
    x: (place) => ROOM.left + 12 + ((wide - 24) * place) / (shown.length - 1),
    y: (value) => ROOM.top + tall * (1 - (value - low) / (high - low)),
  };
}

function grid({ width, low, high, step, y }) {
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, number) => low + number * step);
  return ticks.flatMap((value) => [
    svg("line", { class: "rule", x1: ROOM.left, x2: width - ROOM.right, y1: y(value), y2: y(value) }),
    text(`${Math.round(100 * value)} %`, { x: ROOM.left - 8, y: y(value) + 4, "text-anchor": "end" }),
  ]);
}

function axis({ shown, width, x }) {
  // As many numbers as there is room for; the champion's always.
  const every = Math.ceil((shown.length * 34) / (width - ROOM.left - ROOM.right));
  return shown.flatMap((one, place) => {
    const champion = one.aliases.includes("champion");
    if (!champion && (shown.length - 1 - place) % every) return [];
    return [text(`v${one.version}`, { x: x(place), y: HIGH - 6, "text-anchor": "middle", class: champion ? "now" : "" })];
  });
}

function drawn({ x, y }, { name, tone, sign, points }) {
  const way = points.filter(({ one }) => became(one)).map(({ place, value }) => `${x(place)},${y(value)}`);
  const group = svg("g", { class: tone });
  group.append(svg("polyline", { points: way.join(" ") }));
  for (const { one, place, value } of points) {
    const made = mark(sign, x(place), y(value), one.aliases.includes("champion") ? 6 : 4.5, {
      class: became(one) ? "mark" : "mark refused",
    });
    const title = svg("title", {});
    title.textContent = `version ${one.version}, ${one.verdict ?? "no verdict"}: ${name} ${share(value)}`;
    made.append(title);
    group.append(made);
  }
  return [group];
}

function mark(sign, x, y, size, settings) {
  if (sign === "circle") return svg("circle", { cx: x, cy: y, r: size, ...settings });
  const corners = {
    square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
    diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
    triangle: [[0, -1.2], [1.2, 1], [-1.2, 1]],
  }[sign];
  const points = corners.map(([right, down]) => `${x + 0.9 * size * right},${y + 0.9 * size * down}`).join(" ");
  return svg("polygon", { points, ...settings });
}

function text(words, settings) {
  const made = svg("text", settings);
  made.textContent = words;
  return made;
}

function svg(tag, settings) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(settings)) made.setAttribute(name, value);
  return made;
}
