// News of the answer on this page: who else is here, a new mark, a changed rubric.

import { one } from "./dom.js";
import { ask } from "./server.js";
import { say } from "./status.js";

/** @typedef {import("./marking.js").Marking} Marking */

const POLL_MS = 1500;

/**
 * Write who else is on the same answer.
 * @param {string[]} others
 */
export function presence(others) {
  return others.length ? `${others.join(" and ")} ${others.length > 1 ? "are" : "is"} here too` : "";
}

/**
 * Ask the server every POLL_MS, and give the form a mark that it does not know.
 * @param {Marking} marking
 * @param {string} url
 */
export function watch(marking, url) {
  let failing = false;
  const look = async () => {
    if (document.hidden || marking.busy) return;
    const known = marking.known;
    try {
      const news = await ask(`${url}?seen=${known}`);
      if (!news) return;
      if (failing) say("The review can be reached again.");
      failing = false;
      one("#others").textContent = presence(news.others);
      one("#rubric-changed").hidden = String(news.revision) === marking.form.dataset.revision;
      if (!marking.busy && known === marking.known && news.changed) marking.receive(news.mark);
    } catch {
      if (!failing) say("The review cannot be reached. Your changes are kept in this browser until it runs again.", true);
      failing = true;
    }
  };
  const again = async () => { await look(); setTimeout(again, POLL_MS); };
  again();
  document.addEventListener("visibilitychange", look);
}
