import assert from "node:assert/strict";
import { test } from "node:test";

import { EMPTY, nonce, number, points, same, signed } from "../../../review/static/numbers.js";

test("numbers have at most six digits and no trailing zeros", () => {
  assert.deepEqual([0.1 + 0.2, 2, "2.50", 1 / 3, -0.5].map(number), ["0.3", "2", "2.5", "0.333333", "-0.5"]);
});

test("signed numbers have a true minus", () => {
  assert.deepEqual([0.5, -0.5, 0].map(signed), ["+0.5", "−0.5", "+0"]);
});

test("points stay between 0 and the total", () => {
  const items = [{ id: "fit", points: 1 }, { id: "unseen", points: 2 }, { id: "wrong", points: -3 }];
  const of = (/** @type {string[]} */ given, adjustment = 0) => points({ ...EMPTY, items: given, adjustment }, items, 4);
  assert.deepEqual([of([]), of(["fit", "unseen"]), of(["fit"], 0.5), of(["fit"], 9), of(["wrong"]), of(["unknown"])], [
    0, 3, 1.5, 4, 0, 0,
  ]);
});

test("drafts are the same whatever the order of items and the space around the comment", () => {
  const draft = { items: ["fit", "unseen"], adjustment: 0, comment: "Good. ", flagged: false };
  assert(same(draft, { ...draft, items: ["unseen", "fit"], comment: "Good." }));
  for (const change of [{ items: ["fit"] }, { adjustment: 0.5 }, { comment: "Bad." }, { flagged: true }]) {
    assert(!same(draft, { ...draft, ...change }), JSON.stringify(change));
  }
});

test("each nonce is new", () => {
  assert.match(nonce(), /^[0-9a-f]{32}$/);
  assert.notEqual(nonce(), nonce());
});
