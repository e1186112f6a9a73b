// Requests to the review's server.

const PATIENCE_MS = 45000; // longer than the gradebook waits for a lock

export const UNREACHABLE = "The review cannot be reached. Your changes are kept in this browser; save again once it runs.";

/** @typedef {import("./numbers.js").Draft} Draft */
/** @typedef {Draft & { id: number, reviewer: string, words: string, line: string }} Mark */

/**
 * Send a form. Throws if the server cannot be reached in time.
 * @param {string} url
 * @param {FormData} fields
 * @returns {Promise<{ ok: boolean, status: number, body: any }>}
 */
export async function send(url, fields) {
  const reply = await fetch(url, {
    method: "POST",
    body: new URLSearchParams([...fields].map(([name, value]) => [name, String(value)])),
    headers: { "X-CSRF-Token": document.body.dataset.csrf ?? "", Accept: "application/json" },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  let body = {};
  try { body = await reply.json(); } catch { /* not from the review: the status is enough */ }
  return { ok: reply.ok, status: reply.status, body };
}

/**
 * Ask for data; null if the server refuses. Throws if it cannot be reached in time.
 * @param {string} url
 * @returns {Promise<any>}
 */
export async function ask(url) {
  const reply = await fetch(url, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE_MS) });
  return reply.ok ? reply.json() : null;
}
