// Where frames come from: the camera, or a film of the person's.

import { at } from "./shared.js";

const LONGEST = 640; // pixels of a frame that is sent
const QUALITY = 0.9;
const NAME = "fer-camera";

const video = at("video");
const sheet = document.createElement("canvas");

// `wanted` tells whether the person still waits for it when the camera is ready.
export async function openCamera(wanted) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw Object.assign(new Error(), { name: "InsecureError" });
  }
  const size = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" };
  const stream = await navigator.mediaDevices.getUserMedia({ video: size, audio: false });
  if (!wanted()) {
    for (const track of stream.getTracks()) track.stop();
    return;
  }
  video.srcObject = stream;
  await video.play();
}

export async function playFilm(file) {
  video.src = URL.createObjectURL(file);
  video.loop = true;
  await video.play();
}

// What a person called the camera or room of this browser; its faces are counted under it.
export const name = () => (video.src ? "film" : localStorage.getItem(NAME) ?? "browser");
export const rename = (name) => localStorage.setItem(NAME, name);

export function close() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  if (video.src) URL.revokeObjectURL(video.src);
  video.srcObject = null;
  video.removeAttribute("src");
}

// Resolves when the camera has a new picture.
export function nextFrame() {
  return new Promise((resolve) => {
    if (!video.paused && video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
    // A camera that stalls must not hang the loop, and a pause must end.
    setTimeout(resolve, 200);
  });
}

export async function grab() {
  const { videoWidth, videoHeight } = video;
  if (!videoWidth) return null;
  const scale = Math.min(1, LONGEST / Math.max(videoWidth, videoHeight));
  const width = (sheet.width = Math.round(scale * videoWidth));
  const height = (sheet.height = Math.round(scale * videoHeight));
  sheet.getContext("2d").drawImage(video, 0, 0, width, height);
  const blob = await new Promise((resolve) => sheet.toBlob(resolve, "image/jpeg", QUALITY));
  return blob && { blob, width, height };
}

const PROBLEMS = {
  InsecureError: "Browsers give a camera only to https:// pages and to http://localhost. Open this "
    + "page on the machine that runs it, or put it behind HTTPS. Pictures works without a camera.",
  NotAllowedError: "The browser was not allowed to use the camera. Allow it in the address bar, "
    + "then start again. Pictures works without a camera.",
  NotFoundError: "No camera was found. Plug one in and start again, or drop a picture or a film "
    + "in Pictures.",
  NotReadableError: "Another program uses the camera. Close it and start again.",
  NotSupportedError: "This browser cannot play that film.",
};

// Says what a person can do where there is no camera.
export function explain(error) {
  at("why").textContent = PROBLEMS[error.name] ?? `The camera did not start: ${error.message}`;
  at("why").classList.add("problem");
  at("start").textContent = "Try again";
}
