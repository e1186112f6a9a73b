// The keyboard: what each command does on this page.

import { field, find, one } from "./dom.js";
import { commandOf } from "./keys.js";
import { openSnippets, walkSnippets } from "./snippets.js";
import { say } from "./status.js";

/**
 * Actions by command.
 * @typedef {Record<string, () => void>} Actions
 * @typedef {import("./rubric_form.js").RubricForm} RubricForm
 */

/**
 * Carry out the commands of keys.
 * @param {RubricForm | null} form
 */
export function listenToKeys(form) {
  const dialog = /** @type {HTMLDialogElement} */ (one("#keys"));
  const actions = new Map(Object.entries({
    help: () => dialog.showModal(),
    ...(form && markingActions(form)),
    ...walkingActions(),
  }));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || dialog.open) return;
    const command = commandOf(event, focusOf(event.target)) ?? "";
    if (command === "leave") leave(event.target); // Escape keeps its own effect, too
    const action = actions.get(command);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/**
 * @param {EventTarget | null} target
 * @returns {import("./keys.js").Focus}
 */
function focusOf(target) {
  if (!(target instanceof Element)) return "page";
  if (target.matches("textarea, select, input:not([type=checkbox])")) return "text";
  if (target.matches("#snippets .snippet")) return "snippet";
  return target.closest("a, button, summary, input") ? "control" : "page";
}

/**
 * Leave a field, and close the snippets if it is one of them.
 * @param {EventTarget | null} target
 */
function leave(target) {
  if (!(target instanceof HTMLElement)) return;
  const snippets = target.closest("#snippets");
  if (snippets instanceof HTMLDetailsElement) snippets.open = false;
  target.blur();
}

/**
 * @param {RubricForm} form
 * @returns {Actions}
 */
function markingActions(form) {
  const hasSnippets = find("#snippets") !== null;
  return {
    ...Object.fromEntries(form.boxes.map((_, at) => [`item ${at + 1}`, () => form.toggle(at + 1)])),
    clear: () => form.clear(),
    raise: () => form.adjust(0.5),
    lower: () => form.adjust(-0.5),
    flag: () => form.flag(),
    comment: () => field(form.form, "comment").focus(),
    save: () => form.form.requestSubmit(),
    ...button("undo", "#undo"),
    ...button("reveal", "#reveal"),
    ...(hasSnippets && {
      snippets: openSnippets,
      "next snippet": () => walkSnippets(1),
      "previous snippet": () => walkSnippets(-1),
    }),
  };
}

/**
 * @param {string} command
 * @param {string} selector
 */
function button(command, selector) {
  const element = find(selector);
  return element && { [command]: () => element.click() };
}

/** @returns {Actions} */
function walkingActions() {
  if (!find("#walk")) return {};
  return {
    next: () => follow("#next", "This is the last answer."),
    previous: () => follow("#previous", "This is the first answer."),
    groups: () => follow("#groups", ""),
  };
}

/**
 * @param {string} selector
 * @param {string} otherwise shown if the page has no such link
 */
function follow(selector, otherwise) {
  const link = /** @type {HTMLAnchorElement | null} */ (find(selector));
  if (link) location.assign(link.href);
  else say(otherwise);
}
