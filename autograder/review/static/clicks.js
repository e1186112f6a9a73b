// Buttons that only a script can answer.

import { all, closest, one } from "./dom.js";
import { Group } from "./group.js";
import { Marking } from "./marking.js";

/**
 * Listen to the buttons that open a dialog, insert a snippet, or select answers of a group.
 * @param {Marking | Group | null} form
 */
export function listenToClicks(form) {
  document.addEventListener("click", (event) => {
    const opener = closest(event, "[data-open]");
    if (opener) /** @type {HTMLDialogElement} */ (one(`#${opener.dataset.open}`)).showModal();
    const snippet = closest(event, ".snippet");
    if (snippet && form instanceof Marking) form.insert(snippet.dataset.snippet ?? "");
    const selector = closest(event, "[data-tick]");
    if (selector && form instanceof Group) {
      form.tick(() => selector.dataset.tick === "all");
      form.ticksChanged();
    }
  });
  for (const button of all("[data-tick]")) button.hidden = false;
}
