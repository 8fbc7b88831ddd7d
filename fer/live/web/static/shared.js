// What every view uses: the server, elements, notices, questions.

export const state = {
  about: null, // what /api/about told
  faces: [], // of the last frame
  chosen: null, // number of the face that is taught and drawn in the history
  frame: null, // the last frame as it was sent: {blob, width, height}
  mirror: true,
  all: false,
  blind: false, // answers are neither sent nor shown: what people then say may judge models
};

export const at = (id) => document.getElementById(id);
export const percent = (share) => `${Math.round(100 * share)} %`;
export const emoji = (name) => state.about?.emotions.find((one) => one.name === name)?.emoji ?? "🙂";

const FLAWS = { small: "small face", side: "seen from the side", cut: "cut off by the edge",
  unsure: "more likely wrong than right" };

// What makes the answer about a face less sure, in words; "" where nothing does.
export const flaws = (face) => face.quality.map((flaw) => FLAWS[flaw]).join(", ");

// What stands where the emotion would, of a face without one.
export const silent = () => state.blind ? "answer hidden" : "no model yet";

const tones = new Map();

// Colour of an emotion, or of another name in page.css, for a canvas. Pictures are dark or light
// whatever the theme; on them the dark theme's brighter colours are used.
export function tone(name, { onPicture = false } = {}) {
  const key = `${name}${onPicture}`;
  if (!tones.has(key)) {
    const probe = element("i", { hidden: true, style: { color: `var(--${name ?? "neutral"})` } });
    if (onPicture) probe.style.colorScheme = "dark";
    document.body.append(probe);
    tones.set(key, getComputedStyle(probe).color);
    probe.remove();
  }
  return tones.get(key);
}

export const forgetTones = () => tones.clear();

export function element(tag, settings = {}, ...children) {
  const made = document.createElement(tag);
  const { style = {}, data = {}, ...rest } = settings;
  for (const [name, value] of Object.entries(style)) made.style.setProperty(name, value);
  for (const [name, value] of Object.entries(rest)) {
    if (name.startsWith("aria-") || name === "for") made.setAttribute(name, value);
    else made[name] = value;
  }
  Object.assign(made.dataset, data);
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function tell(text, { problem = false, seconds = 6 } = {}) {
  const toast = element("div", { className: problem ? "toast problem" : "toast" }, text);
  at("toasts").append(toast);
  setTimeout(() => toast.remove(), 1000 * seconds);
}

export async function ask(method, path, sent = {}) {
  const answer = await request(method, path, sent);
  return answer.status === 204 ? null : answer.json();
}

// Resolves with an answer that is good; its body is not read yet.
export async function request(method, path, { json, body, signal } = {}) {
  const headers = json === undefined ? {} : { "Content-Type": "application/json" };
  const sent = json === undefined ? body : JSON.stringify(json);
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: sent, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Error("The server does not answer. Is `fer serve` still running?");
  }
  if (answer.status === 429) {
    // Nothing was done yet: many pictures were dropped, and the rest of them wait.
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers.get("Retry-After"))));
    return request(method, path, { json, body, signal });
  }
  if (answer.status === 401) {
    // The token was revoked or is over: in the page's place comes the one that asks for another.
    location.reload();
    return new Promise(() => {});
  }
  if (!answer.ok) throw new Error(reason(await answer.json().catch(() => null), answer));
  return answer;
}

function reason(told, answer) {
  if (typeof told?.detail === "string") return told.detail;
  if (Array.isArray(told?.detail)) return told.detail.map((one) => one.msg).join(" ");
  return `The server answered ${answer.status}.`;
}

// Resolves with "yes", or with anything else for no.
export function shown(dialog) {
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

export async function sure(question) {
  at("sure-text").textContent = question;
  at("sure").returnValue = "";
  return (await shown(at("sure"))) === "yes";
}

export function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Fits a canvas' pixels to the screen's and returns its context, in CSS pixels.
export function crisp(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return { pen, width, height };
}
