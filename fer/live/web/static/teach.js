// Teach: the chosen face, a label and a consent become a row in the inbox.

import * as camera from "./camera.js";
import { chosen } from "./faces.js";
import * as live from "./live.js";
import { ask, at, element, emoji, shown, state, tell } from "./shared.js";

let seat = null; // {sitting, subject}
const captures = []; // names of what can be undone, the newest last

export function build() {
  const buttons = state.about.emotions.map(({ name, emoji: face }, number) =>
    element("button", { data: { emotion: name }, onclick: () => teach(name) },
      element("span", { className: "emoji" }, face), name,
      element("span", { className: "count" }, "–"), element("kbd", {}, String(number + 1))));
  at("teach").replaceChildren(...buttons);
  at("legend").replaceChildren(...state.about.emotions.map(({ name }) =>
    element("span", { style: { "--tone": `var(--${name})` } }, name)));
  const { consent } = state.about;
  at("consent-text").textContent = consent.text;
  at("consent-days").textContent = `Purpose: ${consent.purpose}. Holds for ${consent.days} days. Text version ${consent.version}.`;
  at("domain").value = camera.name();
  at("person").onclick = agree;
  at("undo").onclick = undo;
  at("self").hidden = !state.about.self_learning;
  at("self").onclick = toggleSelf;
  at("blind").onclick = () => setBlind(!state.blind);
  at("consent").querySelector('[value="no"]').onclick = () => at("consent").close("no");
  count().catch((error) => tell(error.message, { problem: true }));
}

export async function teach(label) {
  const { frame } = state;
  const face = chosen();
  if (!frame || !face) {
    tell("There is no face to teach. Start the camera and look into it.", { problem: true });
    return;
  }
  try {
    if (!seat && !(await agree())) return;
    const [x, y, width, height] = face.box;
    const query = new URLSearchParams({ sitting: seat.sitting, label, x, y, width, height, blind: state.blind });
    const told = await ask("POST", `/api/captures?${query}`, { body: frame.blob });
    captures.push(told.capture);
    at("undo").disabled = false;
    tell(`${emoji(label)} Kept as ${label}.`, { seconds: 2.5 });
    await count();
  } catch (error) {
    // A server that was started anew knows nobody.
    if (error.message.includes("sitting")) seat = null;
    tell(error.message, { problem: true });
  }
}

async function agree() {
  const dialog = at("consent");
  at("agree").checked = false;
  dialog.returnValue = "";
  if ((await shown(dialog)) !== "yes") return false;
  try {
    const subject = at("subject").value.trim();
    const domain = at("domain").value.trim();
    const json = { subject, domain, consent: state.about.consent.version };
    seat = { ...(await ask("POST", "/api/sittings", { json })), subject };
    camera.rename(domain);
  } catch (error) {
    tell(error.message, { problem: true });
    return false;
  }
  at("who").textContent = `${seat.subject} agreed.`;
  setSelf(false); // the one before agreed for themselves alone
  return true;
}

async function toggleSelf() {
  if (at("self").getAttribute("aria-pressed") === "true") return setSelf(false);
  if (!live.isRunning()) return tell("Start the camera first, and be alone in the picture.", { problem: true });
  if (seat || (await agree())) {
    setBlind(false);
    setSelf(true);
  }
}

function setBlind(on) {
  if (on) setSelf(false); // it keeps what the model says, which is not told now
  state.blind = on;
  at("blind").setAttribute("aria-pressed", String(on));
  live.reconnect();
}

function setSelf(on) {
  const was = at("self").getAttribute("aria-pressed") === "true";
  at("self").setAttribute("aria-pressed", String(on));
  at("learnt").hidden = !on;
  at("learnt").textContent = "Learning by itself: keeps what the model is sure of, for a person to look at.";
  if (on || was) live.learn(on ? seat.sitting : null, on ? hear : null);
}

function hear({ ended, capture, label, count: kept }) {
  if (ended) {
    setSelf(false);
    if (ended.includes("sitting")) seat = null;
    tell(ended);
  } else if (capture) {
    captures.push(capture);
    at("undo").disabled = false;
    at("learnt").textContent = `Learning by itself: ${kept} kept, the last as ${label}. A person has to look at them.`;
  }
}

async function undo() {
  const name = captures.pop();
  at("undo").disabled = captures.length === 0;
  try {
    const { undone } = await ask("DELETE", `/api/captures/${name}`);
    tell(undone === "removed" ? "Taken back." : "It was taken in already; the next ingest leaves it out.", { seconds: 3 });
    await count();
  } catch (error) {
    tell(error.message, { problem: true });
  }
}

async function count() {
  const { waiting, learnt } = await ask("GET", "/api/captures");
  const totals = Object.fromEntries(Object.keys(waiting).map((name) => [name, waiting[name] + learnt[name]]));
  const least = Math.min(...Object.values(totals));
  const most = Math.max(...Object.values(totals));
  for (const button of at("teach").children) {
    const { emotion } = button.dataset;
    button.classList.toggle("least", totals[emotion] === least && most > least);
    button.querySelector(".count").textContent = String(totals[emotion]);
    button.title = `${waiting[emotion]} wait in the inbox, ${learnt[emotion]} taken in before`;
  }
}
