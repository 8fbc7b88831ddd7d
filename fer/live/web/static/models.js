// Models: every version with its verdict, and the way back.

import { ask, at, crisp, element, percent, sure, tell, tone } from "./shared.js";

let versions = [];

export function build() {
  at("back").onclick = () => rollback(null);
  window.addEventListener("resize", drawCurve);
}

export async function open() {
  if (!versions.length) at("versions").replaceChildren(element("li", { className: "empty" }, "Asking the registry …"));
  try {
    versions = await ask("GET", "/api/models");
  } catch (error) {
    tell(error.message, { problem: true });
    return;
  }
  at("back").disabled = !versions.some((one) => one.aliases.includes("previous"));
  const cards = versions.length ? versions.map(card)
    : [element("li", { className: "empty" }, "No version yet. Run `dvc repro`.")];
  at("versions").replaceChildren(...cards);
  drawCurve();
}

function card(one) {
  const champion = one.aliases.includes("champion");
  const badge = (text, kind) => element("span", { className: `badge ${kind}` }, text);
  const facts = [
    one.accuracy === null ? null : `accuracy ${(100 * one.accuracy).toFixed(1)} %`,
    one.data_version === null ? null : `data version ${one.data_version}`,
    one.parent && one.parent !== "none" ? `from version ${one.parent}` : null,
    new Date(one.created).toLocaleString(),
  ].filter(Boolean).join(" · ");
  // A version that was rolled back and made champion again keeps the word in the registry.
  const verdict = champion && one.verdict === "rolled back" ? null : one.verdict;
  const good = verdict === "promoted" || verdict === "adopted";
  return element("li", { className: "panel" },
    element("div", { className: "row" },
      element("h2", {}, `Version ${one.version}`),
      champion ? badge("champion", "now") : null,
      one.aliases.includes("previous") ? badge("previous", "") : null,
      verdict ? badge(verdict, good ? "good" : "bad") : null,
      champion ? null : element("button", { className: "quiet", onclick: () => rollback(one.version) }, "Make champion")),
    element("p", { className: "muted" }, facts),
    element("ul", {}, ...one.reasons.map((reason) => element("li", {}, reason))));
}

async function rollback(version) {
  const target = version === null ? "the previous champion" : `version ${version}`;
  if (!(await sure(`Let ${target} answer from now on? A re-run of the pipeline does not undo this.`))) return;
  try {
    const { before, after } = await ask("POST", "/api/models/rollback", { json: { version } });
    tell(`Version ${after} is champion now, it was version ${before}.`);
  } catch (error) {
    tell(error.message, { problem: true });
  }
  await open();
}

export function drawCurve() {
  const points = versions.filter((one) => one.accuracy !== null).reverse();
  at("curve").parentElement.hidden = points.length < 2;
  if (points.length < 2) return;
  const { pen, width, height } = crisp(at("curve"));
  const values = points.map((one) => one.accuracy);
  const low = Math.floor(20 * Math.min(...values)) / 20;
  const high = Math.min(1, Math.ceil(20 * Math.max(...values) + 0.2) / 20);
  const y = (value) => 22 + (height - 48) * (1 - (value - low) / (high - low || 1));
  const x = (number) => 50 + ((width - 80) * number) / (points.length - 1);
  pen.font = "12px system-ui, sans-serif";
  pen.fillStyle = tone("muted");
  for (const value of [low, high]) {
    pen.fillText(percent(value), 4, y(value) + 4);
    pen.strokeStyle = tone("line");
    pen.strokeRect(46, y(value), width - 60, 0);
  }
  pen.textAlign = "center";
  points.forEach((one, number) => {
    pen.fillStyle = tone(one.verdict === "refused" ? "warn" : "accent");
    pen.beginPath();
    pen.arc(x(number), y(one.accuracy), one.aliases.includes("champion") ? 7 : 5, 0, 7);
    pen.fill();
    pen.fillStyle = tone("text");
    pen.fillText(percent(one.accuracy), x(number), y(one.accuracy) - 11);
    pen.fillStyle = tone("muted");
    pen.fillText(`v${one.version}`, x(number), height - 4);
  });
}
