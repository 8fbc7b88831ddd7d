// The live session: one frame in flight. A slow server lowers the frame rate and builds no queue.

import * as camera from "./camera.js";
import { drawFaces, History } from "./draw.js";
import { chosen, list } from "./faces.js";
import { ask, at, crisp, element, save, state, tell } from "./shared.js";

const AGAIN = 1500; // milliseconds before connecting again

const video = at("video");
const history = new History();
let turn = 0; // counts starts and stops, so that a start that was overtaken ends
let running = false;
let paused = false;
let socket = null;
let waiting = null; // {resolve, reject} of the frame in flight
let drawn = 0;
let pace = null; // smoothed milliseconds between answers
let trip = null; // smoothed milliseconds from frame to answer
let last = null; // when the last answer came
let served = null; // name of the model that answered last
let complaint = null;
let sitting = null; // of the person whose face may be kept by itself
let hear = null; // is called with what self-learning tells

// What a browser test may look at.
export const stats = { sent: 0, got: 0, faces: 0, first: null, fps: 0, ms: 0 };
window.stats = stats;

// -- starting and ending ---------------------------------------------------------------------

export async function start(film = null) {
  stop();
  const mine = turn;
  try {
    await (film ? camera.playFilm(film) : camera.openCamera(() => mine === turn));
  } catch (error) {
    if (mine === turn) camera.explain(error);
    return;
  }
  if (mine !== turn) return;
  if (film) setMirror(false);
  running = true;
  setPaused(false);
  at("empty").hidden = true;
  for (const id of ["pause", "shot", "stop"]) at(id).disabled = false;
  video.onresize = fitStage;
  fitStage();
  connect();
}

export function stop() {
  turn += 1;
  running = false;
  if (sitting) hear({ ended: "Self-learning ended with the camera." });
  socket?.close();
  socket = null;
  camera.close();
  at("empty").hidden = false;
  at("paused").hidden = true;
  for (const id of ["pause", "shot", "stop"]) at(id).disabled = true;
  at("speed").textContent = "";
  pace = trip = last = null;
  state.frame = null;
  show([]);
}

// -- frames ----------------------------------------------------------------------------------

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const asked = { camera: camera.name(), blind: state.blind, ...(sitting && { sitting }) };
  const query = new URLSearchParams(asked);
  const mine = (socket = new WebSocket(`${scheme}://${location.host}/api/live?${query}`));
  mine.onopen = () => pump(mine);
  mine.onmessage = (event) => mine === socket && waiting?.resolve(JSON.parse(event.data));
  mine.onclose = (event) => {
    // Another session may have begun since: the frame in flight is then not of this one.
    if (!running || mine !== socket) return;
    waiting?.reject();
    if (event.code === 1008 && sitting) {
      // A server that was started anew knows nobody.
      hear({ ended: "Self-learning ended: agree again." });
      return connect();
    }
    complain(event.code === 1013 ? "The server is busy. Trying again." : "Connection lost. Trying again.");
    setTimeout(again, AGAIN, mine);
  };
}

// What the server answers to a question says more than a connection that it refuses.
async function again(mine) {
  await ask("GET", "/api/about").catch(() => null);
  if (running && mine === socket) connect();
}

async function pump(mine) {
  while (running && mine === socket && mine.readyState === WebSocket.OPEN) {
    await camera.nextFrame();
    if (paused) continue;
    const frame = await camera.grab();
    // Asked again: pausing while the frame was made must not let it out.
    if (!frame || paused || mine.readyState !== WebSocket.OPEN) continue;
    const began = performance.now();
    const answer = await new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      stats.sent += 1;
      mine.send(frame.blob);
    }).catch(() => null);
    waiting = null;
    if (answer && running && mine === socket) receive(answer, frame, began);
  }
}

function receive(answer, frame, began) {
  if (answer.error) return complain(answer.error);
  complaint = null;
  const now = performance.now();
  trip = smooth(trip, now - began);
  if (last !== null) pace = smooth(pace, now - last);
  last = now;
  stats.got += 1;
  stats.faces = answer.faces.length;
  stats.ms = trip;
  stats.fps = pace ? 1000 / pace : 0;
  if (stats.first === null && answer.faces.length) stats.first = now;
  state.frame = frame;
  if (pace) at("speed").textContent = `${stats.fps.toFixed(0)} FPS · ${trip.toFixed(0)} ms`;
  showModel(answer.model);
  show(answer.faces);
  if (answer.learning && sitting) hear(answer.learning);
}

// Keeps faces of the person who agreed in `wanted`, or of nobody; `told` hears what comes of it.
export function learn(wanted, told) {
  [sitting, hear] = [wanted, told];
  reconnect();
}

// So that what was asked for holds from the next frame on.
export function reconnect() {
  if (!running) return;
  const before = socket;
  waiting?.reject();
  connect();
  before?.close();
}

const smooth = (before, value) => (before === null ? value : 0.9 * before + 0.1 * value);

function complain(text) {
  if (text !== complaint) tell(text, { problem: true });
  complaint = text;
}

export function showModel(model) {
  const chip = at("model");
  const broken = Boolean(model.error);
  const learnt = model.data_version === null ? "" : ` · data ${model.data_version}`;
  const text = model.name ? model.name + learnt : model.asked ? "no model" : "loading the model";
  if (chip.textContent !== text) chip.textContent = text;
  chip.classList.toggle("broken", broken);
  chip.title = model.error ?? "Model in use";
  if (model.name && served && model.name !== served) tell(`The model was swapped: ${model.name} answers now.`);
  if (broken && chip.dataset.told !== model.error) tell(model.error, { problem: true });
  chip.dataset.told = model.error ?? "";
  served = model.name ?? served;
}

// -- what is seen ----------------------------------------------------------------------------

function show(faces) {
  state.faces = faces;
  if (!faces.some((face) => face.track === state.chosen)) state.chosen = faces[0]?.track ?? null;
  redraw();
  const now = performance.now();
  const face = chosen();
  if (face?.probabilities) history.add(face, now);
  // The list and the graph need no more than ten changes a second.
  if (now - drawn < 100 && faces.length) return;
  drawn = now;
  list(pick);
  history.draw(at("history"), now);
  at("whose").textContent = face ? `of face ${face.track}` : "";
}

function pick(track) {
  state.chosen = track;
  redraw();
  list(pick);
}

export function redraw() {
  const { pen, width, height } = crisp(at("overlay"));
  const size = state.frame ?? { width: 4, height: 3 };
  drawFaces(pen, state.faces, {
    width: size.width, height: size.height, area: { width, height }, mirror: state.mirror,
    all: state.all, size: width < 480 ? 12 : 15,
  });
}

// -- what can be done ------------------------------------------------------------------------

export function setPaused(value) {
  paused = value;
  at("paused").hidden = !value;
  at("pause").firstChild.textContent = value ? "Resume " : "Pause ";
  last = null;
  if (!running) return;
  if (value) video.pause();
  else video.play();
}

export const isRunning = () => running && !paused;

export const togglePause = () => running && setPaused(!paused);

export function toggleAll() {
  state.all = !state.all;
  at("all").setAttribute("aria-pressed", String(state.all));
  redraw();
  list(pick);
}

export function setMirror(value) {
  state.mirror = value;
  at("mirror").setAttribute("aria-pressed", String(value));
  at("stage").classList.toggle("mirrored", value);
  redraw();
}

export async function screenshot() {
  const { frame, faces } = state;
  if (!frame) return;
  const picture = await createImageBitmap(frame.blob);
  const { width, height } = frame;
  const canvas = element("canvas", { width, height });
  const pen = canvas.getContext("2d");
  if (state.mirror) pen.setTransform(-1, 0, 0, 1, width, 0);
  pen.drawImage(picture, 0, 0);
  pen.resetTransform();
  drawFaces(pen, faces, { width, height, area: { width, height }, mirror: state.mirror, all: state.all });
  const name = `fer-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.png`;
  canvas.toBlob((blob) => save(blob, name), "image/png");
}

function fitStage() {
  if (!video.videoWidth) return;
  at("stage").style.setProperty("--ratio", video.videoWidth / video.videoHeight);
  redraw();
}
