// Pictures: faces and emotions of files that are dropped, as CSV or JSON to take away.

import { drawFaces } from "./draw.js";
import * as films from "./films.js";
import { ask, at, element, emoji, flaws, percent, save, tell } from "./shared.js";
import * as sheet from "./sheet.js";

const MAX_BYTES = 4_000_000;
const SHRUNK = 2048; // longest side of a picture that is too large to send as it is

export function build() {
  const drop = at("drop");
  at("file").onchange = () => { take([...at("file").files]); at("file").value = ""; };
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") take([...event.dataTransfer.files]);
    });
  }
  at("csv").onclick = () => save(sheet.csv(), "faces.csv");
  at("json").onclick = () => save(sheet.json(), "faces.json");
  at("clear").onclick = () => {
    sheet.clear();
    for (const one of at("gallery").children) one.forget?.();
    at("gallery").replaceChildren();
    at("export").hidden = true;
  };
}

async function take(files) {
  for (const file of files) {
    try {
      // What the browser cannot name may still be a film: the server tells.
      await (file.type.startsWith("image/") ? look(file) : films.look(file));
    } catch (error) {
      tell(`${file.name}: ${error.message}`, { problem: true });
    }
  }
}

async function look(file) {
  // The browser turns it upright as the server does.
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("This is no picture that the browser can read.");
  });
  const sent = file.size > MAX_BYTES ? await shrunk(bitmap) : file;
  const told = await ask("POST", "/api/predict", { body: sent });
  const { frame: _, ...picture } = told; // it has none
  const reading = { ...picture, path: file.name };
  sheet.add(reading);
  at("gallery").prepend(figure(reading, bitmap));
  at("export").hidden = false;
}

async function shrunk(bitmap) {
  const scale = SHRUNK / Math.max(bitmap.width, bitmap.height);
  const canvas = element("canvas", { width: Math.round(scale * bitmap.width), height: Math.round(scale * bitmap.height) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}

function figure(reading, bitmap) {
  const { width, height, faces } = reading;
  const canvas = element("canvas", { width, height });
  const pen = canvas.getContext("2d");
  pen.drawImage(bitmap, 0, 0, width, height);
  drawFaces(pen, faces, { width, height, area: { width, height }, size: Math.max(11, width / 42) });
  const rows = faces.map((face) => element("tr", {},
    element("td", {}, element("span", { className: "emoji" }, emoji(face.emotion)), ` ${face.emotion ?? "no model yet"}`,
      element("span", { className: "muted" }, face.quality.length ? ` (${flaws(face)})` : "")),
    element("td", { className: "num" }, face.emotion ? percent(face.confidence) : ""),
    element("td", { className: "num" }, face.emotion ? face.score.toFixed(1) : "")));
  const heads = ["Emotion", "Confidence", "Intensity"];
  const table = element("table", {}, element("tr", {}, ...heads.map((name, number) =>
    element("th", { className: number ? "num" : "" }, name))), ...rows);
  const count = faces.length === 1 ? "1 face" : `${faces.length || "no"} faces`;
  return element("figure", { className: "panel" }, canvas,
    element("figcaption", {}, `${reading.path} · ${count}`), faces.length ? table : null);
}
