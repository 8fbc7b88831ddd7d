// A verdict's conditions, and the accuracy of each domain, for Models and Update alike.

import { element } from "./shared.js";

export const share = (value) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(1)} %`);

export function conditions(list) {
  return element("ul", { className: "conditions" }, ...list.map((one) =>
    element("li", { className: one.holds ? "holds" : "fails" },
      element("strong", {}, one.name),
      element("span", { className: "muted" }, `expected ${one.expected}; received ${one.received}`))));
}

export function domains(accuracy) {
  const rows = Object.entries(accuracy).map(([name, one]) => element("tr", {},
    element("td", {}, name),
    ...[one.faces, share(one.champion), share(one.candidate)].map((value) =>
      element("td", { className: "num" }, String(value)))));
  const heads = ["Domain", "Faces", "Champion", "Candidate"].map((name, number) =>
    element("th", { className: number ? "num" : "" }, name));
  return element("div", { className: "wide" }, element("table", {}, element("tr", {}, ...heads), ...rows));
}
