// Review: faces that were set apart, until a person decides.

import { ask, at, element, emoji, state, tell } from "./shared.js";

export async function open() {
  let faces;
  try {
    faces = await ask("GET", "/api/review");
  } catch (error) {
    tell(error.message, { problem: true });
    return;
  }
  at("waiting").replaceChildren(...(faces.length ? faces.map(card)
    : [element("li", { className: "panel empty" }, "Nothing waits. Every face was taken in.")]));
}

function card(face) {
  const choices = state.about.emotions.map(({ name }) =>
    element("option", { value: name, selected: name === face.label }, `${emoji(name)} ${name}`));
  if (!face.label) choices.unshift(element("option", { value: "", selected: true }, "choose"));
  const label = element("select", { "aria-label": "Label" }, ...choices);
  const accept = () => decide(face, "accept", label.value);
  const actions = face.decided
    ? element("p", { className: "muted" }, `Decided: ${face.decided}. Takes effect at the next ingest.`)
    : element("div", { className: "bar" }, label,
        element("button", { onclick: accept }, "Accept"),
        element("button", { className: "quiet", onclick: () => decide(face, "reject", null) }, "Reject"));
  const from = [face.label ?? "no label", face.domain, face.subject].filter(Boolean).join(" · ");
  return element("li", { className: "panel" },
    element("img", { src: face.image, alt: `A face, ${face.label ?? "without a label"}` }),
    element("div", {}, element("div", { className: "reason" }, face.reason), element("div", { className: "muted" }, from)),
    actions);
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
