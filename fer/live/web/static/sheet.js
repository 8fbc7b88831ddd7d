// What was read, as CSV and JSON to take away; laid out as `fer predict` does.

import { state } from "./shared.js";

const PART = 1_000_000; // characters

// A long film has more rows than should be in memory. Parts of a Blob lie outside the page's, and
// on disk where there are many.
class Sheet {
  #parts = [];
  #text = "";

  add(text) {
    this.#text += text;
    if (this.#text.length >= PART) this.#store();
  }

  all(type, before, after) {
    this.#store();
    return new Blob([before, ...this.#parts, after], { type });
  }

  #store() {
    this.#parts.push(new Blob([this.#text]));
    this.#text = "";
  }
}

let rows = new Sheet();
let readings = new Sheet();
let empty = true;

export function clear() {
  rows = new Sheet();
  readings = new Sheet();
  empty = true;
}

export function add(reading) {
  readings.add(`${empty ? "" : ","}${JSON.stringify(reading)}\n`);
  empty = false;
  for (const { box, emotion, confidence, score, track, probabilities, quality } of reading.faces) {
    const shares = emotions().map((name) => probabilities?.[name]);
    rows.add(line([reading.path, reading.frame, track, ...box, emotion, confidence, score, ...shares, quality.join(" ")]));
  }
}

export function csv() {
  const head = ["path", "frame", "track", "x", "y", "width", "height", "emotion", "confidence", "score"];
  return rows.all("text/csv", line([...head, ...emotions(), "quality"]), "");
}

export const json = () => readings.all("application/json", "[", "]");

const emotions = () => state.about.emotions.map((one) => one.name);
const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
const line = (values) => values.map((value) => quoted(String(value ?? ""))).join(",") + "\r\n";
