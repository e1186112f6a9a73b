import assert from "node:assert/strict";
import { test } from "node:test";

import { quoted } from "../../../review/static/conflict.js";
import { presence } from "../../../review/static/presence.js";
import { appended } from "../../../review/static/snippets.js";

test("a snippet goes on a line of its own", () => {
  assert.equal(appended("", "Say why."), "Say why.");
  assert.equal(appended(" \n", "Say why."), "Say why.");
  assert.equal(appended("Good. \n", "Say why."), "Good.\nSay why.");
});

test("the others on a page are named", () => {
  assert.equal(presence([]), "");
  assert.equal(presence(["ben"]), "ben is here too");
  assert.equal(presence(["ben", "cleo"]), "ben and cleo are here too");
});

test("a comment is quoted if there is one", () => {
  assert.equal(quoted(" Good. "), "“Good.”");
  assert.equal(quoted(" "), "");
});
