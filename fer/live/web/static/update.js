// Update: start the flow, watch its steps, read the verdict.

import { ask, at, element, sure, tell } from "./shared.js";
import { conditions, domains } from "./verdict.js";

const AGAIN = 1000; // milliseconds between looks while it runs
const ELSEWHERE = 5000; // and while nothing runs: a schedule may start one
const SIGNS = { waiting: "·", running: "▶", done: "✓", failed: "✗" };

let timer = null;
let ran = false;

export function build() {
  at("begin").onclick = begin;
}

export async function open() {
  clearTimeout(timer);
  if (at("update").hidden) return;
  let told = null;
  try {
    told = await ask("GET", "/api/update");
    show(told);
  } catch (error) {
    if (timer === null) tell(error.message, { problem: true });
  }
  clearTimeout(timer);
  timer = setTimeout(open, told?.running ? AGAIN : ELSEWHERE);
}

async function begin() {
  if (!(await sure("Take in what waits in the inbox, train, and let the gate decide? It takes minutes, and a better model becomes champion."))) return;
  try {
    show(await ask("POST", "/api/update"));
  } catch (error) {
    tell(error.message, { problem: true });
  }
  await open();
}

function show(told) {
  at("begin").disabled = told.running;
  at("begin").textContent = told.running ? "An update is running" : "Start an update";
  at("state").textContent = headline(told);
  at("steps").replaceChildren(...told.steps.map(step));
  at("trouble").hidden = !told.error;
  at("trouble").textContent = told.error ?? "";
  at("outcome").replaceChildren(...(told.verdict ? outcome(told.verdict) : []));
  log(told.log);
  if (ran && !told.running) tell(told.error ? "The update ended early." : `The update ended: ${told.verdict?.verdict ?? "done"}.`, { problem: Boolean(told.error) });
  ran = told.running;
}

function headline(told) {
  if (told.began === null) return "No update has run here yet.";
  const when = new Date(1000 * told.began).toLocaleString();
  if (told.running && !told.steps.length) return "Starting …";
  const state = told.running ? "Runs" : told.error ? "Ended early" : "Ended";
  return `${state} · ${told.reason ?? "from the live page"} · begun ${when}`;
}

function step(one) {
  const now = one.state === "running" ? Math.round(Date.now() / 1000 - one.began) : one.seconds;
  return element("li", { className: one.state, "aria-current": one.state === "running" ? "step" : "false" },
    element("span", { className: "sign", "aria-label": one.state }, SIGNS[one.state]),
    element("span", {}, one.name),
    element("span", { className: "num muted" }, now === null ? "" : `${now} s`));
}

function outcome(verdict) {
  const good = verdict.verdict === "promoted";
  const title = element("div", { className: "row" },
    element("h2", {}, verdict.version === null ? "Verdict" : `Version ${verdict.version}`),
    element("span", { className: `badge ${good ? "good" : "bad"}` }, verdict.verdict));
  const before = verdict.decided_before
    ? element("p", { className: "muted" }, "Nothing was new: this is the verdict from before.") : null;
  return [element("div", { className: "panel" }, title, before, conditions(verdict.conditions), domains(verdict.accuracy))];
}

function log(lines) {
  const box = at("log");
  const text = lines.join("\n");
  at("said").hidden = !lines.length;
  if (box.textContent === text) return;
  const below = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  box.textContent = text;
  if (below) box.scrollTop = box.scrollHeight;
}
