// Models: every version with its verdict, and the way back.

import * as curve from "./curve.js";
import { ask, at, element, sure, tell } from "./shared.js";
import { conditions, domains, share } from "./verdict.js";

let versions = [];

export function build() {
  at("back").onclick = () => rollback(null);
  window.addEventListener("resize", () => at("models").hidden || curve.draw(versions));
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
    : [element("li", { className: "empty" }, "No version yet: the shipped champion serves. Run `dvc repro` to train one.")];
  at("versions").replaceChildren(...cards);
  curve.draw(versions);
}

function card(one) {
  const champion = one.aliases.includes("champion");
  const badge = (text, kind) => element("span", { className: `badge ${kind}` }, text);
  const facts = [
    one.accuracy === null ? null : `accuracy ${share(one.accuracy)}`,
    one.data_version === null ? null : `data version ${one.data_version}`,
    one.parent && one.parent !== "none" ? `from version ${one.parent}` : null,
    new Date(one.created).toLocaleString(),
  ].filter(Boolean).join(" · ");
  const good = one.verdict === "promoted" || one.verdict === "adopted";
  return element("li", { className: "panel" },
    element("div", { className: "row" },
      element("h2", {}, `Version ${one.version}`),
      champion ? badge("champion", "now") : null,
      ...["previous", "shadow"].filter((name) => one.aliases.includes(name)).map((name) => badge(name, "")),
      one.verdict ? badge(one.verdict, good ? "good" : "bad") : null,
      champion ? null : element("button", { className: "quiet", onclick: () => rollback(one.version) }, "Make champion")),
    element("p", { className: "muted" }, facts),
    element("ul", {}, ...[...one.reasons, ...watched(one)].map((line) => element("li", {}, line))),
    one.conditions.length ? gate(one) : null);
}

// What is known of a version beside the champion.
function watched({ feedback, agreement }) {
  const told = feedback ? [feedback] : [];
  if (agreement) told.push(`Unseen beside the champion: said the same of ${agreement.alike} of ${agreement.faces} faces that passed since this page's server started.`);
  return told;
}

function gate(one) {
  const holding = one.conditions.filter((each) => each.holds).length;
  return element("details", {},
    element("summary", {}, `The verdict: ${holding} of ${one.conditions.length} conditions hold`),
    conditions(one.conditions), domains(one.domains));
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
