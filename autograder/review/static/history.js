// The history of an answer's marks, below the answer.

import { find, one } from "./dom.js";
import { ask } from "./server.js";
import { say } from "./status.js";

/** @typedef {import("./server.js").Mark} Mark */

/** Fill the history if it is open. */
export async function showHistory() {
  const details = /** @type {HTMLDetailsElement | null} */ (find("#history"));
  if (!details?.open) return;
  const link = /** @type {HTMLAnchorElement} */ (one("a", details));
  try {
    /** @type {Mark[]} */
    const marks = (await ask(link.href)).history;
    const list = document.createElement("ol");
    list.className = "history";
    for (const mark of marks) {
      const line = document.createElement("li");
      const comment = mark.comment ? `: “${mark.comment}”` : "";
      line.textContent = mark.line + comment;
      list.append(line);
    }
    find("ol", details)?.remove();
    one("p", details).hidden = marks.length > 0;
    if (marks.length) details.append(list);
    else link.textContent = "No marks yet";
  } catch {
    say("The history cannot be loaded right now.", true);
  }
}
