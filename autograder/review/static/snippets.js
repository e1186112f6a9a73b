// Snippets: comments saved for reuse.

import { all, find, one } from "./dom.js";
import { say } from "./status.js";

/**
 * Append a snippet to a comment, on a line of its own.
 * @param {string} comment
 * @param {string} snippet
 */
export const appended = (comment, snippet) => (comment.trim() ? `${comment.replace(/\s+$/, "")}\n${snippet}` : snippet);

/**
 * Return the place of a list that a key leads to, round the ends; null if the key is for something else.
 * @param {string} key
 * @param {number} place
 * @param {number} length
 */
export function stepped(key, place, length) {
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 };
  return place < 0 || !(key in steps) ? null : (place + steps[key] + length) % length;
}

/** Open the snippets; false if the page has none. */
export function openSnippets() {
  const snippets = /** @type {HTMLDetailsElement | null} */ (find("#snippets"));
  if (!snippets) return false;
  snippets.open = true;
  (find(".snippet", snippets) ?? one("#keep-snippet")).focus();
  return true;
}

/** Close the snippets and leave the focused element. */
export function closeSnippets() {
  /** @type {HTMLDetailsElement} */ (one("#snippets")).open = false;
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

/**
 * Move between the snippets with a key; false if the key is for something else.
 * @param {string} key
 */
export function walkSnippets(key) {
  const list = all("#snippets .snippet");
  const next = stepped(key, list.findIndex((snippet) => snippet === document.activeElement), list.length);
  if (next === null) return false;
  list[next].focus();
  return true;
}

/** @param {{ id: number, text: string }} snippet */
export function addSnippet(snippet) {
  const list = one("#snippets ul");
  if (all(".snippet", list).some((known) => known.dataset.snippet === snippet.text)) {
    say("That snippet is already saved.");
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
