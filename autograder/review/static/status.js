// The line at the bottom of the page that says what happened.

import { one } from "./dom.js";
import { attempt } from "./storage.js";

const LATER = "review status";
const SHOWN_MS = 5000;
let clearing = 0;

/**
 * Show a message; an error stays until the next message.
 * @param {string} message
 * @param {boolean} [error]
 */
export function say(message, error = false) {
  const status = one("#status");
  window.clearTimeout(clearing);
  status.textContent = message;
  status.classList.toggle("bad", error);
  if (!error) clearing = window.setTimeout(() => { status.textContent = ""; }, SHOWN_MS);
}

/**
 * Go to another page and show a message there.
 * @param {string} url
 * @param {string} [message]
 */
export function goAndSay(url, message) {
  if (message) attempt(() => sessionStorage.setItem(LATER, message));
  location.assign(url);
}

/** Show the message that the previous page left. */
export function sayWhatWasLeft() {
  const message = attempt(() => sessionStorage.getItem(LATER));
  if (!message) return;
  attempt(() => sessionStorage.removeItem(LATER));
  const status = one("#status");
  setTimeout(() => { if (!status.textContent) say(message); }, 50); // after a screen reader has announced the page
}
