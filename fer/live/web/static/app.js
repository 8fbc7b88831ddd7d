// Views, keys and the theme.

import * as live from "./live.js";
import * as models from "./models.js";
import * as pictures from "./pictures.js";
import * as review from "./review.js";
import { ask, at, forgetTones, state, tell } from "./shared.js";
import * as teach from "./teach.js";
import * as update from "./update.js";

const VIEWS = {
  live: () => live.redraw(), pictures: () => {}, models: models.open, review: review.open, update: update.open,
};
const THEME = "fer-theme";
const ASK_AGAIN = 4000; // milliseconds between questions for the model while no frame asks

function view() {
  const wanted = location.hash.slice(1);
  const name = wanted in VIEWS ? wanted : "live";
  for (const one of Object.keys(VIEWS)) at(one).hidden = one !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  VIEWS[name]();
}

const KEYS = {
  q: live.stop,
  escape: live.stop,
  s: live.screenshot,
  a: live.toggleAll,
  m: () => live.setMirror(!state.mirror),
  " ": live.togglePause,
};

function press(event) {
  const typing = event.target.closest?.("input, select, textarea, dialog");
  const meant = event.key === " " && event.target.closest?.("button, a, label");
  if (typing || meant || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (at("live").hidden) return;
  const emotion = state.about?.emotions[Number(event.key) - 1];
  const act = emotion ? () => teach.teach(emotion.name) : KEYS[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
}

function repaint() {
  forgetTones();
  live.redraw();
}

function dress() {
  const kept = localStorage.getItem(THEME);
  if (kept) document.documentElement.dataset.theme = kept;
  at("theme").onclick = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem(THEME, root.dataset.theme);
    repaint();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}

async function followModel() {
  if (live.isRunning() || document.hidden) return;
  const about = await ask("GET", "/api/about").catch(() => null);
  if (about) live.showModel(about.model);
}

async function begin() {
  dress();
  at("start").onclick = () => live.start();
  at("stop").onclick = live.stop;
  at("pause").onclick = live.togglePause;
  at("shot").onclick = live.screenshot;
  at("all").onclick = live.toggleAll;
  at("mirror").onclick = () => live.setMirror(!state.mirror);
  live.setMirror(true);
  pictures.build();
  models.build();
  update.build();
  document.addEventListener("keydown", press);
  // Clicked with a pointer: the space bar is to pause then, not to press the button again.
  document.addEventListener("click", (event) => event.detail && event.target.closest?.("button")?.blur());
  window.addEventListener("hashchange", view);
  window.addEventListener("resize", live.redraw);
  try {
    state.about = await ask("GET", "/api/about");
  } catch (error) {
    tell(error.message, { problem: true, seconds: 60 });
    return;
  }
  teach.build();
  live.showModel(state.about.model);
  setInterval(followModel, ASK_AGAIN);
  view();
  // A browser that was allowed before starts at once; others ask when the person does.
  const allowed = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
  if (allowed?.state === "granted" && !at("live").hidden) live.start();
}

begin();
