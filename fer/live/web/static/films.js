// A film on Pictures: sent once, told frame by frame while the server reads it.

import { start } from "./live.js";
import * as sheet from "./sheet.js";
import { at, element, emoji, percent, request } from "./shared.js";

const MAX_BYTES = 500_000_000;
const SHOWN = 12; // faces, the longest seen first
const OFTEN = 250; // milliseconds between changes of what is shown

export async function look(file) {
  if (file.size > MAX_BYTES) throw new Error(`Expected at most ${MAX_BYTES / 1e6} MB. Save it smaller.`);
  const stop = new AbortController();
  const people = new Map(); // by number: {first, last, frames, seen: {emotion: frames}}
  const card = made(file, stop);
  at("gallery").prepend(card.figure);
  let frames = 0;
  let shown = 0;
  try {
    for await (const reading of lines(file, stop.signal)) {
      frames += 1;
      sheet.add({ ...reading, path: file.name });
      for (const face of reading.faces) note(people, face, reading.frame);
      at("export").hidden = false;
      if (performance.now() - shown < OFTEN) continue;
      shown = performance.now();
      card.show(`frame ${frames} …`, people);
    }
    card.show(counted(frames, people), people);
  } catch (error) {
    if (!frames) card.figure.remove();
    const ended = stop.signal.aborted ? "stopped" : "broke off";
    card.show(`${ended} · ${counted(frames, people)}`, people);
    if (!stop.signal.aborted) throw error;
  } finally {
    card.end();
  }
}

async function* lines(file, signal) {
  const answer = await request("POST", "/api/films", { body: file, signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const whole = (rest + value).split("\n");
    rest = whole.pop();
    for (const line of whole) yield JSON.parse(line);
  }
}

function note(people, face, frame) {
  const one = people.get(face.track) ?? { first: frame, frames: 0, seen: {} };
  one.last = frame;
  one.frames += 1;
  one.seen[face.emotion] = (one.seen[face.emotion] ?? 0) + 1;
  people.set(face.track, one);
}

function counted(frames, people) {
  return `${frames} frames · ${people.size === 1 ? "1 face" : `${people.size || "no"} faces`}`;
}

function made(file, stop) {
  const address = URL.createObjectURL(file);
  const film = element("video", { src: address, controls: true, muted: true, preload: "metadata" });
  const progress = element("span", { role: "status" }, "sending …");
  const end = element("button", { className: "quiet", onclick: () => stop.abort() }, "Stop");
  const watch = element("button", { className: "quiet", onclick: () => { location.hash = "#live"; start(file); } }, "Watch live");
  // What the server reads and the browser does not has no picture here.
  film.onerror = () => { film.remove(); watch.remove(); };
  const table = element("table", { hidden: true });
  const figure = element("figure", { className: "panel" }, film,
    element("figcaption", { className: "row" }, element("span", {}, `${file.name} · `, progress), end, watch),
    table);
  // Cleared while the server still reads: nobody waits for the rest.
  figure.forget = () => { stop.abort(); URL.revokeObjectURL(address); };
  return {
    figure,
    end: () => end.remove(),
    show(text, people) {
      progress.textContent = text;
      table.hidden = people.size === 0;
      table.replaceChildren(...rows(people));
    },
  };
}

function rows(people) {
  const longest = [...people].sort(([, one], [, other]) => other.frames - one.frames).slice(0, SHOWN);
  const heads = ["Face", "Frames", "Seen most", "Share"].map((name, number) =>
    element("th", { className: number % 2 ? "num" : "" }, name));
  const told = longest.map(([number, { first, last, frames, seen }]) => {
    const [emotion, most] = Object.entries(seen).sort(([, one], [, other]) => other - one)[0];
    const known = emotion !== "null";
    return element("tr", {},
      element("td", {}, String(number)),
      element("td", { className: "num" }, `${first}–${last}`),
      element("td", {}, known ? element("span", { className: "emoji" }, emoji(emotion)) : "", known ? ` ${emotion}` : "no model yet"),
      element("td", { className: "num" }, percent(most / frames)));
  });
  return [element("tr", {}, ...heads), ...told];
}
