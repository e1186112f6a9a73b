import assert from "node:assert/strict";
import { test } from "node:test";

import { MarkingState } from "../../../review/static/marking_state.js";
import { EMPTY } from "../../../review/static/numbers.js";

/** @typedef {import("../../../review/static/server.js").Mark} Mark */

const FIT = { ...EMPTY, items: ["fit"] };
const UNSEEN = { ...EMPTY, items: ["unseen"] };

/**
 * @param {number} id
 * @param {string} reviewer
 * @param {import("../../../review/static/numbers.js").Draft} draft
 * @returns {Mark}
 */
const mark = (id, reviewer, draft) => ({ ...draft, id, reviewer, words: "", line: "" });

/**
 * The state of ann's page. Nonces are numbered.
 * @param {Mark | null} saved
 */
function stateOf(saved = null) {
  let made = 0;
  return new MarkingState({ mark: saved, reviewer: "ann", nonce: "first" }, () => `nonce ${(made += 1)}`);
}

test("the next step of a save", () => {
  const state = stateOf();
  assert.equal(state.nextStep(EMPTY), "choose");
  state.changed(EMPTY);
  assert.equal(state.nextStep(EMPTY), "send");
  const marked = stateOf(mark(1, "ben", FIT));
  assert.equal(marked.nextStep(FIT), "leave");
  marked.changed(UNSEEN);
  assert.equal(marked.nextStep(UNSEEN), "send");
  marked.receive(mark(2, "ben", EMPTY), UNSEEN);
  assert.equal(marked.nextStep(UNSEEN), "resolve");
});

test("an untouched page follows the marks of others", () => {
  const state = stateOf();
  assert.equal(state.receive(mark(3, "ben", FIT), EMPTY), "replaced");
  assert.deepEqual([state.known, state.seen], [3, 3]);
  assert.equal(state.receive(null, FIT), "replaced");
  assert.deepEqual([state.known, state.seen], [0, 0]);
});

test("another mark conflicts with a draft, and is shown once", () => {
  const state = stateOf();
  state.changed(FIT);
  assert.equal(state.receive(mark(3, "ben", FIT), FIT), "conflicting", "even if it says the same");
  assert.deepEqual([state.known, state.seen], [3, 0]);
  assert.equal(state.receive(mark(3, "ben", FIT), FIT), "known");
  assert.equal(state.receive(mark(4, "ben", UNSEEN), FIT), "conflicting");
});

test("a conflict ends when theirs is replaced, undone, or the draft discarded", () => {
  const conflicting = () => {
    const state = stateOf(mark(1, "ben", EMPTY));
    state.changed(FIT);
    state.receive(mark(2, "ben", UNSEEN), FIT);
    return state;
  };
  const replacing = conflicting();
  replacing.replaceTheirs();
  assert.deepEqual([replacing.theirs, replacing.seen, replacing.nonce], [null, 2, "nonce 1"]);
  assert.equal(replacing.nextStep(FIT), "send");
  const undone = conflicting();
  assert.equal(undone.receive(null, FIT), "undone");
  assert.deepEqual([undone.theirs, undone.mark, undone.isDirty(FIT)], [null, null, true]);
  const discarded = conflicting();
  discarded.discard();
  assert.deepEqual([discarded.theirs, discarded.seen, discarded.isDirty(EMPTY)], [null, 1, false]);
});

test("a save whose reply was lost is seen to be done", () => {
  const state = stateOf();
  state.changed(FIT);
  state.tried = FIT;
  assert.equal(state.receive(mark(3, "ann", FIT), FIT), "saved");
  assert.equal(state.isDirty(FIT), false);
});

test("changes after a lost reply go on top of what was saved", () => {
  const state = stateOf();
  state.tried = FIT;
  state.changed(UNSEEN);
  assert.equal(state.nonce, "nonce 1");
  assert.equal(state.receive(mark(3, "ann", FIT), UNSEEN), "rebased");
  assert.deepEqual([state.seen, state.tried, state.nonce, state.isDirty(UNSEEN)], [3, null, "nonce 2", true]);
});

test("trying the same draft again keeps its nonce", () => {
  const state = stateOf();
  state.tried = FIT;
  state.changed({ ...FIT });
  assert.equal(state.nonce, "first");
});

test("a kept draft goes on where it was, unless it was saved", () => {
  const state = stateOf(mark(5, "ann", FIT));
  assert.equal(state.wasSaved(FIT), true);
  assert.equal(state.wasSaved(UNSEEN), false);
  assert.equal(stateOf(mark(5, "ben", FIT)).wasSaved(FIT), false);
  state.restore({ seen: 4, nonce: "kept", tried: UNSEEN });
  assert.deepEqual([state.seen, state.nonce, state.tried, state.touched], [4, "kept", UNSEEN, true]);
});
