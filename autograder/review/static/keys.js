// The commands of keys. No access to the page.

/**
 * A place that has the focus: a text field or menu, a snippet, another control, or none of them.
 * @typedef {"text" | "snippet" | "control" | "page"} Focus
 */

/** @typedef {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">} Key */

/** @type {ReadonlyMap<string, string>} */
const COMMANDS = new Map([
  ...[..."123456789"].map((digit) => /** @type {const} */ ([digit, `item ${digit}`])),
  ["?", "help"],
  ["0", "clear"],
  ["+", "raise"],
  ["=", "raise"], // + without Shift on many keyboards
  ["-", "lower"],
  ["f", "flag"],
  ["c", "comment"],
  ["s", "snippets"],
  ["u", "undo"],
  ["j", "next"],
  ["ArrowRight", "next"],
  ["k", "previous"],
  ["ArrowLeft", "previous"],
  ["n", "reveal"],
  ["g", "groups"],
]);

/** @type {ReadonlyMap<string, string>} */
const SNIPPET_COMMANDS = new Map([
  ["j", "next snippet"],
  ["ArrowDown", "next snippet"],
  ["k", "previous snippet"],
  ["ArrowUp", "previous snippet"],
]);

/**
 * Return the command of a key, or null.
 * @param {Key} key
 * @param {Focus} focus
 */
export function commandOf({ key, ctrlKey, metaKey, altKey }, focus) {
  if (key === "Escape") return "leave";
  if (key === "Enter" && (ctrlKey || metaKey)) return "save";
  if (focus === "text" || ctrlKey || metaKey || altKey) return null;
  return plainCommandOf(key, focus);
}

/**
 * @param {string} key
 * @param {Focus} focus
 */
function plainCommandOf(key, focus) {
  if (key === "Enter") return focus === "page" ? "save" : null; // Enter on a control presses that
  return (focus === "snippet" && SNIPPET_COMMANDS.get(key)) || COMMANDS.get(key) || null;
}
