// The keyboard.

import { all, closest, field, find, one } from "./dom.js";
import { Group } from "./group.js";
import { Marking } from "./marking.js";
import { openSnippets, walkSnippets } from "./snippets.js";
import { say } from "./status.js";

/** @typedef {Marking | Group | null} Form */

/**
 * Press a button; false if the page has none.
 * @param {string} selector
 */
function press(selector) {
  const button = find(selector);
  button?.click();
  return button !== null;
}

/**
 * Follow a link; at the ends of the answers there is none.
 * @param {string} selector
 */
function follow(selector) {
  const link = /** @type {HTMLAnchorElement | null} */ (find(selector));
  if (link) location.assign(link.href);
  else say(selector === "#next" ? "This is the last answer." : "This is the first answer.");
}

/**
 * The function of each key on this page; it returns false if there was nothing to do.
 * @param {Form} form
 * @returns {Record<string, () => boolean | void>}
 */
function actions(form) {
  /** @type {Record<string, () => boolean | void>} */
  const found = { "?": () => /** @type {HTMLDialogElement} */ (one("#keys")).showModal() };
  if (form) {
    for (let place = 1; place <= 9; place += 1) found[place] = () => form.toggle(place);
    Object.assign(found, {
      0: () => form.clear(),
      "+": () => form.adjust(0.5),
      "=": () => form.adjust(0.5),
      "-": () => form.adjust(-0.5),
      f: () => form.flag(),
      c: () => field(form.form, "comment").focus(),
      s: openSnippets,
      u: () => press("#undo"),
    });
  }
  if (form instanceof Marking && find("#walk")) {
    Object.assign(found, {
      j: () => follow("#next"),
      ArrowRight: () => follow("#next"),
      k: () => follow("#previous"),
      ArrowLeft: () => follow("#previous"),
      n: () => press("#reveal"),
      g: () => follow("#groups"),
    });
  }
  return found;
}

/**
 * Listen to the keyboard.
 * @param {Form} form
 */
export function listen(form) {
  const dialog = /** @type {HTMLDialogElement} */ (one("#keys"));
  const known = actions(form);

  /** @param {KeyboardEvent} event */
  const submit = (event) => {
    if (!form) return;
    event.preventDefault();
    form.form.requestSubmit();
  };

  document.addEventListener("keydown", (event) => {
    const { key } = event;
    if (event.defaultPrevented || event.isComposing || dialog.open) return;
    if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
      submit(event);
    } else if (key === "Escape") {
      const snippets = /** @type {HTMLDetailsElement | null} */ (closest(event, "#snippets"));
      if (snippets) snippets.open = false;
      if (event.target instanceof HTMLElement) event.target.blur();
    } else if (closest(event, "textarea, select, input:not([type=checkbox])") || event.ctrlKey || event.metaKey || event.altKey) {
      // typing, or the browser's own key
    } else if (walkSnippets(key)) {
      event.preventDefault();
    } else if (key === "Enter") {
      if (!closest(event, "a, button, summary, input")) submit(event);
    } else if (Object.hasOwn(known, key) && known[key]() !== false) {
      event.preventDefault();
    }
  });
}

/**
 * Listen to buttons that need a script.
 * @param {Form} form
 */
export function listenToButtons(form) {
  document.addEventListener("click", (event) => {
    const opener = closest(event, "[data-open]");
    if (opener) /** @type {HTMLDialogElement} */ (one(`#${opener.dataset.open}`)).showModal();
    const snippet = closest(event, ".snippet");
    if (snippet && form instanceof Marking) form.insert(snippet.dataset.snippet ?? "");
    const tick = closest(event, "[data-tick]");
    if (tick && form instanceof Group) {
      form.tick(() => tick.dataset.tick === "all");
      form.ticksChanged();
    }
  });
  for (const button of all("[data-tick]")) button.hidden = false;
}
