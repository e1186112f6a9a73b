// Saves a mark: once, whatever replies are lost, and never over a mark that the reviewer has not seen.

import { forget } from "./drafts.js";
import { same } from "./numbers.js";
import { NOTHING_CHOSEN } from "./rubric_form.js";
import { send, UNREACHABLE } from "./server.js";
import { goAndSay, say } from "./status.js";

/** @typedef {import("./marking.js").Marking} Marking */

/**
 * Save the mark in the form, or say what is missing.
 * @param {Marking} marking
 */
export async function save(marking) {
  if (marking.busy) return;
  switch (marking.state.nextStep(marking.draft)) {
    case "resolve":
      say("Choose first: keep their mark, or replace it with yours.", true);
      marking.conflict.focus();
      break;
    case "choose":
      say(NOTHING_CHOSEN);
      break;
    case "leave":
      forget(marking.key);
      location.assign(marking.form.dataset.onward ?? "/");
      break;
    case "send":
      marking.busy = true;
      say("Saving …");
      await sendMark(marking).catch(() => say(UNREACHABLE, true));
      marking.busy = false;
  }
}

/**
 * Send the draft. If an earlier draft turns out to be saved, send the changes since then on top of it. Throws if the
 * server cannot be reached.
 * @param {Marking} marking
 * @returns {Promise<void>}
 */
async function sendMark(marking) {
  const { draft, form, state } = marking;
  const before = state.tried;
  state.tried = draft;
  marking.keep();
  const fields = new FormData(form);
  fields.set("seen", String(state.seen));
  fields.set("nonce", state.nonce);
  const { ok, status, body } = await send(form.getAttribute("action") ?? "", fields);
  if (ok) {
    state.saved(body.mark);
    if (same(draft, marking.draft)) forget(marking.key);
    goAndSay(body.url, body.words);
  } else if (status === 409 && body.mark) {
    state.tried = before;
    const earlier = state.isTried(body.mark);
    marking.receive(body.mark);
    if (earlier) await sendMark(marking);
    else marking.conflict.focus();
  } else {
    say(body.why ?? "The mark could not be saved. Your changes are kept; try again.", true);
  }
}
