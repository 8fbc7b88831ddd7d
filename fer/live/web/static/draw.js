// Faces on a picture, and the history graph.

import { crisp, emoji, flaws, percent, silent, state, tone } from "./shared.js";

const FONT = 'system-ui, "Segoe UI", Roboto, sans-serif';
// A font of its own: text fonts have some of the faces in black and white, emoji fonts have digits.
const EMOJI_FONT = '"Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif';

// Draws `faces` in a picture of `width` pixels onto an area of `area.width` by `area.height`.
export function drawFaces(pen, faces, { width, height, area, mirror = false, all = false, size = 15 }) {
  const scale = Math.min(area.width / width, area.height / height);
  const left = (area.width - scale * width) / 2;
  const top = (area.height - scale * height) / 2;
  const boxes = faces.map(({ box: [x, y, w, h] }) => ({
    x: left + scale * (mirror ? width - x - w : x), y: top + scale * y, w: scale * w, h: scale * h,
  }));
  faces.forEach((face, number) => {
    const box = boxes[number];
    const others = boxes.filter((one) => one !== box);
    const color = tone(face.emotion, { onPicture: true });
    const isChosen = face.track !== null && face.track === state.chosen;
    pen.lineWidth = isChosen ? 4 : 2;
    pen.strokeStyle = color;
    pen.beginPath();
    pen.roundRect(box.x, box.y, box.w, box.h, 8);
    pen.stroke();
    drawName(pen, face, box, others.length > 0, color, area, size);
    if (face.quality.length) drawFlaws(pen, face, box, area, 0.8 * size);
    // Of several faces only the chosen one: the plates would hide the others.
    if (all && face.probabilities && (isChosen || !others.length)) drawSeven(pen, face, box, others, area, size);
  });
}

function drawName(pen, face, box, isOneOfMany, color, area, size) {
  pen.font = `600 ${size}px ${FONT}`;
  let text = face.emotion
    ? `${face.emotion} ${percent(face.confidence)} · ${face.score.toFixed(1)}/5` : silent();
  // In a group the names would cover each other.
  if (face.emotion && pen.measureText(text).width > (isOneOfMany ? 1 : 1.8) * box.w) text = percent(face.confidence);
  pen.textBaseline = "middle";
  const before = face.emotion ? 12 + 1.5 * size : 12;
  const wide = before + pen.measureText(text).width + 10;
  const high = 1.7 * size;
  const x = Math.max(0, Math.min(box.x, area.width - wide));
  const y = Math.max(0, box.y - high - 3);
  plate(pen, x, y, wide, high);
  pen.fillStyle = color;
  pen.fillRect(x, y, 4, high);
  pen.fillStyle = "#fff";
  pen.fillText(text, x + before, y + high / 2 + 1);
  if (!face.emotion) return;
  pen.font = `${size}px ${EMOJI_FONT}`;
  pen.fillText(emoji(face.emotion), x + 10, y + high / 2 + 1);
}

function drawFlaws(pen, face, box, area, size) {
  pen.font = `${size}px ${FONT}`;
  pen.textBaseline = "middle";
  let text = flaws(face);
  if (pen.measureText(text).width > 1.8 * box.w) text = face.quality.join(", ");
  const wide = pen.measureText(text).width + 14;
  const high = 1.6 * size;
  const x = Math.max(0, Math.min(box.x, area.width - wide));
  const y = Math.min(box.y + box.h + 3, area.height - high);
  plate(pen, x, y, wide, high);
  pen.fillStyle = tone("warn", { onPicture: true });
  pen.fillText(text, x + 7, y + high / 2 + 1);
}

function drawSeven(pen, face, box, others, area, size) {
  const line = 1.25 * size;
  const wide = 11 * size;
  const high = 7 * line + 10;
  const y = Math.max(0, Math.min(box.y, area.height - high));
  const isFree = (x) => x >= 0 && x + wide <= area.width && !others.some((one) =>
    x < one.x + one.w && one.x < x + wide && y < one.y + one.h && one.y < y + high);
  const x = [box.x + box.w + 6, box.x - wide - 6].find(isFree);
  if (x === undefined) return; // no room; the list beside tells them
  plate(pen, x, y, wide, high);
  pen.font = `${0.85 * size}px ${FONT}`;
  pen.textBaseline = "middle";
  Object.entries(face.probabilities).forEach(([name, share], number) => {
    const middle = y + 5 + line * (number + 0.5);
    pen.fillStyle = "#fff";
    pen.fillText(name, x + 8, middle);
    pen.fillStyle = tone(name, { onPicture: true });
    pen.fillRect(x + 5.2 * size, middle - 0.3 * size, Math.max(1, 5.2 * size * share), 0.6 * size);
  });
}

function plate(pen, x, y, wide, high) {
  pen.fillStyle = "rgba(12, 13, 18, 0.82)";
  pen.beginPath();
  pen.roundRect(x, y, wide, high, 5);
  pen.fill();
}

const MINUTE = 60_000;

export class History {
  #points = [];
  #whose = null;

  add(face, now) {
    if (face.track !== this.#whose) {
      this.#points = [];
      this.#whose = face.track;
    }
    this.#points.push({ now, shares: face.probabilities });
    while (this.#points[0].now < now - MINUTE) this.#points.shift();
  }

  draw(canvas, now) {
    const { pen, width, height } = crisp(canvas);
    pen.strokeStyle = tone("line");
    pen.lineWidth = 1;
    for (const share of [0, 0.5, 1]) {
      const y = 4 + (height - 8) * (1 - share);
      pen.beginPath();
      pen.moveTo(0, y);
      pen.lineTo(width, y);
      pen.stroke();
    }
    pen.lineWidth = 2;
    for (const { name } of state.about?.emotions ?? []) {
      pen.strokeStyle = tone(name);
      pen.beginPath();
      for (const point of this.#points) {
        const x = width * (1 - (now - point.now) / MINUTE);
        pen.lineTo(x, 4 + (height - 8) * (1 - point.shares[name]));
      }
      pen.stroke();
    }
  }
}
