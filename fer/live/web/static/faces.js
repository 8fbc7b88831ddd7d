// The list of faces beside the picture.

import { at, element, emoji, flaws, percent, silent, state, tone } from "./shared.js";

export const chosen = () => state.faces.find((face) => face.track === state.chosen) ?? null;

// Brings the list in line with `state.faces`; `pick` is called with the number of a face.
export function list(pick) {
  const present = at("faces");
  const numbers = state.faces.map((face) => String(face.track));
  for (const item of [...present.children]) if (!numbers.includes(item.dataset.track)) item.remove();
  for (const face of state.faces) {
    let item = [...present.children].find((one) => one.dataset.track === String(face.track));
    if (!item) {
      const button = element("button", { className: "face", onclick: () => pick(face.track) });
      item = element("li", { data: { track: face.track } }, button);
      present.append(item);
    }
    const button = item.firstChild;
    button.setAttribute("aria-pressed", String(face.track === state.chosen));
    button.replaceChildren(...card(face));
  }
  at("noface").hidden = state.faces.length > 0;
}

function card(face) {
  const color = tone(face.emotion);
  const title = face.track === null ? "" : `Face ${face.track}`;
  const told = [
    element("span", { className: "emoji" }, face.emotion ? emoji(face.emotion) : "🙂"),
    element("span", {}, element("strong", {}, face.emotion ?? silent()), ` ${face.emotion ? percent(face.confidence) : ""}`),
    element("span", { className: "muted" }, title),
  ];
  if (!face.emotion) return told;
  const pips = [0, 1, 2, 3, 4].map((number) => {
    const full = Math.max(0, Math.min(1, face.score - number));
    return element("i", { style: { "--full": `${100 * full}%`, "--tone": color } });
  });
  told.push(element("span", { className: "score" }, element("span", { className: "pips" }, ...pips), `intensity ${face.score.toFixed(1)} of 5`));
  if (face.quality.length) told.push(element("span", { className: "flaws" }, `Less sure: ${flaws(face)}`));
  if (state.all) told.push(element("span", { className: "seven" }, ...seven(face)));
  return told;
}

function seven(face) {
  return Object.entries(face.probabilities).flatMap(([name, share]) => [
    element("span", {}, name),
    element("span", { className: "track" }, element("i", { style: { "--share": `${100 * share}%`, "--tone": tone(name) } })),
    element("span", { className: "num" }, percent(share)),
  ]);
}
