// The drafts of this reviewer, as the pages keep and list them.

import { all, find, one } from "./dom.js";
import { say } from "./status.js";
import { Drafts } from "./storage.js";

const page = document.body.dataset;
const drafts = new Drafts(localStorage, `review ${page.gradebook} ${page.reviewer} `);

export const RESTORED = "Your unsaved changes are restored.";

/** @param {string} key */
export const kept = (key) => drafts.get(key);

/** @param {string} key */
export const forget = (key) => drafts.remove(key);

/**
 * Keep a draft of this page.
 * @param {string} key
 * @param {string} label
 * @param {object} content
 */
export function keep(key, label, content) {
  if (!drafts.set(key, label, location.pathname + location.search, content)) {
    say("This browser cannot keep drafts. Unsaved changes are lost when you leave this page.", true);
  }
}

/** List all drafts on the overview. */
export function listDrafts() {
  const section = find("#drafts");
  if (!section) return;
  for (const draft of drafts.list()) {
    const link = document.createElement("a");
    const url = new URL(draft.url, location.origin);
    link.href = url.pathname + url.search;
    link.textContent = draft.label;
    const line = document.createElement("li");
    line.append(link);
    one("ul", section).append(line);
    section.hidden = false;
  }
}

/** Keep the replies to regrade requests while they are typed, and offer those that were not sent. */
export function keepReplies() {
  for (const section of all("[data-reply]")) {
    const { reply: key = "", label = "", given } = section.dataset;
    const before = kept(key);
    const typed = /** @type {HTMLTextAreaElement | null} */ (find("textarea", section));
    if (typed) {
      if (before && !typed.value.trim()) { typed.value = before.reply; say(RESTORED); }
      typed.addEventListener("input", () => {
        if (typed.value.trim()) keep(key, label, { reply: typed.value });
        else forget(key);
      });
    } else if (before && before.reply.trim() === given) {
      forget(key); // it was sent
    } else if (before) {
      const unsent = one("[data-unsent]", section);
      one("span", unsent).textContent = before.reply;
      one("button", unsent).addEventListener("click", () => { forget(key); unsent.hidden = true; say("Discarded."); });
      unsent.hidden = false;
    }
  }
}
