// Pictures: faces and emotions of files that are dropped, as CSV or JSON to take away.

import { drawFaces } from "./draw.js";
import { start } from "./live.js";
import { ask, at, element, emoji, flaws, percent, save, state, tell } from "./shared.js";

const MAX_BYTES = 4_000_000;
const SHRUNK = 2048; // longest side of a picture that is too large to send as it is
const readings = [];

export function build() {
  const drop = at("drop");
  at("file").onchange = () => { take([...at("file").files]); at("file").value = ""; };
  drop.onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    at("file").click();
  };
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") take([...event.dataTransfer.files]);
    });
  }
  at("csv").onclick = () => save(new Blob([csv()], { type: "text/csv" }), "faces.csv");
  at("json").onclick = () => save(new Blob([JSON.stringify(readings, null, 1)], { type: "application/json" }), "faces.json");
  at("clear").onclick = () => {
    readings.length = 0;
    at("gallery").replaceChildren();
    at("export").hidden = true;
  };
}

async function take(files) {
  const film = files.find((file) => file.type.startsWith("video/"));
  for (const file of files.filter((one) => one.type.startsWith("image/"))) {
    try {
      await look(file);
    } catch (error) {
      tell(`${file.name}: ${error.message}`, { problem: true });
    }
  }
  if (film) {
    location.hash = "#live";
    await start(film);
  }
}

async function look(file) {
  // The browser turns it upright as the server does.
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("This is no picture that the browser can read.");
  });
  const sent = file.size > MAX_BYTES ? await shrunk(bitmap) : file;
  const told = await ask("POST", "/api/predict", { body: sent });
  const reading = { path: file.name, width: told.width, height: told.height, faces: told.faces };
  readings.push(reading);
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

function csv() {
  const names = state.about.emotions.map((one) => one.name);
  const lines = [["path", "x", "y", "width", "height", "emotion", "confidence", "score", ...names, "quality"]];
  for (const { path, faces } of readings) {
    for (const { box, emotion, confidence, score, probabilities, quality } of faces) {
      lines.push([path, ...box, emotion, confidence, score, ...names.map((name) => probabilities?.[name]), quality.join(" ")]);
    }
  }
  const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return lines.map((line) => line.map((value) => quoted(String(value ?? ""))).join(",") + "\r\n").join("");
}
