// Review: faces that were set apart or look mislabelled, until a person decides.

import { ask, at, element, emoji, state, tell } from "./shared.js";

export async function open() {
  try {
    const faces = await ask("GET", "/api/review");
    fill("waiting", faces, "Nothing waits. Every face was taken in.");
    await openDoubts(new Set(faces.map(({ face }) => face)));
  } catch (error) {
    tell(error.message, { problem: true });
  }
}

async function openDoubts(shown) {
  let faces = [];
  let nothing = "The model contradicts no label.";
  try {
    faces = await ask("GET", "/api/review/doubts");
  } catch (error) {
    nothing = error.message; // no model yet, or nothing to measure it on
  }
  fill("doubts", faces.filter(({ face }) => !shown.has(face)), nothing);
}

function fill(list, faces, nothing) {
  at(list).replaceChildren(...(faces.length ? faces.map(card)
    : [element("li", { className: "panel empty" }, nothing)]));
}

function card(face) {
  const choices = state.about.emotions.map(({ name }) =>
    element("option", { value: name, selected: name === face.label }, `${emoji(name)} ${name}`));
  if (!face.label) choices.unshift(element("option", { value: "", selected: true }, "choose"));
  const label = element("select", { "aria-label": "Label" }, ...choices);
  const accept = () => decide(face, "accept", label.value);
  const relabel = face.suggested
    ? element("button", { onclick: () => decide(face, "accept", face.suggested) }, `${emoji(face.suggested)} It is ${face.suggested}`)
    : null;
  const actions = element("div", { className: "bar" }, label, element("button", { onclick: accept }, "Accept"));
  if (relabel) actions.append(relabel);
  actions.append(element("button", { className: "quiet", onclick: () => decide(face, "reject", null) }, "Reject"));
  if (face.held_back && face.session) { // else all faces of a person were held back
    for (const verdict of ["accept", "reject"]) {
      actions.append(element("button", { className: "quiet", onclick: () => decideSession(face.session, verdict) },
        `${verdict === "accept" ? "Accept" : "Reject"} the whole session`));
    }
  }
  const from = [face.label ?? "no label", face.domain, face.subject].filter(Boolean).join(" · ");
  return element("li", { className: "panel" },
    element("img", { src: face.image, alt: `A face, ${face.label ?? "without a label"}` }),
    element("div", {}, element("div", { className: "reason" }, face.reason), element("div", { className: "muted" }, from)),
    face.decided
      ? element("p", { className: "muted" }, `Decided: ${face.decided}. Takes effect at the next ingest.`)
      : actions);
}

async function decideSession(session, verdict) {
  try {
    await ask("POST", "/api/review/sessions", { json: { session, verdict } });
  } catch (error) {
    tell(error.message, { problem: true });
  }
  await open();
}

async function decide(face, verdict, label) {
  if (verdict === "accept" && !label) {
    tell("Choose what the face shows.", { problem: true });
    return;
  }
  const byKeyboard = document.activeElement.matches(":focus-visible");
  const place = [...at("waiting").children].findIndex((one) => one.contains(document.activeElement));
  const json = { face: face.face, verdict, label: label === face.label ? null : label };
  try {
    await ask("POST", "/api/review", { json });
  } catch (error) {
    tell(error.message, { problem: true });
  }
  await open();
  // The list is made anew: without this a person without a mouse begins at the top again.
  const after = [...at("waiting").children].slice(place);
  if (byKeyboard) after.map((one) => one.querySelector("select")).find(Boolean)?.focus();
}
