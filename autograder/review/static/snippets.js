// Snippets: comments saved for reuse.

import { all, find, one } from "./dom.js";
import { say } from "./status.js";

/**
 * Append a snippet to a comment, on a line of its own.
 * @param {string} comment
 * @param {string} snippet
 */
export const appended = (comment, snippet) => (comment.trim() ? `${comment.replace(/\s+$/, "")}\n${snippet}` : snippet);

/** Open the snippets and go to the first, or to the button that saves one. */
export function openSnippets() {
  const snippets = /** @type {HTMLDetailsElement} */ (one("#snippets"));
  snippets.open = true;
  (find(".snippet", snippets) ?? one("#keep-snippet")).focus();
}

/** Close the snippets and leave the focused element. */
export function closeSnippets() {
  /** @type {HTMLDetailsElement} */ (one("#snippets")).open = false;
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

/**
 * Move the focus from one snippet to the next, wrapping at the ends.
 * @param {1 | -1} step
 */
export function walkSnippets(step) {
  const list = all("#snippets .snippet");
  const index = list.findIndex((snippet) => snippet === document.activeElement);
  list[(index + step + list.length) % list.length]?.focus();
}

/** @param {{ id: number, text: string }} snippet */
export function addSnippet(snippet) {
  const list = one("#snippets ul");
  if (all(".snippet", list).some((known) => known.dataset.snippet === snippet.text)) {
    say("This snippet is already saved.");
    return;
  }
  const template = /** @type {HTMLTemplateElement} */ (one("#snippet-line"));
  const line = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const insert = one(".snippet", line);
  insert.dataset.snippet = snippet.text;
  insert.textContent = snippet.text;
  const drop = one("[data-drop]", line);
  drop.setAttribute("formaction", `/snippet/${snippet.id}/drop`);
  drop.setAttribute("aria-label", `Delete the snippet: ${snippet.text.slice(0, 40)}`);
  list.append(line);
  count();
  say("Saved as a snippet.");
}

/**
 * Remove the line of a deleted snippet.
 * @param {HTMLElement} button
 * @param {string} message
 */
export function dropSnippet(button, message) {
  const line = /** @type {HTMLElement} */ (button.closest("li"));
  const next = line.nextElementSibling ?? line.previousElementSibling;
  line.remove();
  (next ? one(".snippet", next) : one("#snippets summary")).focus();
  count();
  say(message);
}

function count() {
  one("#snippets [data-count]").textContent = String(all("#snippets li").length);
}
