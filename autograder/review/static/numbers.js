// Numbers and drafts of marks: written, added up, compared.

/** @typedef {{ items: string[], adjustment: number, comment: string, flagged: boolean }} Draft */
/** @typedef {{ id: string, points: number }} Item */

/** @type {Readonly<Draft>} */
export const EMPTY = Object.freeze({ items: [], adjustment: 0, comment: "", flagged: false });

/**
 * Write a number with at most six digits.
 * @param {number | string} value
 */
export const number = (value) => String(Number(Number(value).toPrecision(6)));

/**
 * Write a number with its sign.
 * @param {number} value
 */
export const signed = (value) => (value < 0 ? "−" : "+") + number(Math.abs(value));

/**
 * Add up the points of a draft; never below 0, never above the total.
 * @param {Draft} draft
 * @param {Item[]} items
 * @param {number} total
 */
export function points(draft, items, total) {
  const given = items.filter((item) => draft.items.includes(item.id));
  const sum = given.reduce((before, item) => before + item.points, Number(draft.adjustment) || 0);
  return Math.min(Math.max(sum, 0), total);
}

/**
 * Tell whether two drafts or marks say the same, whatever the order of their items.
 * @param {Draft} a
 * @param {Draft} b
 */
export function same(a, b) {
  const [first, second] = [a, b].map((draft) => JSON.stringify([
    [...draft.items].sort(), Number(draft.adjustment) || 0, draft.comment.trim(), Boolean(draft.flagged),
  ]));
  return first === second;
}

/** Return a new nonce, for which the server does an action only once. */
export function nonce() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
