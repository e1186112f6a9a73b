import assert from "node:assert/strict";
import { test } from "node:test";

import { commandOf } from "../../../review/static/keys.js";

/** @typedef {import("../../../review/static/keys.js").Focus} Focus */

const NONE = { ctrlKey: false, metaKey: false, altKey: false };

/** @type {[string, Focus, string | null][]} */
const CASES = [
  ["1", "page", "item 1"],
  ["9", "control", "item 9"],
  ["0", "page", "clear"],
  ["=", "page", "raise"],
  ["ArrowLeft", "page", "previous"],
  ["x", "page", null],
  ["toString", "page", null],
  ["j", "page", "next"],
  ["j", "snippet", "next snippet"],
  ["ArrowUp", "snippet", "previous snippet"],
  ["u", "snippet", "undo"],
  ["ArrowDown", "page", null],
  ["1", "text", null],
  ["Enter", "text", null],
  ["Enter", "control", null],
  ["Enter", "snippet", null],
  ["Enter", "page", "save"],
  ["Escape", "text", "leave"],
];

for (const [key, focus, command] of CASES) {
  test(`${key} on ${focus}: ${command ?? "no command"}`, () => {
    assert.equal(commandOf({ ...NONE, key }, focus), command);
  });
}

test("Ctrl or Cmd with Enter saves even from a text field", () => {
  assert.equal(commandOf({ ...NONE, key: "Enter", ctrlKey: true }, "text"), "save");
  assert.equal(commandOf({ ...NONE, key: "Enter", metaKey: true }, "text"), "save");
});

test("shortcuts of the browser stay the browser's", () => {
  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) {
    assert.equal(commandOf({ ...NONE, key: "f", [modifier]: true }, "page"), null, modifier);
  }
});
