import assert from "node:assert/strict";
import { test } from "node:test";

import { attempt, Drafts } from "../../../review/static/storage.js";

/**
 * A storage that holds at most `room` entries.
 * @returns {Storage}
 */
function storage(room = 10) {
  /** @type {Map<string, string>} */
  const entries = new Map();
  return {
    get length() { return entries.size; },
    key: (index) => [...entries.keys()][index] ?? null,
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => {
      if (entries.size >= room) throw new Error("full");
      entries.set(key, value);
    },
    removeItem: (key) => { entries.delete(key); },
    clear: () => { entries.clear(); },
  };
}

test("a draft is kept until it is removed", () => {
  const drafts = new Drafts(storage(), "review g ann ");
  assert(drafts.set("answer 1", "q1, answer 1", "/question/q1/1", { items: ["fit"] }));
  assert.deepEqual(drafts.get("answer 1")?.items, ["fit"]);
  drafts.remove("answer 1");
  assert.equal(drafts.get("answer 1"), null);
});

test("the list shows this reviewer's drafts alone, oldest first", () => {
  const store = storage();
  const drafts = new Drafts(store, "review g ann ");
  drafts.set("answer 2", "second", "/2", {});
  store.setItem("review g ann answer 1", JSON.stringify({ label: "first", url: "/1", at: 1 }));
  store.setItem("review g ann broken", "{");
  store.setItem("review g ann other", JSON.stringify({ at: 1 }));
  store.setItem("review g ben answer 3", JSON.stringify({ label: "of ben", url: "/3", at: 1 }));
  assert.deepEqual(drafts.list().map((draft) => draft.label), ["first", "second"]);
});

test("a full storage is reported", () => {
  assert.equal(new Drafts(storage(0), "").set("a", "a", "/", {}), false);
});

test("a forbidden storage gives null", () => {
  assert.equal(attempt(() => { throw new Error("forbidden"); }), null);
});
